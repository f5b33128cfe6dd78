/* The size limit: how many stay, who goes, and what is counted. */
#include "session.h"

#define MANY 8

static SSL_SESSION *numbered(int number, long timeout)
{
    char name[12];
    snprintf(name, sizeof(name), "s%d", number);
    return simple_session(name, 1000, timeout);
}

/* timeouts[i] is that of session i; all have the same time. */
static void fill(const char *title, long limit, const int timeouts[MANY])
{
    printf("-- limit %ld, %s\n", limit, title);
    SSL_CTX *ctx = noting_context();
    SHOW(SSL_CTX_sess_set_cache_size(ctx, limit));
    for (int i = 0; i < MANY; i++) {
        SSL_SESSION *session = numbered(i, timeouts[i]);
        STEP(ctx, SSL_CTX_add_session(ctx, session));
        printf("  resumable %d\n", SSL_SESSION_is_resumable(session));
        SSL_SESSION_free(session);
    }
    DO(NULL, SSL_CTX_free(ctx));
}

static void every_order(long limit)
{
    fill("equal timeouts", limit, (const int[]){9, 9, 9, 9, 9, 9, 9, 9});
    fill("growing timeouts", limit, (const int[]){1, 2, 3, 4, 5, 6, 7, 8});
    fill("falling timeouts", limit, (const int[]){8, 7, 6, 5, 4, 3, 2, 1});
    fill("mixed timeouts", limit, (const int[]){5, 1, 7, 5, 2, 7, 1, 5});
}

static void lowering_the_limit_evicts_at_the_next_add(void)
{
    printf("-- lowered\n");
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *sessions[MANY];
    for (int i = 0; i < MANY; i++) {
        sessions[i] = numbered(i, 10 + i % 3);
        SSL_CTX_add_session(ctx, sessions[i]);
    }
    STEP(ctx, SSL_CTX_sess_set_cache_size(ctx, 3));
    STEP(ctx, SSL_CTX_add_session(ctx, sessions[0]));
    SSL_SESSION *one_more = simple_session("more", 1000, 1);
    STEP(ctx, SSL_CTX_add_session(ctx, one_more));
    STEP(ctx, SSL_CTX_sess_set_cache_size(ctx, 0));
    for (int i = 0; i < MANY; i++)
        STEP(ctx, SSL_CTX_add_session(ctx, sessions[i]));
    for (int i = 0; i < MANY; i++)
        SSL_SESSION_free(sessions[i]);
    SSL_SESSION_free(one_more);
    DO(NULL, SSL_CTX_free(ctx));
}

static void replacing_at_the_limit(void)
{
    printf("-- replaced\n");
    SSL_CTX *ctx = noting_context();
    SSL_CTX_sess_set_cache_size(ctx, 3);
    SSL_SESSION *early = simple_session("early", 1000, 1);
    SSL_SESSION *late = make_session("late", TLS1_2_VERSION, "same", 4, 1000, 2);
    SSL_SESSION *twin = make_session("twin", TLS1_2_VERSION, "same", 4, 1000, 3);
    STEP(ctx, SSL_CTX_add_session(ctx, early));
    STEP(ctx, SSL_CTX_add_session(ctx, late));
    STEP(ctx, SSL_CTX_add_session(ctx, twin));
    STEP(ctx, SSL_CTX_add_session(ctx, early));
    STEP(ctx, SSL_CTX_add_session(ctx, late));
    SSL_SESSION_free(early);
    SSL_SESSION_free(late);
    SSL_SESSION_free(twin);
    DO(NULL, SSL_CTX_free(ctx));
}

static void adding_again_moves_behind_its_equals(void)
{
    printf("-- added again\n");
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *sessions[4];
    for (int i = 0; i < 4; i++) {
        sessions[i] = numbered(i, 9);
        SSL_CTX_add_session(ctx, sessions[i]);
    }
    STEP(ctx, SSL_CTX_add_session(ctx, sessions[0]));
    STEP(ctx, SSL_CTX_add_session(ctx, sessions[2]));
    SSL_CTX_sess_set_cache_size(ctx, 3);
    SSL_SESSION *one_more = simple_session("more", 1000, 9);
    STEP(ctx, SSL_CTX_add_session(ctx, one_more));
    for (int i = 0; i < 4; i++)
        SSL_SESSION_free(sessions[i]);
    SSL_SESSION_free(one_more);
    DO(NULL, SSL_CTX_free(ctx));
}

int main(void)
{
    const long limits[] = {0, 1, 2, 3, 5, 8, 9, -1};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        every_order(limits[i]);
    lowering_the_limit_evicts_at_the_next_add();
    replacing_at_the_limit();
    adding_again_moves_behind_its_equals();
    return 0;
}
