/*
 * Little address space, in MB: from the start, or only once the first session is stored. The
 * program goes on, whoever keeps its sessions.
 */
#include "legacy.h"
#include <stdbool.h>
#include <sys/resource.h>

static void limit(long megabytes)
{
    struct rlimit limit = {(rlim_t)megabytes << 20, (rlim_t)megabytes << 20};
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        abort();
}

static void use(struct house *house)
{
    fill_house(house);
    revisit("again", house->client, house->server, house->kept[0]);
    SHOW(add_numbered(house->server, 0, 3000));
    SHOW(SSL_CTX_sess_number(house->server));
    SHOW(churn(house->server, 5000, 50));
}

static void use_in_child(void *argument)
{
    struct house *house = argument;
    revisit("child", house->client, house->server, house->kept[1]);
    SHOW(SSL_CTX_remove_session(house->server, house->kept[1]));
    SHOW(SSL_CTX_sess_number(house->server));
    SHOW(add_numbered(house->server, 10000, 3000));
}

int main(int count, char **arguments)
{
    if (count < 3)
        return 1;
    long megabytes = strtol(arguments[2], NULL, 10);
    bool at_once = strcmp(arguments[1], "at once") == 0;
    struct house house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    if (!at_once) {
        add_numbered(house.server, 100000, 1);
        megabytes += status_of("VmSize") / 1024;
    }
    limit(megabytes);
    use(&house);
    in_child("child", use_in_child, &house);
    SHOW(SSL_CTX_sess_number(house.server));
    close_house(&house);
    return 0;
}
