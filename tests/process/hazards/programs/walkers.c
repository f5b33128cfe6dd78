/* Threads that walk over SSL_CTX_sessions, and walks within walks. Nobody changes the cache meanwhile. */
#include "hazard.h"

enum { SESSIONS = 5000, THREADS = 4, WALKS = 300 };

static SSL_CTX *ctx;
static int wrong;

static void count(void *session, void *number)
{
    unsigned int length;
    SSL_SESSION_get_id(session, &length);
    ++*(long *)number;
}

static long walk(void)
{
    long number = 0;
    OPENSSL_LH_doall_arg((OPENSSL_LHASH *)SSL_CTX_sessions(ctx), count, &number);
    return number;
}

static void walk_within(void *session UNUSED, void *number)
{
    if (++*(long *)number % 1000 == 0 && walk() != SESSIONS)
        __sync_fetch_and_add(&wrong, 1);
}

static void *walk_often(void *unused UNUSED)
{
    for (int i = 0; i < WALKS; i++)
        if (walk() != SESSIONS)
            __sync_fetch_and_add(&wrong, 1);
    return NULL;
}

int main(void)
{
    ctx = unlimited_context();
    add_numbered(ctx, 0, SESSIONS);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, walk_often, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    long number = 0;
    OPENSSL_LH_doall_arg((OPENSSL_LHASH *)SSL_CTX_sessions(ctx), walk_within, &number);
    printf("walks that saw another number: %d\n", wrong);

    const void *table = SSL_CTX_sessions(ctx);
    SSL_SESSION *one = numbered_session(1);
    SSL_CTX_remove_session(ctx, one);
    add_numbered(ctx, SESSIONS, SESSIONS + 10);
    printf("the same table: %d; it has %ld of %ld\n", table == (const void *)SSL_CTX_sessions(ctx),
           walk(), SSL_CTX_sess_number(ctx));
    SSL_SESSION_free(one);
    SSL_CTX_flush_sessions(ctx, 0);
    printf("after a flush: %ld\n", walk());
    SSL_CTX_free(ctx);
    return 0;
}
