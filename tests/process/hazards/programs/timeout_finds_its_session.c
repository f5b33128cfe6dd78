/* SSL_SESSION_set_timeout moves a session wherever it is cached, in one of many contexts or in several. */
#include "hazard.h"

enum { CONTEXTS = 40 };

static SSL_CTX *contexts[CONTEXTS];

/* Which of two sessions is the first to leave a context with room for one more. */
static const char *first_to_leave(SSL_CTX *ctx, SSL_SESSION *one, SSL_SESSION *other)
{
    SSL_CTX_sess_set_cache_size(ctx, 3);
    add_numbered(ctx, 9000, 9001);
    SSL_CTX_sess_set_cache_size(ctx, 0);
    int has_one = !SSL_CTX_add_session(ctx, one), has_other = !SSL_CTX_add_session(ctx, other);
    return has_one ? has_other ? "none" : "the other" : has_other ? "the one" : "both";
}

int main(void)
{
    static const int chosen[] = {0, 3, 8, 9, 20, CONTEXTS - 1};
    for (int i = 0; i < CONTEXTS; i++) {
        contexts[i] = unlimited_context();
        add_numbered(contexts[i], 5000, 5001);
        SSL_CTX_flush_sessions(contexts[i], 0);
    }
    for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++) {
        SSL_CTX *ctx = contexts[chosen[i]];
        SSL_SESSION *one = numbered_session(1), *other = numbered_session(2);
        SSL_CTX_add_session(ctx, one);
        SSL_CTX_add_session(ctx, other);
        SSL_SESSION_set_timeout(other, 1000);
        printf("context %d: %s\n", chosen[i], first_to_leave(ctx, one, other));
        SSL_CTX_flush_sessions(ctx, 0);
        SSL_SESSION_free(one);
        SSL_SESSION_free(other);
    }
    for (int i = 0; i < CONTEXTS; i++)
        SSL_CTX_free(contexts[i]);
    return 0;
}
