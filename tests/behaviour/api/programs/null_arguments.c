/* NULL and other bad input, as far as libssl survives it. */
#include "session.h"

int main(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *nameless = make_session("no id", TLS1_2_VERSION, "", 0, 1000, 9);

    STEP(ctx, SSL_CTX_remove_session(ctx, NULL));
    STEP(ctx, SSL_CTX_remove_session(NULL, NULL));
    STEP(ctx, SSL_CTX_remove_session(NULL, nameless));

    STEP(ctx, SSL_CTX_set_session_cache_mode(NULL, SSL_SESS_CACHE_BOTH));
    STEP(ctx, SSL_CTX_get_session_cache_mode(NULL));
    STEP(ctx, SSL_CTX_sess_set_cache_size(NULL, 10));
    STEP(ctx, SSL_CTX_sess_get_cache_size(NULL));
    STEP(ctx, SSL_CTX_sess_number(NULL));
    STEP(ctx, SSL_CTX_sess_accept(NULL));
    STEP(ctx, SSL_CTX_sess_accept_good(NULL));
    STEP(ctx, SSL_CTX_sess_accept_renegotiate(NULL));
    STEP(ctx, SSL_CTX_sess_connect(NULL));
    STEP(ctx, SSL_CTX_sess_connect_good(NULL));
    STEP(ctx, SSL_CTX_sess_connect_renegotiate(NULL));
    STEP(ctx, SSL_CTX_sess_hits(NULL));
    STEP(ctx, SSL_CTX_sess_cb_hits(NULL));
    STEP(ctx, SSL_CTX_sess_misses(NULL));
    STEP(ctx, SSL_CTX_sess_timeouts(NULL));
    STEP(ctx, SSL_CTX_sess_cache_full(NULL));
    STEP(ctx, SSL_CTX_set_timeout(NULL, 10));
    STEP(ctx, SSL_CTX_get_timeout(NULL));
    STEP(ctx, SSL_CTX_ctrl(NULL, 9999, 0, NULL));
    STEP(ctx, SSL_CTX_ctrl(ctx, 9999, 0, NULL));
    STEP(ctx, SSL_CTX_ctrl(ctx, -1, 0, NULL));

    STEP(ctx, SSL_SESSION_set_time(NULL, 10));
    STEP(ctx, SSL_SESSION_get_time(NULL));
    STEP(ctx, SSL_SESSION_set_timeout(NULL, 10));
    STEP(ctx, SSL_SESSION_get_timeout(NULL));

    DO(ctx, SSL_SESSION_free(NULL));
    DO(ctx, SSL_CTX_free(NULL));
    DO(ctx, SSL_free(NULL));
    STEP(ctx, SSL_CTX_new(NULL) == NULL);
    ERR_clear_error();
    STEP(ctx, SSL_new(NULL) == NULL);
    ERR_clear_error();

    DO(ctx, SSL_CTX_sess_set_new_cb(ctx, NULL));
    DO(ctx, SSL_CTX_sess_set_get_cb(ctx, NULL));
    DO(ctx, SSL_CTX_sess_set_remove_cb(ctx, NULL));

    DO(ctx, SSL_SESSION_free(nameless));
    DO(NULL, SSL_CTX_free(ctx));
    return 0;
}
