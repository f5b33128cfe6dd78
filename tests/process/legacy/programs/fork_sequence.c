/* Many forks one after the other: all children work, and the parent does not grow. */
#include "legacy.h"

static void child(struct house *house)
{
    int resumed = SSL_CTX_remove_session(house->server, house->kept[0]);
    _exit(resumed == 1 && churn(house->server, 5000, 2) == 1 ? 0 : 1);
}

int main(int count, char **arguments)
{
    int forks = count > 1 ? atoi(arguments[1]) : 100;
    struct house house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    add_numbered(house.server, 0, 5000);
    long settled = 0;
    for (int i = 0; i < forks; i++) {
        pid_t pid = fork_clean();
        if (pid == 0)
            child(&house);
        const char *end = end_of(pid);
        if (strcmp(end, "exit 0") != 0)
            printf("child %d: %s\n", i, end);
        churn(house.server, 6000, 1);
        if (i == forks / 4)
            settled = status_of("VmRSS");
    }
    long grown = status_of("VmRSS") - settled;
    printf("grew by less than 2 MB: %s\n", grown < 2048 ? "yes" : "no");
    revisit("parent again", house.client, house.server, house.kept[0]);
    keeper_is(OURS, house.server);
    SHOW(SSL_CTX_sess_number(house.server));
    close_house(&house);
    return 0;
}
