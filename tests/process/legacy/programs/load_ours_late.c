/*
 * Our library (or, for comparison, one that does nothing) is loaded by dlopen in the middle of a
 * program that has contexts and sessions: what the program has bound already stays bound, and all
 * goes on. Then the program calls functions of ours by name, on a context that has sessions: they
 * find these.
 */
#include "legacy.h"

static void use(struct house *house, const char *title)
{
    printf("%s\n", title);
    revisit("again", house->client, house->server, house->kept[0]);
    SHOW(SSL_CTX_sess_number(house->server));
    SHOW(churn(house->server, 100, 5));
    SSL_SESSION_free(visit("a new one", house->client, house->server, NULL));
    show("so far", house->server);
}

int main(int count, char **arguments)
{
    if (count < 2)
        return 1;
    struct house house = open_house(TLS1_2_VERSION);
    fill_house(&house);
    add_numbered(house.server, 0, 10);
    use(&house, "before");
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    use(&house, "after");

    int (*add)(SSL_CTX *, SSL_SESSION *), (*remove)(SSL_CTX *, SSL_SESSION *);
    long (*control)(SSL_CTX *, int, long, void *);
    *(void **)&add = dlsym(library, "SSL_CTX_add_session");
    *(void **)&remove = dlsym(library, "SSL_CTX_remove_session");
    *(void **)&control = dlsym(library, "SSL_CTX_ctrl");
    if (add == NULL || remove == NULL || control == NULL) {
        add = SSL_CTX_add_session;
        remove = SSL_CTX_remove_session;
        control = SSL_CTX_ctrl;
    }
    SSL_SESSION *extra = simple_session("extra", (long)time(NULL), 300);
    printf("number by name: %ld\n", control(house.server, SSL_CTRL_SESS_NUMBER, 0, NULL));
    printf("added by name: %d\n", add(house.server, extra));
    printf("added again: %d\n", add(house.server, house.kept[0]) + add(house.server, extra));
    printf("removed by name: %d\n", remove(house.server, house.kept[2]));
    printf("removed again: %d\n", remove(house.server, house.kept[2]));
    printf("removed extra: %d\n", remove(house.server, extra));
    revisit("again with the removed", house.client, house.server, house.kept[2]);
    revisit("again with another", house.client, house.server, house.kept[3]);
    printf("number by name: %ld\n", control(house.server, SSL_CTRL_SESS_NUMBER, 0, NULL));
    SSL_SESSION_free(extra);
    close_house(&house);
    /* The last references go in another order where a session is in two caches. */
    qsort(frees.names, (size_t)frees.count, sizeof(frees.names[0]), compare_names);
    show("at the end", NULL);
    return 0;
}
