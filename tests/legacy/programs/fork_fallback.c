/*
 * Children that can have no core of their own: libssl then keeps the sessions itself, those of the
 * parent too. The arguments say how the copy of the library is made impossible, and what to use for
 * it: a folder to chroot into, or the file of the library, to be removed or replaced by another.
 */
#include "legacy.h"
#include "sandbox.h"

static struct house house;

static int prevent(const char *way, char **what)
{
    if (strcmp(way, "chroot") == 0)
        return chroot(what[0]) | chdir("/");
    if (strcmp(way, "remove") == 0)
        return unlink(what[0]);
    if (strcmp(way, "replace") == 0)
        return rename(what[1], what[0]);
    if (strcmp(way, "seccomp") == 0)
        return forbid(SYS_memfd_create);
    return -1;
}

static void use(void *argument UNUSED)
{
    SHOW(SSL_CTX_sess_number(house.server));
    SHOW(SSL_CTX_get_session_cache_mode(house.server));
    SHOW(SSL_CTX_sess_get_cache_size(house.server));
    SHOW(SSL_CTX_sess_get_remove_cb(house.server) == note_removal);
    revisit("again with 0", house.client, house.server, house.kept[0]);
    SHOW(SSL_CTX_remove_session(house.server, house.kept[1]));
    SHOW(SSL_CTX_remove_session(house.server, house.kept[1]));
    revisit("again with 1", house.client, house.server, house.kept[1]);
    SSL_SESSION *fresh = visit("new visit", house.client, house.server, NULL);
    revisit("again with the new", house.client, house.server, fresh);
    SSL_SESSION_free(fresh);
    SHOW(churn(house.server, 900, 2));
    SHOW(SSL_CTX_sess_number(house.server));
    show_counters("server", house.server);
    keeper_is(LIBSSLS, house.server);
    pid_t pid = fork_clean();
    if (pid == 0) {
        revisit("grandchild", house.client, house.server, house.kept[0]);
        close_house(&house);
        show("grandchild at its end", NULL);
        fflush(stdout);
        _exit(0);
    }
    printf("grandchild: %s\n", end_of(pid));
    close_house(&house);
    show("at its end", NULL);
}

/* The first thing that the child does with the context is a handshake. */
static void look_up_first(void *argument UNUSED)
{
    revisit("first of all", house.client, house.server, house.kept[2]);
    revisit("and again", house.client, house.server, house.kept[2]);
    SHOW(SSL_CTX_sess_number(house.server));
    keeper_is(LIBSSLS, house.server);
}

int main(int count, char **arguments)
{
    if (count < 2)
        return 1;
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_cache_size(house.server, 5000);
    fill_house(&house);
    for (int i = 0; i < 8; i++) {
        char name[12];
        snprintf(name, sizeof(name), "by hand %d", i);
        SSL_SESSION *session = simple_session(name, (long)time(NULL), 500 + i);
        SSL_CTX_add_session(house.server, session);
        SSL_SESSION_free(session);
    }
    keeper_is(OURS, house.server);
    if (prevent(arguments[1], arguments + 2) != 0)
        printf("the way was not barred: %s\n", strerror(errno));
    in_child("child", use, NULL);
    in_child("second child", look_up_first, NULL);
    revisit("parent again", house.client, house.server, house.kept[0]);
    keeper_is(OURS, house.server);
    show("parent", house.server);
    close_house(&house);
    return 0;
}
