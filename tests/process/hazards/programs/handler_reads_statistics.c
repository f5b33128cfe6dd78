/* The statistics of a server, asked in a handler that interrupts whatever is being done to the cache. */
#include "hazard.h"
#include <sys/time.h>

enum { ENOUGH = 300 };

static SSL_CTX *ctx;
static volatile sig_atomic_t asked, wrong;

static void ask(int signal UNUSED)
{
    long number = SSL_CTX_sess_number(ctx);
    wrong += number < 0 || SSL_CTX_sess_hits(ctx) != 0 || SSL_CTX_sess_misses(ctx) != 0 ||
             SSL_CTX_sess_cache_full(ctx) < 0 || SSL_CTX_sess_get_cache_size(ctx) != 5000 ||
             SSL_CTX_get_session_cache_mode(ctx) != SSL_SESS_CACHE_SERVER;
    asked++;
}

int main(void)
{
    ctx = unlimited_context();
    SSL_CTX_sess_set_cache_size(ctx, 5000);
    signal(SIGALRM, ask);
    const struct itimerval often = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_REAL, &often, NULL);
    for (unsigned i = 0; asked < ENOUGH; i++) {
        add_numbered(ctx, i, i + 1);
        if (i % 256 == 0)
            SSL_CTX_flush_sessions(ctx, time(NULL) + 2000000 - i % 3);
    }
    printf("asked %s, wrong answers %d\n", asked >= ENOUGH ? "often enough" : "too seldom",
           (int)wrong);
    return 0;
}
