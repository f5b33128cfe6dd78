/*
 * Handlers that need much stack, as they may where they were installed without SA_ONSTACK: the
 * thread's own is large. With a small alternate stack for another signal, without one, in threads.
 * The signals come while the cache is at work.
 */
#include "legacy.h"
#include <setjmp.h>
#include <sys/time.h>

static struct house house;
static volatile sig_atomic_t signals;
static volatile char touched;
static size_t appetite;

static __attribute__((noinline)) void use_stack(size_t bytes)
{
    volatile char page[4096];
    page[0] = (char)bytes;
    if (bytes > sizeof(page))
        use_stack(bytes - sizeof(page));
    touched = page[0];
}

static void on_alarm(int number UNUSED)
{
    use_stack(appetite);
    signals++;
}

static void on_fault(int number UNUSED)
{
    _exit(9);
}

static void storm(const char *title)
{
    struct itimerval interval = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
    int ok = 1;
    setitimer(ITIMER_REAL, &interval, NULL);
    for (signals = 0; signals < 100;)
        ok &= churn(house.server, 0, 20);
    setitimer(ITIMER_REAL, &none, NULL);
    printf("%s: calls answered well %d\n", title, ok);
}

static void *in_thread(void *argument UNUSED)
{
    storm("in a thread");
    return NULL;
}

static sigjmp_buf back;
static volatile sig_atomic_t jumps;
static volatile sig_atomic_t may_jump;

static void jump_back(int number UNUSED)
{
    if (!may_jump)
        return;
    may_jump = 0;
    siglongjmp(back, 1);
}

/* Jumps out of the handler, but never out of a function of OpenSSL. */
static void jump_often(void)
{
    struct itimerval interval = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
    int ok = 1;
    signal(SIGALRM, jump_back);
    setitimer(ITIMER_REAL, &interval, NULL);
    for (jumps = 0; jumps < 200;) {
        ok &= churn(house.server, 0, 2);
        if (sigsetjmp(back, 1) == 0) {
            may_jump = 1;
            for (;;)
                pause();
        }
        jumps++;
    }
    setitimer(ITIMER_REAL, &none, NULL);
    printf("jumps: calls answered well %d\n", ok);
}

int main(int count, char **arguments)
{
    static char *small;
    pthread_t thread;
    sigset_t block;
    appetite = count > 1 ? strtoul(arguments[1], NULL, 10) * 1024 : 8192;
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    add_numbered(house.server, 1000, 1);
    storm("main thread");

    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &block, NULL);
    struct sigaction fault = {.sa_flags = SA_ONSTACK};
    fault.sa_handler = on_fault;
    sigaction(SIGSEGV, &fault, NULL);
    pthread_sigmask(SIG_UNBLOCK, &block, NULL);
    stack_t stack = {.ss_size = (size_t)SIGSTKSZ};
    small = malloc(stack.ss_size);
    stack.ss_sp = small;
    sigaltstack(&stack, NULL);
    storm("main thread with a small alternate stack");
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    free(small);

    pthread_sigmask(SIG_UNBLOCK, &block, NULL);
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    jump_often();
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
