/* What a program reads of the settings that it makes: the same whatever the user has asked for. */
#include "handshake.h"

static void show_options(const char *when, SSL_CTX *ctx, SSL *ssl)
{
    printf("%s: context %d connection %d\n", when,
           (SSL_CTX_get_options(ctx) & SSL_OP_NO_TICKET) != 0,
           (SSL_get_options(ssl) & SSL_OP_NO_TICKET) != 0);
}

static int has(uint64_t options, uint64_t option)
{
    return (options & option) != 0;
}

static void set_options(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);
    show_options("at first", ctx, ssl);
    SHOW(has(SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION), SSL_OP_NO_TICKET));
    SHOW(has(SSL_set_options(ssl, SSL_OP_NO_COMPRESSION), SSL_OP_NO_TICKET));
    SHOW(has(SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET), SSL_OP_NO_TICKET));
    show_options("the context has it", ctx, ssl);
    SHOW(has(SSL_set_options(ssl, SSL_OP_NO_TICKET), SSL_OP_NO_TICKET));
    show_options("both have it", ctx, ssl);
    SSL *copy = SSL_dup(ssl), *heir = SSL_new(ctx);
    show_options("a copy", ctx, copy);
    show_options("an heir", ctx, heir);
    SHOW(has(SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET), SSL_OP_NO_TICKET));
    show_options("the context has it no more", ctx, ssl);
    SHOW(has(SSL_clear_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION), SSL_OP_NO_TICKET));
    show_options("none has it", ctx, ssl);
    SHOW(has(SSL_get_options(ssl), SSL_OP_NO_COMPRESSION));
    SHOW(has(SSL_CTX_get_options(ctx), SSL_OP_NO_COMPRESSION));
    SSL_free(heir);
    SSL_free(copy);
    SSL_free(ssl);
}

int main(void)
{
    SSL_CTX *ctx = server_context(TLS1_2_VERSION);
    SHOW(SSL_CTX_get_timeout(ctx));
    SHOW(SSL_CTX_set_timeout(ctx, 17));
    SHOW(SSL_CTX_set_timeout(ctx, 18));
    SHOW(SSL_CTX_get_timeout(ctx));
    SHOW(SSL_CTX_sess_get_cache_size(ctx));
    SHOW(SSL_CTX_sess_set_cache_size(ctx, 5));
    SHOW(SSL_CTX_sess_get_cache_size(ctx));
    SHOW(SSL_CTX_get_session_cache_mode(ctx));
    SHOW(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL));
    SHOW(SSL_CTX_get_session_cache_mode(ctx));
    set_options(ctx);
    SSL_SESSION *session = simple_session("a", 1000, 100);
    SHOW(SSL_SESSION_set_timeout(session, 30));
    SHOW(SSL_CTX_add_session(ctx, session));
    SHOW(SSL_CTX_remove_session(ctx, session));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
