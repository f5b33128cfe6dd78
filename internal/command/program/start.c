#define _GNU_SOURCE
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALS = 65 };

static bool ignored[SIGNALS];
static bool closed[3];

__attribute__((constructor)) static void note_start(void)
{
    struct sigaction action;
    for (int number = 1; number < SIGNALS; number++)
        ignored[number] = sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
    for (int number = 0; number < 3; number++)
        closed[number] = fcntl(number, F_GETFD) < 0;
}

bool start_ignored(int signal)
{
    return ignored[signal];
}

bool start_closed(int descriptor)
{
    return closed[descriptor];
}

/* ---- handing signals on ---- */

/* Those that mean something to a program, also by stopping it. It is not told of what is about this process. */
static const int forwarded[] = {
    SIGHUP,  SIGINT,   SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
    SIGCONT, SIGWINCH, SIGPWR,  SIGTSTP, SIGTTIN, SIGTTOU,
};

enum { NOT_STARTED = 0, ENDED = -1 };

static volatile pid_t target = NOT_STARTED;
static volatile sig_atomic_t early[SIGNALS];
static int descriptor_after = -1;

static void forward(int number, siginfo_t *info, void *unused)
{
    (void)unused;
    int saved_errno = errno;
    pid_t child = target;
    uint8_t byte = (uint8_t)number;
    if (child == NOT_STARTED)
        early[number] = 1;
    else if (child == ENDED)
        (void)!write(descriptor_after, &byte, 1);
    else if (info->si_code != SI_KERNEL) /* that is a terminal's, and the child has got it too */
        kill(child, number);
    errno = saved_errno;
}

void forward_signals(int after)
{
    struct sigaction action = {.sa_sigaction = forward,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigfillset(&action.sa_mask);
    descriptor_after = after;
    for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
        if (!ignored[forwarded[i]])
            sigaction(forwarded[i], &action, NULL);
}

void forward_to(pid_t child)
{
    target = child;
    for (int number = 1; number < SIGNALS; number++)
        if (early[number])
            kill(child, number);
}

pid_t forward_wait(int *status)
{
    siginfo_t info;
    /* Looked at first: once it is reaped, its number may be another's. */
    while (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOWAIT) != 0)
        if (errno != EINTR)
            return -1;
    if (info.si_pid == target && info.si_code != CLD_STOPPED)
        target = ENDED;
    return waitpid(info.si_pid, status, WUNTRACED);
}
