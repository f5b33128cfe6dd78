/* Contexts that are freed by atexit handlers, before and after libssl's own farewell. */
#include "legacy.h"

static struct house early, late;

static void close_early(void)
{
    printf("after libssl's farewell\n");
    fflush(stdout);
    SSL_CTX_free(early.client);
    SSL_CTX_free(early.server);
    printf("freed\n");
    fflush(stdout);
}

static void close_late(void)
{
    printf("before libssl's farewell\n");
    SHOW(SSL_CTX_sess_number(late.server));
    close_house(&late);
    show("late house", NULL);
    SHOW(SSL_CTX_sess_number(early.server));
    fflush(stdout);
}

int main(int count, char **arguments)
{
    atexit(close_early); /* registered before libssl's: called after it */
    early = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(early.server, NULL);
    fill_house(&early);
    for (int i = 0; i < 4; i++)
        SSL_SESSION_free(early.kept[i]);
    late = open_house(TLS1_2_VERSION);
    fill_house(&late);
    add_numbered(late.server, 0, 50);
    keeper_is(OURS, late.server);
    atexit(close_late);
    if (count > 1 && strcmp(arguments[1], "fork") == 0) {
        pid_t pid = fork_clean();
        if (pid == 0)
            exit(0);
        printf("child: %s\n", end_of(pid));
    }
    return 0;
}
