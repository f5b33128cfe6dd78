/* Our library without a libssl: every function answers 0, and it is said once. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sslcache.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHOW(expression) printf("%s: %ld\n", #expression, (long)(expression))

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    (void)session;
    printf("remove_cb was called\n");
}

int main(void)
{
    /* Objects that no libssl made: whoever looks into them reads nonsense. */
    static long bytes[64];
    memset(bytes, 0x5a, sizeof(bytes));
    SSL_CTX *ctx = (SSL_CTX *)bytes;
    SSL_SESSION *session = (SSL_SESSION *)bytes;
    struct sslcache_stats stats;
    errno = 7;
    SHOW(SSL_CTX_new(NULL));
    SHOW(SSL_CTX_add_session(ctx, session));
    SHOW(SSL_CTX_add_session(ctx, session));
    SHOW(SSL_CTX_remove_session(ctx, session));
    SHOW(SSL_CTX_remove_session(NULL, NULL));
    SHOW(SSL_add_session(ctx, session));
    SHOW(SSL_remove_session(ctx, session));
    SHOW(SSL_CTX_sess_number(ctx));
    SHOW(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF));
    SHOW(SSL_has_matching_session_id((const SSL *)bytes, (const unsigned char *)"a", 1));
    SHOW(SSL_SESSION_set_time(session, 5));
    SHOW(SSL_SESSION_set_timeout(session, 5));
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    SHOW(SSL_CTX_sess_get_remove_cb(ctx));
    SHOW(SSL_CTX_sess_get_new_cb(ctx));
    SHOW(SSL_CTX_sess_get_get_cb(ctx));
    SSL_CTX_flush_sessions(ctx, 0);
    SHOW(sslcache_get_stats(ctx, &stats));
    SHOW(errno);
    return 0;
}
