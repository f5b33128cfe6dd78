/* A coroutine leaves remove_cb by swapcontext and never comes back; its stack is unmapped, and another one adds. */
#include "hazard.h"
#include <ucontext.h>

enum { STACK = 1 << 17, PLACES = 4 };

static ucontext_t outside, coroutine;
static SSL_CTX *current;
static int left_behind, stays_away;

static void leave(SSL_CTX *ctx UNUSED, SSL_SESSION *session UNUSED)
{
    left_behind++;
    if (stays_away)
        swapcontext(&coroutine, &outside);
}

static void add_six(void)
{
    SHOW(add_numbered(current, 0, 6));
}

static SSL_CTX *small_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_sess_set_cache_size(ctx, 3);
    SSL_CTX_sess_set_remove_cb(ctx, leave);
    return ctx;
}

static void run_on(void *stack, SSL_CTX *ctx)
{
    current = ctx;
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = STACK;
    coroutine.uc_link = &outside;
    makecontext(&coroutine, add_six, 0);
    swapcontext(&outside, &coroutine);
}

int main(void)
{
    SSL_CTX *left = small_context(), *other = small_context();
    char *stacks = mmap(NULL, (size_t)PLACES * STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *upper = stacks + (ptrdiff_t)(PLACES - 1) * STACK;
    stays_away = 1;
    run_on(upper, left);
    munmap(upper, STACK);
    SHOW(left_behind);

    stays_away = 0;
    run_on(stacks, other);
    SHOW(SSL_CTX_sess_number(other));
    SHOW(left_behind);
    SSL_CTX_free(other);
    SHOW(left_behind);
    return 0;
}
