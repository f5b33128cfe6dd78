/* Expiry and SSL_CTX_flush_sessions: who goes at which time, in which order. */
#include "session.h"

#define MANY 6

static void fill(SSL_CTX *ctx, const long timeouts[MANY])
{
    for (int i = 0; i < MANY; i++) {
        char name[12];
        snprintf(name, sizeof(name), "s%d", i);
        SSL_SESSION *session = simple_session(name, 1000, timeouts[i]);
        SSL_CTX_add_session(ctx, session);
        SSL_SESSION_free(session);
    }
}

static void flush_at(const char *title, const long timeouts[MANY], const long times[], int count)
{
    printf("-- %s\n", title);
    SSL_CTX *ctx = noting_context();
    fill(ctx, timeouts);
    for (int i = 0; i < count; i++) {
        printf("at %ld ", times[i]);
        DO(ctx, SSL_CTX_flush_sessions(ctx, times[i]));
    }
    DO(NULL, SSL_CTX_free(ctx));
}

#define FLUSH_AT(title, timeouts, ...)                                                             \
    flush_at(title, timeouts, (const long[]){__VA_ARGS__},                                         \
             sizeof((const long[]){__VA_ARGS__}) / sizeof(long))

static void flushed_sessions_are_marked(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *early = simple_session("early", 1000, 1), *late = simple_session("late", 1000, 2);
    SSL_CTX_add_session(ctx, early);
    SSL_CTX_add_session(ctx, late);
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1002));
    SHOW(SSL_SESSION_is_resumable(early));
    SHOW(SSL_SESSION_is_resumable(late));
    STEP(ctx, SSL_CTX_add_session(ctx, early));
    SSL_SESSION_free(early);
    SSL_SESSION_free(late);
    DO(NULL, SSL_CTX_free(ctx));
}

static void nothing_happens_by_itself(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *expired = simple_session("expired", 1, 1), *other = simple_session("b", 1, 1);
    STEP(ctx, SSL_CTX_add_session(ctx, expired));
    STEP(ctx, SSL_CTX_add_session(ctx, other));
    STEP(ctx, SSL_CTX_remove_session(ctx, expired));
    SSL_SESSION_free(expired);
    SSL_SESSION_free(other);
    DO(NULL, SSL_CTX_free(ctx));
}

int main(void)
{
    const long equal[MANY] = {9, 9, 9, 9, 9, 9}, growing[MANY] = {1, 2, 3, 4, 5, 6},
               falling[MANY] = {6, 5, 4, 3, 2, 1}, mixed[MANY] = {5, 1, 5, 0, 1, 300};
    FLUSH_AT("equal", equal, 1, 1008, 1009, 1010);
    FLUSH_AT("growing", growing, 1001, 1002, 1005, 1006, 1007);
    FLUSH_AT("falling", falling, 1001, 1002, 1005, 1006, 1007);
    FLUSH_AT("mixed", mixed, 1000, 1001, 1002, 1005, 1006, 1300, 1301);
    FLUSH_AT("all", mixed, 0, 0);
    FLUSH_AT("negative", mixed, -1, -1000000);
    FLUSH_AT("far in the future", mixed, 1L << 33);
    flushed_sessions_are_marked();
    nothing_happens_by_itself();
    return 0;
}
