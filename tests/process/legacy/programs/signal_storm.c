/*
 * A timer of 1 ms whose handler was installed in every way that glibc knows, while sessions are
 * added and removed. The handler uses as much stack as an ordinary one may.
 * Arguments: the way, the timer, and whether the handler comes before or after the first session.
 */
#include "legacy.h"
#include <sys/time.h>

static volatile sig_atomic_t signals;
static volatile char touched;

sighandler_t bsd_signal(int number, sighandler_t handler);
sighandler_t __sysv_signal(int number, sighandler_t handler);

static int number;
static int timer;
static const char *way;
static void install(void);

/* Handlers that are reset when they are called get one signal at a time: a second would kill. */
static void set_timer(void)
{
    struct itimerval interval = {{0, 1000}, {0, 1000}};
    if (strstr(way, "sysv") != NULL)
        interval.it_interval.tv_usec = 0;
    setitimer(timer, &interval, NULL);
}

/* Not inlined, so that its frame is as large as it says. */
static __attribute__((noinline)) void use_stack(size_t bytes)
{
    volatile char page[4096];
    page[0] = (char)bytes;
    touched = page[0];
    if (bytes > sizeof(page))
        use_stack(bytes - sizeof(page));
    touched = page[4095];
}

static void on_signal(int which)
{
    use_stack(16384);
    if (which == number)
        signals++;
    if (strstr(way, "sysv") == NULL)
        return;
    install();
    set_timer();
}

static void on_info(int which, siginfo_t *info, void *state)
{
    if (info->si_signo == which && state != NULL)
        on_signal(which);
}

static void install(void)
{
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = on_signal;
    if (strcmp(way, "sigaction") == 0)
        sigaction(number, &action, NULL);
    else if (strcmp(way, "siginfo") == 0) {
        action.sa_flags |= SA_SIGINFO;
        action.sa_sigaction = on_info;
        sigaction(number, &action, NULL);
    } else if (strcmp(way, "signal") == 0)
        signal(number, on_signal);
    else if (strcmp(way, "bsd_signal") == 0)
        bsd_signal(number, on_signal);
    else if (strcmp(way, "ssignal") == 0)
        ssignal(number, on_signal);
    else if (strcmp(way, "sysv_signal") == 0)
        sysv_signal(number, on_signal);
    else if (strcmp(way, "__sysv_signal") == 0)
        __sysv_signal(number, on_signal);
    else if (strcmp(way, "sigset") == 0)
        sigset(number, on_signal);
    else if (strcmp(way, "siginterrupt") == 0) {
        signal(number, on_signal);
        siginterrupt(number, 1);
    } else
        abort();
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 1;
    way = arguments[1];
    timer = ITIMER_REAL;
    number = SIGALRM;
    if (strcmp(arguments[2], "virtual") == 0)
        timer = ITIMER_VIRTUAL, number = SIGVTALRM;
    if (strcmp(arguments[2], "prof") == 0)
        timer = ITIMER_PROF, number = SIGPROF;

    struct house house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    if (strcmp(arguments[3], "before") == 0)
        install();
    add_numbered(house.server, 0, 1);
    if (strcmp(arguments[3], "after") == 0)
        install();
    struct itimerval none = {{0, 0}, {0, 0}};
    set_timer();
    int ok = 1;
    while (signals < 100)
        ok &= churn(house.server, 10, 50);
    for (int i = 0; i < 3; i++)
        revisit("visit", house.client, house.server, NULL);
    signal(number, SIG_IGN);
    setitimer(timer, &none, NULL);
    printf("calls answered well: %d\n", ok);
    printf("held %ld\n", SSL_CTX_sess_number(house.server));
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
