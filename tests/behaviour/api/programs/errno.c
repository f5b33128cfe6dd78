/* errno and the error queue are after a call what they were before it. */
#include "session.h"
#include <errno.h>

#define KEEP(expression)                                                                           \
    do {                                                                                           \
        errno = 77;                                                                                \
        long answer = (long)(expression);                                                          \
        int after = errno;                                                                         \
        printf("%s: %ld, errno %d, error %d\n", #expression, answer, after,                        \
               ERR_GET_REASON(ERR_peek_last_error()));                                             \
    } while (0)

int main(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 10), *twin = simple_session("a", 1000, 10);
    KEEP(SSL_SESSION_set1_id(twin, (const unsigned char *)"too long", 33));
    KEEP(SSL_CTX_add_session(ctx, session));
    KEEP(SSL_CTX_add_session(ctx, session));
    KEEP(SSL_CTX_add_session(ctx, twin));
    KEEP(SSL_SESSION_set_time(twin, 2000));
    KEEP(SSL_SESSION_set_timeout(twin, 20));
    KEEP(SSL_CTX_sess_number(ctx));
    KEEP(SSL_CTX_sess_set_cache_size(ctx, 1));
    KEEP(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF));
    KEEP(SSL_CTX_add_session(ctx, session));
    KEEP(SSL_CTX_remove_session(ctx, twin));
    KEEP(SSL_CTX_remove_session(ctx, twin));
    KEEP((SSL_CTX_flush_sessions(ctx, 0), 0));
    KEEP((SSL_CTX_flush_sessions(ctx, 0), 0));
    SSL *ssl = SSL_new(ctx);
    KEEP(SSL_has_matching_session_id(ssl, (const unsigned char *)"a", 1));
    SSL_free(ssl);
    SSL_CTX_add_session(ctx, session);
    SSL_SESSION_free(session);
    SSL_SESSION_free(twin);
    KEEP((SSL_CTX_free(ctx), 0));
    ERR_clear_error();
    show("end", NULL);
    return 0;
}
