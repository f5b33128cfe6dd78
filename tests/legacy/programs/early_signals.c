/* A library that sets handlers and a timer when it is loaded, and counts what they catch. */
#include <signal.h>
#include <sys/time.h>

volatile sig_atomic_t early_signals;

static void count(int number)
{
    (void)number;
    early_signals++;
}

static void count_with_stack(int number)
{
    volatile char space[8192];
    space[0] = (char)number;
    space[sizeof(space) - 1] = space[0];
    early_signals++;
}

__attribute__((constructor)) static void set_handlers(void)
{
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = count_with_stack;
    sigaction(SIGALRM, &action, 0);
    signal(SIGUSR1, count);
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    sigaction(SIGUSR2, &action, 0);
    struct itimerval interval = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &interval, 0);
}
