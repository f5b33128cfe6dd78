/* What a program can see of how it was started: its number, its parent, and who is a child of it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    printf("process %d parent %d group %d session %d\n", getpid(), getppid(), getpgrp(), getsid(0));
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            printf("ignores %d\n", number);
        if (sigismember(&blocked, number) == 1)
            printf("blocks %d\n", number);
    }
    for (int number = 0; number < 64; number++)
        if (fcntl(number, F_GETFD) >= 0)
            printf("has %d\n", number);
    printf("children: %s\n", wait(NULL) < 0 && errno == ECHILD ? "none" : "some");
    return 0;
}
