/*
 * A callback that forks. Both processes return from it and finish what libssl was doing; then the
 * child goes on with the whole program.
 */
#include "legacy.h"
#include <stdbool.h>

static struct house house;
static int forks_wanted;
static bool is_child;

static void fork_here(const char *where)
{
    if (forks_wanted == 0)
        return;
    forks_wanted--;
    pid_t pid = fork_clean();
    if (pid == 0)
        is_child = true;
    else
        printf("child of %s: %s\n", where, end_of(pid));
}

static void end_child(void)
{
    if (!is_child)
        return;
    SSL_CTX_sess_set_cache_size(house.server, 0);
    revisit("child again", house.client, house.server, house.kept[0]);
    show("child", house.server);
    SHOW(churn(house.server, 900, 3));
    keeper_is(OURS, house.server);
    close_house(&house);
    show("child at its end", NULL);
    fflush(stdout);
    _exit(0);
}

static int on_new(SSL *ssl UNUSED, SSL_SESSION *session UNUSED)
{
    fork_here("new_cb");
    return 0;
}

static SSL_SESSION *on_get(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED,
                           int *copy UNUSED)
{
    fork_here("get_cb");
    return NULL;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    note_removal(ctx, session);
    fork_here("remove_cb");
}

int main(int count, char **arguments)
{
    const char *where = count > 1 ? arguments[1] : "";
    house = open_house(TLS1_2_VERSION);
    fill_house(&house);
    add_numbered(house.server, 0, 20);
    SSL_CTX_sess_set_new_cb(house.server, on_new);
    SSL_CTX_sess_set_get_cb(house.server, on_get);
    SSL_CTX_sess_set_remove_cb(house.server, on_remove);
    forks_wanted = 1;
    if (strcmp(where, "new") == 0)
        revisit("stores", house.client, house.server, NULL);
    if (strcmp(where, "get") == 0) {
        SSL_CTX_remove_session(house.client, house.kept[1]);
        forks_wanted = 0;
        SSL_CTX_remove_session(house.server, house.kept[1]);
        forks_wanted = 1;
        SSL_SESSION *copy = SSL_SESSION_dup(house.kept[2]);
        unsigned char id[32] = "nobody knows";
        SSL_SESSION_set1_id(copy, id, sizeof(id));
        revisit("looks up", house.client, house.server, copy);
        SSL_SESSION_free(copy);
    }
    if (strcmp(where, "remove") == 0)
        SHOW(SSL_CTX_remove_session(house.server, house.kept[3]));
    if (strcmp(where, "flush") == 0) {
        SSL_SESSION_set_timeout(house.kept[3], 1);
        SSL_CTX_flush_sessions(house.server, (long)time(NULL) + 100000);
    }
    if (strcmp(where, "evict") == 0) {
        SSL_CTX_sess_set_cache_size(house.server, 10);
        SHOW(add_numbered(house.server, 500, 1));
    }
    end_child();
    revisit("parent again", house.client, house.server, house.kept[0]);
    show("parent", house.server);
    close_house(&house);
    show("parent at its end", NULL);
    return 0;
}
