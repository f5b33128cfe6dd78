/*
 * signals_blocked.c - a program whose threads block signals, to take them with sigwait(3), while the store is in use:
 * each comes to the program. Its handlers are what it set.
 */
#include "elsewhere.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { ROUNDS = 100 };

static int waits_for(int number)
{
    const struct timespec patience = {.tv_sec = 10};
    sigset_t set;
    int taken = 0;
    sigemptyset(&set);
    sigaddset(&set, number);
    for (int i = 0; i < ROUNDS; i++) {
        kill(getpid(), number);
        taken += sigtimedwait(&set, NULL, &patience) == number;
    }
    return taken;
}

static struct sigaction actions[65];

static void note_actions(void)
{
    for (int number = 1; number < 65; number++)
        sigaction(number, NULL, &actions[number]);
}

static int changed_actions(void)
{
    int changed = 0;
    for (int number = 1; number < 65; number++) {
        struct sigaction now;
        if (sigaction(number, NULL, &now) == 0)
            changed += now.sa_handler != actions[number].sa_handler ||
                       now.sa_flags != actions[number].sa_flags;
    }
    return changed;
}

int main(void)
{
    static const int numbers[] = {SIGCHLD, SIGPROF, SIGUSR1, SIGURG, SIGPIPE, SIGTERM, SIGSEGV};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    note_actions();
    store_session();
    show_elsewhere("elsewhere");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        printf("signal %d: %d of %d\n", numbers[i], waits_for(numbers[i]), ROUNDS);
    printf("handlers that are not as they were: %d\n", changed_actions());
    leave();
    return 0;
}
