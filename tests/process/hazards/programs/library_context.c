/*
 * All is done in a library context of the program's, and the default one has no provider: sessions that leave the cache
 * can't be resumed any more, and no error of anybody else's stands in the queue.
 */
#include "hazard.h"
#include <openssl/provider.h>

static SSL_CTX *context_in(OSSL_LIB_CTX *library, const char *properties)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(library, properties, TLS_method());
    printf("context: %s\n", ctx != NULL ? "made" : "refused");
    return ctx;
}

static void evict_and_flush(SSL_CTX *ctx)
{
    SSL_SESSION *first = numbered_session(1), *second = numbered_session(2);
    SSL_SESSION_set_timeout(first, 10);
    SSL_CTX_sess_set_cache_size(ctx, 2);
    SHOW(SSL_CTX_add_session(ctx, first));
    SHOW(SSL_CTX_add_session(ctx, second));
    printf("after the limit: %d %d\n", SSL_SESSION_is_resumable(first),
           SSL_SESSION_is_resumable(second));
    SSL_CTX_flush_sessions(ctx, 0);
    printf("after the flush: %d\n", SSL_SESSION_is_resumable(second));
    printf("error: %s\n",
           ERR_peek_error() == 0 ? "none" : ERR_reason_error_string(ERR_peek_error()));
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
}

int main(int count UNUSED, char **arguments)
{
    OSSL_PROVIDER *null = OSSL_PROVIDER_load(NULL, "null");
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(library, "default");
    SSL_CTX *ctx = context_in(library, arguments[1]);
    evict_and_flush(ctx);
    SSL_CTX_free(ctx);
    ctx = context_in(library, arguments[1]);
    evict_and_flush(ctx);
    SSL_CTX_free(ctx);
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(library);
    OSSL_PROVIDER_unload(null);
    return 0;
}
