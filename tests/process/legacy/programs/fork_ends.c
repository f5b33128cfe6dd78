/* Children that end at once, in every way, and one that works a lot before it does. */
#include "legacy.h"

static struct house house;

static void one_child(const char *title, void (*leave)(void))
{
    pid_t pid = fork_clean();
    if (pid == 0)
        leave();
    printf("%s: %s\n", title, end_of(pid));
}

static void leave_quietly(void)
{
    _exit(1);
}

static void leave_properly(void)
{
    exit(2);
}

static void leave_quickly(void)
{
    quick_exit(3);
}

static void free_and_leave(void)
{
    close_house(&house);
    exit(4);
}

static void become_another(void)
{
    execlp("sh", "sh", "-c", "exit 5", (char *)NULL);
    _exit(127);
}

static void use_and_leave(void)
{
    churn(house.server, 0, 1);
    exit(6);
}

/* So much that the core must collect its garbage several times. */
static void work_hard(void)
{
    SSL_CTX_sess_set_cache_size(house.server, 0);
    for (int round = 0; round < 3; round++) {
        if (add_numbered(house.server, 1000, 30000) != 30000 ||
            SSL_CTX_sess_number(house.server) < 30000)
            _exit(1);
        SSL_CTX_flush_sessions(house.server, 0);
        if (SSL_CTX_sess_number(house.server) != 0)
            _exit(2);
    }
    keeper_is(OURS, house.server);
    exit(7);
}

int main(void)
{
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    add_numbered(house.server, 0, 1000);
    one_child("_exit", leave_quietly);
    one_child("exit", leave_properly);
    one_child("quick_exit", leave_quickly);
    one_child("free and exit", free_and_leave);
    one_child("exec", become_another);
    one_child("use and exit", use_and_leave);
    one_child("work hard", work_hard);
    one_child("work hard again", work_hard);
    revisit("parent again", house.client, house.server, house.kept[0]);
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
