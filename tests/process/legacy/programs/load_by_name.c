/*
 * A program that opens libssl itself and looks its functions up there: what it gets is libssl's,
 * whoever is preloaded. Nothing of ours takes part, and nothing is disturbed.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *library;

static void *look_up(const char *name)
{
    void *function = dlsym(library, name);
    if (function == NULL)
        abort();
    return function;
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        library = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            printf("%s\n", dlerror());
            return 1;
        }
        const SSL_METHOD *(*method)(void);
        SSL_CTX *(*new_context)(const SSL_METHOD *);
        void (*free_context)(SSL_CTX *);
        int (*add)(SSL_CTX *, SSL_SESSION *);
        int (*remove)(SSL_CTX *, SSL_SESSION *);
        long (*control)(SSL_CTX *, int, long, void *);
        SSL_SESSION *(*new_session)(void);
        int (*set_id)(SSL_SESSION *, const unsigned char *, unsigned);
        void (*free_session)(SSL_SESSION *);
        *(void **)&method = look_up("TLS_method");
        *(void **)&new_context = look_up("SSL_CTX_new");
        *(void **)&free_context = look_up("SSL_CTX_free");
        *(void **)&add = look_up("SSL_CTX_add_session");
        *(void **)&remove = look_up("SSL_CTX_remove_session");
        *(void **)&control = look_up("SSL_CTX_ctrl");
        *(void **)&new_session = look_up("SSL_SESSION_new");
        *(void **)&set_id = look_up("SSL_SESSION_set1_id");
        *(void **)&free_session = look_up("SSL_SESSION_free");

        SSL_CTX *ctx = new_context(method());
        SSL_SESSION *session = new_session();
        set_id(session, (const unsigned char *)"one", 3);
        printf("added %d\n", add(ctx, session));
        printf("number %ld\n", control(ctx, SSL_CTRL_SESS_NUMBER, 0, NULL));
        printf("mode %ld\n", control(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0, NULL));
        printf("removed %d\n", remove(ctx, session));
        printf("removed again %d\n", remove(ctx, session));
        printf("number %ld\n", control(ctx, SSL_CTRL_SESS_NUMBER, 0, NULL));
        free_session(session);
        free_context(ctx);
    }
    return 0;
}
