/*
 * What a program set is what it reads, before the first session, after it, and when it sets
 * something after it: the actions of all signals, the mask, the alternate stack, limits, timers.
 */
#include "legacy.h"
#include <sys/resource.h>
#include <sys/time.h>

static void plain(int number UNUSED)
{
}

static void other(int number UNUSED)
{
}

static void with_info(int number UNUSED, siginfo_t *info UNUSED, void *state UNUSED)
{
}

static const char *name_of_handler(sighandler_t handler)
{
    if (handler == SIG_DFL)
        return "default";
    if (handler == SIG_IGN)
        return "ignore";
    if (handler == SIG_ERR)
        return "error";
    if (handler == SIG_HOLD)
        return "hold";
    if (handler == plain)
        return "plain";
    if (handler == other)
        return "other";
    return (void *)handler == (void *)with_info ? "with_info" : "a stranger";
}

static void show_mask(const sigset_t *mask)
{
    for (int number = 1; number <= 64; number++)
        if (sigismember(mask, number) == 1)
            printf(" %d", number);
}

/* glibc's own mark of an action that it has set once: a program never sets it. */
enum { RESTORER = 0x04000000 };

static unsigned flags_of(const struct sigaction *action)
{
    return (unsigned)action->sa_flags & ~(unsigned)RESTORER;
}

static void show_action(int number)
{
    struct sigaction action = {0};
    if (sigaction(number, NULL, &action) != 0) {
        printf("%d: %s\n", number, strerror(errno));
        return;
    }
    printf("%d: %s flags %x mask", number, name_of_handler(action.sa_handler), flags_of(&action));
    show_mask(&action.sa_mask);
    printf("\n");
}

static void *show_thread(void *title)
{
    sigset_t mask;
    stack_t stack;
    struct rlimit limit;
    struct itimerval timer;
    printf("%s:", (const char *)title);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    show_mask(&mask);
    sigaltstack(NULL, &stack);
    printf("; stack %s of %lu", stack.ss_flags == SS_DISABLE ? "none" : "some",
           stack.ss_flags == SS_DISABLE ? 0UL : (unsigned long)stack.ss_size);
    getrlimit(RLIMIT_NOFILE, &limit);
    printf("; files %lu %lu", (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    getitimer(ITIMER_PROF, &timer);
    printf("; timer %ld\n", (long)timer.it_value.tv_sec);
    return NULL;
}

static void show_all(const char *title)
{
    printf("--- %s\n", title);
    for (int number = 1; number <= 64; number++)
        show_action(number);
    show_thread("main thread");
}

static struct house house;

static void *work(void *title)
{
    show_thread(title);
    add_numbered(house.server, 100, 10);
    SSL_CTX_flush_sessions(house.server, 0);
    return show_thread(title);
}

static void *work_masked(void *title)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return work(title);
}

static void in_thread(void *(*function)(void *), char *title)
{
    pthread_t thread;
    pthread_create(&thread, NULL, function, title);
    pthread_join(thread, NULL);
}

/* Every second signal gets a handler, each in another way. */
static void install_some(void)
{
    struct sigaction action = {0};
    action.sa_sigaction = with_info;
    sigfillset(&action.sa_mask);
    action.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGUSR2, &action, NULL);
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGTERM);
    action.sa_flags = SA_NOCLDSTOP | SA_RESTART;
    action.sa_handler = plain;
    sigaction(SIGCHLD, &action, NULL);
    action.sa_flags = 0;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
    sigaction(64, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGURG, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, plain);
    signal(SIGPROF, plain);
    sysv_signal(SIGQUIT, plain);
    sigset(SIGWINCH, plain);
}

/* Each answer of a function that gives the former handler. */
static void exchange(const char *title)
{
    struct sigaction new = {0}, old = {0};
    printf("--- exchange %s\n", title);
    printf("signal: %s\n", name_of_handler(signal(SIGHUP, other)));
    show_action(SIGHUP);
    siginterrupt(SIGHUP, 1);
    show_action(SIGHUP);
    printf("signal after siginterrupt: %s\n", name_of_handler(signal(SIGHUP, other)));
    show_action(SIGHUP);
    siginterrupt(SIGHUP, 0);
    printf("signal: %s\n", name_of_handler(signal(SIGHUP, plain)));
    show_action(SIGHUP);
    printf("sysv_signal: %s\n", name_of_handler(sysv_signal(SIGQUIT, other)));
    show_action(SIGQUIT);
    printf("sysv_signal: %s\n", name_of_handler(sysv_signal(SIGQUIT, plain)));
    printf("sigset: %s\n", name_of_handler(sigset(SIGWINCH, other)));
    show_action(SIGWINCH);
    printf("sigset hold: %s\n", name_of_handler(sigset(SIGWINCH, SIG_HOLD)));
    show_action(SIGWINCH);
    printf("sigset: %s\n", name_of_handler(sigset(SIGWINCH, plain)));
    show_action(SIGWINCH);
    printf("sigignore: %d\n", sigignore(SIGWINCH));
    show_action(SIGWINCH);
    sigset(SIGWINCH, plain);
    new.sa_handler = other;
    new.sa_flags = SA_ONSTACK;
    sigaction(SIGSEGV, &new, &old);
    printf("sigaction: %s flags %x\n", name_of_handler(old.sa_handler), flags_of(&old));
    sigaction(SIGSEGV, &old, &new);
    printf("sigaction: %s flags %x\n", name_of_handler(new.sa_handler), flags_of(&new));
    show_action(SIGSEGV);
    static const int wrong[] = {0, -1, 32, 33, 65, SIGKILL, SIGSTOP};
    for (int i = 0; i < 7; i++) {
        errno = 0;
        int answer = sigaction(wrong[i], &old, NULL);
        printf("sigaction %d: %d %s", wrong[i], answer, strerror(errno));
        errno = 0;
        sighandler_t former = signal(wrong[i], plain);
        printf(", signal: %s %s", name_of_handler(former), strerror(errno));
        errno = 0;
        answer = siginterrupt(wrong[i], 1);
        printf(", siginterrupt: %d %s\n", answer, strerror(errno));
    }
    errno = 0;
    printf("signal with SIG_ERR: %s", name_of_handler(signal(SIGHUP, SIG_ERR)));
    printf(" %s\n", strerror(errno));
}

int main(void)
{
    sigset_t mask;
    static char own_stack[65536];
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGPROF);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGBUS);
    house = open_house(TLS1_2_VERSION);
    install_some();
    sigprocmask(SIG_SETMASK, &mask, NULL);
    show_all("before");
    exchange("before");
    fill_house(&house);
    keeper_is(OURS, house.server);
    show_all("after");
    exchange("after");
    show_all("after the exchange");
    in_thread(work, "thread");
    in_thread(work_masked, "masked thread");
    stack_t stack = {.ss_sp = own_stack, .ss_size = sizeof(own_stack)};
    SHOW(sigaltstack(&stack, NULL));
    add_numbered(house.server, 0, 10);
    show_thread("with a stack of its own");
    stack.ss_flags = SS_DISABLE;
    SHOW(sigaltstack(&stack, NULL));
    add_numbered(house.server, 0, 10);
    show_thread("without it again");
    close_house(&house);
    return 0;
}
