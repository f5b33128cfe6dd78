/* A program with one libssl that loads another beside it, before its own has been of use. */
#include "legacy.h"

int main(int count, char **arguments)
{
    void *other = count < 2 ? NULL : dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (other == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    const SSL_METHOD *(*method)(void);
    SSL_CTX *(*new_context)(const SSL_METHOD *);
    void (*free_context)(SSL_CTX *);
    int (*add)(SSL_CTX *, SSL_SESSION *);
    SSL_SESSION *(*new_session)(void);
    void (*free_session)(SSL_SESSION *);
    *(void **)&method = dlsym(other, "TLS_method");
    *(void **)&new_context = dlsym(other, "SSL_CTX_new");
    *(void **)&free_context = dlsym(other, "SSL_CTX_free");
    *(void **)&add = dlsym(other, "SSL_CTX_add_session");
    *(void **)&new_session = dlsym(other, "SSL_SESSION_new");
    *(void **)&free_session = dlsym(other, "SSL_SESSION_free");
    SSL_CTX *ctx = new_context(method());
    SSL_SESSION *session = new_session();
    printf("the other adds: %d\n", add(ctx, session));
    free_session(session);

    struct house house = open_house(TLS1_2_VERSION);
    fill_house(&house);
    revisit("again", house.client, house.server, house.kept[0]);
    SHOW(churn(house.server, 100, 3));
    SHOW(SSL_CTX_sess_number(house.server));
    show_counters("server", house.server);
    keeper_is(LIBSSLS, house.server);
    close_house(&house);
    free_context(ctx);
    return 0;
}
