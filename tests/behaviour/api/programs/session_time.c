/* SSL_SESSION_set_time and set_timeout on sessions that are cached, and UPDATE_TIME. */
#include "session.h"
#include <time.h>

#define MANY 5

static SSL_SESSION *sessions[MANY];

static SSL_CTX *filled_context(void)
{
    SSL_CTX *ctx = noting_context();
    for (int i = 0; i < MANY; i++) {
        char name[12];
        snprintf(name, sizeof(name), "s%d", i);
        sessions[i] = simple_session(name, 1000, 10 + i);
        SSL_CTX_add_session(ctx, sessions[i]);
    }
    return ctx;
}

static void let_go(SSL_CTX *ctx)
{
    for (int i = 0; i < MANY; i++)
        SSL_SESSION_free(sessions[i]);
    DO(NULL, SSL_CTX_free(ctx));
}

/* Adds sessions that outlive all others, so that these are evicted one after the other. */
static void show_eviction(SSL_CTX *ctx)
{
    SSL_CTX_sess_set_cache_size(ctx, MANY);
    for (int i = 0; i < MANY; i++) {
        char name[12];
        snprintf(name, sizeof(name), "new%d", i);
        SSL_SESSION *session = simple_session(name, 900000, 10);
        STEP(ctx, SSL_CTX_add_session(ctx, session));
        SSL_SESSION_free(session);
    }
}

static void times_decide_who_is_evicted(void)
{
    SSL_CTX *ctx = filled_context();
    STEP(ctx, SSL_SESSION_set_time(sessions[0], 5000));
    STEP(ctx, SSL_SESSION_set_time(sessions[4], 10));
    STEP(ctx, SSL_SESSION_set_timeout(sessions[2], 0));
    STEP(ctx, SSL_SESSION_set_timeout(sessions[1], 13));
    show_eviction(ctx);
    let_go(ctx);
}

static void times_decide_who_is_flushed(void)
{
    SSL_CTX *ctx = filled_context();
    STEP(ctx, SSL_SESSION_set_time(sessions[0], 2000));
    STEP(ctx, SSL_SESSION_set_timeout(sessions[1], 3000));
    STEP(ctx, SSL_SESSION_set_timeout(sessions[2], 1L << 32));
    STEP(ctx, SSL_SESSION_set_time(sessions[3], 0));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 14));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1000));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 2010));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 2011));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 4000));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 4001));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1L << 32));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1L << 33));
    let_go(ctx);
}

static void what_is_refused_moves_nothing(void)
{
    SSL_CTX *ctx = filled_context();
    STEP(ctx, SSL_SESSION_set_timeout(sessions[3], -1));
    STEP(ctx, SSL_SESSION_get_timeout(sessions[3]));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1010));
    let_go(ctx);
}

static void the_same_time_again_moves_behind_equals(void)
{
    SSL_CTX *ctx = filled_context();
    for (int i = 0; i < MANY; i++)
        SSL_SESSION_set_timeout(sessions[i], 50);
    STEP(ctx, SSL_SESSION_set_timeout(sessions[1], 50));
    STEP(ctx, SSL_SESSION_set_time(sessions[0], 1000));
    show_eviction(ctx);
    let_go(ctx);
}

static void what_left_the_cache_is_its_own(void)
{
    SSL_CTX *ctx = filled_context();
    STEP(ctx, SSL_CTX_remove_session(ctx, sessions[0]));
    STEP(ctx, SSL_SESSION_set_time(sessions[0], 1));
    STEP(ctx, SSL_SESSION_set_timeout(sessions[0], 1));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1011));
    STEP(ctx, SSL_CTX_add_session(ctx, sessions[0]));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1011));
    DO(NULL, SSL_CTX_free(ctx));
    STEP(NULL, SSL_SESSION_set_time(sessions[1], 7));
    STEP(NULL, SSL_SESSION_get_time(sessions[1]));
    let_go(NULL);
}

static void update_time(void)
{
#ifdef SSL_SESS_CACHE_UPDATE_TIME
    SSL_CTX *ctx = filled_context();
    long start = (long)time(NULL);
    STEP(ctx,
         SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME));
    STEP(ctx, SSL_CTX_add_session(ctx, sessions[0]));
    STEP(ctx, SSL_SESSION_get_time(sessions[0]) >= start);
    STEP(ctx, SSL_SESSION_get_timeout(sessions[0]));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 5000));
    STEP(ctx, SSL_CTX_remove_session(ctx, sessions[0]));
    STEP(ctx, SSL_CTX_add_session(ctx, sessions[2]));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 5000));
    DO(ctx, SSL_CTX_flush_sessions(ctx, start + 5000));
    let_go(ctx);
#endif
}

int main(void)
{
    times_decide_who_is_evicted();
    times_decide_who_is_flushed();
    what_is_refused_moves_nothing();
    the_same_time_again_moves_behind_equals();
    what_left_the_cache_is_its_own();
    update_time();
    return 0;
}
