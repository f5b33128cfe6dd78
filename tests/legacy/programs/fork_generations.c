/* Each generation finds the sessions of all before it, and adds one. */
#include "legacy.h"

static void live(struct house *house, int generation, int last)
{
    printf("generation %d: held %ld\n", generation, SSL_CTX_sess_number(house->server));
    revisit("with the first session", house->client, house->server, house->kept[0]);
    SSL_SESSION *own = visit("a session of its own", house->client, house->server, NULL);
    revisit("with its own", house->client, house->server, own);
    SHOW(add_numbered(house->server, generation * 100, 100));
    if (generation < last) {
        pid_t pid = fork_clean();
        if (pid == 0) {
            live(house, generation + 1, last);
            fflush(stdout);
            _exit(0);
        }
        printf("child of generation %d: %s\n", generation, end_of(pid));
    }
    revisit("with its own, later", house->client, house->server, own);
    printf("generation %d at its end: held %ld\n", generation, SSL_CTX_sess_number(house->server));
    SSL_SESSION_free(own);
}

int main(int count, char **arguments)
{
    struct house house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    live(&house, 0, count > 1 ? atoi(arguments[1]) : 10);
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
