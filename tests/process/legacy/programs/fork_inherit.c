/* A child has its parent's sessions: it finds them, removes them, and frees each of them once. */
#include "legacy.h"

static int freed; /* sessions made by hand whose last reference went */

static void count_free(void *session UNUSED, void *mark, CRYPTO_EX_DATA *data UNUSED,
                       int index UNUSED, long number UNUSED, void *argument UNUSED)
{
    if (mark != NULL)
        freed++;
}

static void add_marked(SSL_CTX *ctx, uint32_t count)
{
    static int mark;
    int index = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, count_free);
    for (uint32_t i = 0; i < count; i++) {
        SSL_SESSION *session = numbered_session(i);
        SSL_SESSION_set_ex_data(session, index, &mark);
        SSL_CTX_add_session(ctx, session);
        SSL_SESSION_free(session);
    }
}

static void use(struct house *house)
{
    printf("held %ld\n", SSL_CTX_sess_number(house->server));
    revisit("again with 0", house->client, house->server, house->kept[0]);
    revisit("again with 1", house->client, house->server, house->kept[1]);
    SHOW(SSL_CTX_remove_session(house->server, house->kept[2]));
    SHOW(SSL_CTX_remove_session(house->server, house->kept[2]));
    revisit("again with the removed", house->client, house->server, house->kept[2]);
    SHOW(SSL_CTX_add_session(house->server, house->kept[3]));
    SSL_SESSION *fresh = visit("new visit", house->client, house->server, NULL);
    revisit("again with the new", house->client, house->server, fresh);
    SSL_SESSION_free(fresh);
    show("after use", house->server);
    show_counters("server", house->server);
    keeper_is(OURS, house->server);
}

static void use_and_leave(void *argument)
{
    struct house *house = argument;
    use(house);
    close_house(house);
    show("after the end", NULL);
    SHOW(freed);
}

static void only_leave(void *argument)
{
    close_house(argument);
    show("after the end", NULL);
    SHOW(freed);
}

static void flush(void *argument)
{
    struct house *house = argument;
    SSL_CTX_flush_sessions(house->server, (long)time(NULL) + 100000);
    show("after the flush", house->server);
    SHOW(freed);
}

int main(int count, char **arguments)
{
    int version = count > 1 && strcmp(arguments[1], "1.3") == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
    struct house house = open_house(version);
    fill_house(&house);
    add_marked(house.server, 1000);
    keeper_is(OURS, house.server);
    show("before the fork", house.server);
    in_child("child that uses and frees", use_and_leave, &house);
    in_child("child that only frees", only_leave, &house);
    in_child("child that flushes", flush, &house);
    show("parent", house.server);
    use_and_leave(&house);
    return 0;
}
