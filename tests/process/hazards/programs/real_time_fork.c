/* A thread of high real-time priority forks on a processor that it shares with one that works on the cache. */
#include "hazard.h"
#include <sched.h>

static SSL_CTX *ctx;

static void *work(void *unused UNUSED)
{
    for (unsigned i = 0;; i++) {
        add_numbered(ctx, i % 100, i % 100 + 1);
        if (i % 100 == 0)
            SSL_CTX_flush_sessions(ctx, 0);
    }
    return NULL;
}

int main(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof(one), &one);
    ctx = unlimited_context();
    SSL_CTX_sess_set_cache_size(ctx, 50);
    add_numbered(ctx, 0, 1);
    start_thread(work, NULL);
    rest_ms(20);
    const struct sched_param high = {.sched_priority = 50};
    printf("real time: %d\n", sched_setscheduler(0, SCHED_FIFO, &high));
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
        rest_ms(2);
    }
    puts("50 forks");
    fflush(stdout);
    _exit(0);
}
