/* Mode, size and timeout of the cache: what is set can be read, and the old value comes back. */
#include "session.h"

static void mode(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    const long modes[] = {SSL_SESS_CACHE_OFF,
                          SSL_SESS_CACHE_CLIENT,
                          SSL_SESS_CACHE_SERVER,
                          SSL_SESS_CACHE_BOTH,
                          SSL_SESS_CACHE_NO_AUTO_CLEAR,
                          SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
                          SSL_SESS_CACHE_NO_INTERNAL_STORE,
                          SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
                          0x0400,
                          0x7fffffff,
                          0xffffffff,
                          -1,
                          0x100000002,
                          SSL_SESS_CACHE_SERVER};
    SHOW(SSL_CTX_get_session_cache_mode(ctx));
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        printf("%lx ", modes[i]);
        SHOW(SSL_CTX_set_session_cache_mode(ctx, modes[i]));
        SHOW(SSL_CTX_get_session_cache_mode(ctx));
    }
    SSL_CTX_free(ctx);
}

static void size(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    const long sizes[] = {0, 1, 2, 1000000, -1, 5000000000, 7, SSL_SESSION_CACHE_MAX_SIZE_DEFAULT};
    SHOW(SSL_CTX_sess_get_cache_size(ctx));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        printf("%ld ", sizes[i]);
        SHOW(SSL_CTX_sess_set_cache_size(ctx, sizes[i]));
        SHOW(SSL_CTX_sess_get_cache_size(ctx));
    }
    SSL_CTX_free(ctx);
}

static void timeout(const char *name, const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    const long timeouts[] = {0, 1, 300, -1, 1L << 40, 7200};
    printf("%s ", name);
    SHOW(SSL_CTX_get_timeout(ctx));
    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        SHOW(SSL_CTX_set_timeout(ctx, timeouts[i]));
        SHOW(SSL_CTX_get_timeout(ctx));
    }
    SSL_CTX_free(ctx);
}

static void the_timeout_of_a_context_is_not_that_of_its_sessions(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 10);
    SSL_CTX_add_session(ctx, session);
    SHOW(SSL_CTX_set_timeout(ctx, 99999));
    SHOW(SSL_SESSION_get_timeout(session));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1011));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    SSL_SESSION *bare = SSL_SESSION_new();
    SHOW(SSL_SESSION_get_timeout(bare));
    SHOW(SSL_SESSION_is_resumable(bare));
    SSL_SESSION_free(bare);
}

/* The same through the function behind the macros, and for contexts of every kind. */
static void contexts_of_every_kind(void)
{
    const SSL_METHOD *methods[] = {TLS_method(),  TLS_server_method(),  TLS_client_method(),
                                   DTLS_method(), DTLS_server_method(), DTLS_client_method()};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        SSL_CTX *ctx = SSL_CTX_new(methods[i]);
        SHOW(SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0, NULL));
        SHOW(SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_SIZE, 0, NULL));
        SHOW(SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL));
        SHOW(SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_SIZE, 5, NULL));
        SHOW(SSL_CTX_get_session_cache_mode(ctx));
        SHOW(SSL_CTX_sess_get_cache_size(ctx));
        show_counters("counters", ctx);
        SSL_CTX_free(ctx);
    }
}

/* The commands of SSL_CTX_ctrl that are not the cache's pass through. */
static void other_commands(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SHOW(SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE));
    SHOW(SSL_CTX_get_mode(ctx));
    SHOW(SSL_CTX_get_read_ahead(ctx));
    SHOW(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION));
    SHOW(SSL_CTX_get_max_proto_version(ctx));
    SHOW(SSL_CTX_set_max_send_fragment(ctx, 1));
    SHOW(SSL_CTX_set_max_send_fragment(ctx, 1024));
    SSL_CTX_free(ctx);
}

int main(void)
{
    mode();
    size();
    timeout("TLS", TLS_method());
    timeout("DTLS", DTLS_method());
    the_timeout_of_a_context_is_not_that_of_its_sessions();
    contexts_of_every_kind();
    other_commands();
    return 0;
}
