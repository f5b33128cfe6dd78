/* A flush of everything ends, whatever other threads add meanwhile. */
#include "hazard.h"

enum { SESSIONS = 2000, THREADS_MAX = 64 };

static SSL_CTX *ctx;
static SSL_SESSION *sessions[THREADS_MAX][SESSIONS];

static void *add_again_and_again(void *number)
{
    for (unsigned i = 0;; i++)
        SSL_CTX_add_session(ctx, sessions[(intptr_t)number][i % SESSIONS]);
    return NULL;
}

int main(int count UNUSED, char **arguments)
{
    int threads = atoi(arguments[1]);
    ctx = unlimited_context();
    for (int i = 0; i < threads; i++)
        for (int k = 0; k < SESSIONS; k++)
            sessions[i][k] = numbered_session((unsigned)(i * SESSIONS + k));
    add_numbered(ctx, 1U << 30, (1U << 30) + 10);
    for (intptr_t i = 0; i < threads; i++)
        start_thread(add_again_and_again, (void *)i);
    rest_ms(100);
    for (int i = 0; i < 5; i++)
        SSL_CTX_flush_sessions(ctx, 0);
    puts("five flushes ended");
    fflush(stdout);
    _exit(0);
}
