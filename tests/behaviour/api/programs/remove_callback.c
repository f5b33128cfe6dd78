/* What a remove callback sees, and what it may call. */
#include "session.h"

/* Every callback finds the session out of the cache, and can read the counters without a lock. */
static void observe(SSL_CTX *ctx, SSL_SESSION *session)
{
    printf("  remove_cb %s: resumable %d held %ld full %ld size %ld mode %ld\n", name_of(session),
           SSL_SESSION_is_resumable(session), SSL_CTX_sess_number(ctx),
           SSL_CTX_sess_cache_full(ctx), SSL_CTX_sess_get_cache_size(ctx),
           SSL_CTX_get_session_cache_mode(ctx));
}

static SSL_SESSION *numbered(int number)
{
    char name[12];
    snprintf(name, sizeof(name), "s%d", number);
    return simple_session(name, 1000, 10 + number);
}

static void each_cause(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_CTX_sess_set_remove_cb(ctx, observe);
    SSL_CTX_sess_set_cache_size(ctx, 4);
    SSL_SESSION *sessions[8];
    for (int i = 0; i < 8; i++) {
        sessions[i] = numbered(i);
        STEP(ctx, SSL_CTX_add_session(ctx, sessions[i]));
    }
    STEP(ctx, SSL_CTX_remove_session(ctx, sessions[6]));
    STEP(ctx, SSL_CTX_remove_session(ctx, sessions[6]));
    SSL_CTX_sess_set_cache_size(ctx, 0);
    for (int i = 0; i < 7; i++)
        SSL_CTX_add_session(ctx, sessions[i]);
    DO(ctx, SSL_CTX_flush_sessions(ctx, 1013));
    SSL_CTX_sess_set_cache_size(ctx, 3);
    STEP(ctx, SSL_CTX_add_session(ctx, sessions[0]));
    SSL_CTX_sess_set_cache_size(ctx, 0);
    for (int i = 1; i < 4; i++)
        SSL_CTX_add_session(ctx, sessions[i]);
    for (int i = 0; i < 8; i++)
        SSL_SESSION_free(sessions[i]);
    DO(NULL, SSL_CTX_free(ctx));
}

static int depth;

/* A callback of SSL_CTX_remove_session holds no lock: it may do anything, and be called again. */
static void call_back(SSL_CTX *ctx, SSL_SESSION *session)
{
    printf("  %*sremove_cb %s held %ld\n", 2 * depth, "", name_of(session),
           SSL_CTX_sess_number(ctx));
    if (depth == 2)
        return;
    depth++;
    SSL_SESSION *other = numbered(10 + depth);
    SSL_SESSION *again = numbered(20 + depth);
    SHOW(SSL_CTX_remove_session(ctx, session));
    SHOW(SSL_CTX_add_session(ctx, other));
    SHOW(SSL_CTX_add_session(ctx, again));
    SHOW(SSL_SESSION_set_time(other, 5));
    SHOW(SSL_CTX_remove_session(ctx, again));
    SSL_CTX_sess_set_remove_cb(ctx, observe);
    SSL_CTX_flush_sessions(ctx, 100);
    SSL_CTX_sess_set_remove_cb(ctx, call_back);
    SHOW(SSL_CTX_sess_number(ctx));
    SSL_SESSION_free(other);
    SSL_SESSION_free(again);
    depth--;
}

static void back_into_the_api(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *first = numbered(1), *second = numbered(2);
    SSL_CTX_sess_set_remove_cb(ctx, call_back);
    STEP(ctx, SSL_CTX_add_session(ctx, first));
    STEP(ctx, SSL_CTX_add_session(ctx, second));
    STEP(ctx, SSL_CTX_remove_session(ctx, first));
    SSL_CTX_sess_set_remove_cb(ctx, note_removal);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    DO(NULL, SSL_CTX_free(ctx));
}

static void put_back(SSL_CTX *ctx, SSL_SESSION *session)
{
    note(&removals, name_of(session));
    SHOW(SSL_CTX_add_session(ctx, session));
}

static void the_callback_puts_it_back(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = numbered(1);
    SSL_CTX_sess_set_remove_cb(ctx, put_back);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    DO(ctx, SSL_SESSION_free(session));
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    SSL_CTX_sess_set_remove_cb(ctx, note_removal);
    DO(NULL, SSL_CTX_free(ctx));
}

static SSL_CTX *elsewhere;

static void move_elsewhere(SSL_CTX *ctx UNUSED, SSL_SESSION *session)
{
    note(&removals, name_of(session));
    SHOW(SSL_CTX_add_session(elsewhere, session));
}

static void the_callback_moves_it_to_another_context(void)
{
    SSL_CTX *ctx = noting_context();
    elsewhere = noting_context();
    SSL_CTX_sess_set_remove_cb(ctx, move_elsewhere);
    SSL_CTX_sess_set_cache_size(ctx, 2);
    for (int i = 0; i < 4; i++) {
        SSL_SESSION *session = numbered(i);
        STEP(ctx, SSL_CTX_add_session(ctx, session));
        SSL_SESSION_free(session);
    }
    DO(ctx, SSL_CTX_flush_sessions(ctx, 0));
    show("elsewhere", elsewhere);
    DO(NULL, SSL_CTX_free(ctx));
    DO(NULL, SSL_CTX_free(elsewhere));
}

int main(void)
{
    each_cause();
    back_into_the_api();
    the_callback_puts_it_back();
    the_callback_moves_it_to_another_context();
    return 0;
}
