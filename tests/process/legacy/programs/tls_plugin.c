/* A module that uses TLS, as Python's or Ruby's does: loaded late, and with it libssl. */
#include "legacy.h"

int use_tls(const char *title);

int use_tls(const char *title)
{
    printf("%s\n", title);
    struct house house = open_house(TLS1_2_VERSION);
    fill_house(&house);
    revisit("again", house.client, house.server, house.kept[0]);
    SHOW(SSL_CTX_remove_session(house.server, house.kept[1]));
    revisit("again with the removed", house.client, house.server, house.kept[1]);
    SHOW(add_numbered(house.server, 0, 100));
    SHOW(SSL_CTX_sess_number(house.server));
    show_counters("server", house.server);
    keeper_is(OURS, house.server);
    close_house(&house);
    show("at the end", NULL);
    fflush(stdout);
    return 0;
}
