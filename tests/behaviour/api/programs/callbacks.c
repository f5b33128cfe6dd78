/* The getters of the three callbacks give what was set, and nothing at first. */
#include "session.h"

static int on_new(SSL *ssl UNUSED, SSL_SESSION *session UNUSED)
{
    return 0;
}

static int on_new_too(SSL *ssl UNUSED, SSL_SESSION *session UNUSED)
{
    return 1;
}

static SSL_SESSION *on_get(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED,
                           int *copy UNUSED)
{
    return NULL;
}

static void show_callbacks(const char *when, SSL_CTX *ctx)
{
    printf("%s: new %s, get %s, remove %s\n", when,
           SSL_CTX_sess_get_new_cb(ctx) == NULL         ? "NULL"
           : SSL_CTX_sess_get_new_cb(ctx) == on_new     ? "on_new"
           : SSL_CTX_sess_get_new_cb(ctx) == on_new_too ? "on_new_too"
                                                        : "a stranger",
           SSL_CTX_sess_get_get_cb(ctx) == NULL     ? "NULL"
           : SSL_CTX_sess_get_get_cb(ctx) == on_get ? "on_get"
                                                    : "a stranger",
           SSL_CTX_sess_get_remove_cb(ctx) == NULL           ? "NULL"
           : SSL_CTX_sess_get_remove_cb(ctx) == note_removal ? "note_removal"
                                                             : "a stranger");
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method()), *other = SSL_CTX_new(TLS_method());
    SSL_SESSION *session = simple_session("a", 1000, 10);
    show_callbacks("at first", ctx);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    show_callbacks("new set", ctx);
    SSL_CTX_sess_set_get_cb(ctx, on_get);
    show_callbacks("get set", ctx);
    SSL_CTX_sess_set_remove_cb(ctx, note_removal);
    show_callbacks("remove set", ctx);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    STEP(ctx, SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF));
    show_callbacks("cache in use and off", ctx);
    SSL_CTX_sess_set_new_cb(ctx, on_new_too);
    show_callbacks("new set anew", ctx);
    SSL_CTX_sess_set_new_cb(ctx, NULL);
    SSL_CTX_sess_set_get_cb(ctx, NULL);
    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    show_callbacks("all unset", ctx);
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    show_callbacks("another context", other);
    SSL_SESSION_free(session);
    SSL_CTX_free(other);
    DO(NULL, SSL_CTX_free(ctx));
    return 0;
}
