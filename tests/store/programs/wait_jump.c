/*
 * wait_jump.c - signal handlers leave the wait for a store that does not answer by longjmp, again and again.
 *
 * usage: wait_jump PID
 */
#include "elsewhere.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static sigjmp_buf outside;

static void leave_handler(int number UNUSED)
{
    siglongjmp(outside, 1);
}

int main(int argc, char **argv)
{
    pid_t server = argc > 1 ? atoi(argv[1]) : 0;
    static volatile int left, ended;
    if (server == 0)
        return 2;
    store_session();
    signal(SIGALRM, leave_handler);
    kill(server, SIGSTOP);
    for (volatile int i = 0; i < 30; i++) {
        const struct itimerval soon = {.it_value = {.tv_usec = 8000}}, never = {{0, 0}, {0, 0}};
        if (sigsetjmp(outside, 1) != 0) {
            left++;
            continue;
        }
        setitimer(ITIMER_REAL, &soon, NULL);
        ask_elsewhere();
        setitimer(ITIMER_REAL, &never, NULL);
        ended++;
    }
    printf("left %s\n", left > 10 && left + ended == 30 ? "by jumps" : "otherwise");
    kill(server, SIGCONT);
    show_elsewhere("with an answer");
    rest(1500); /* what was left behind is freed meanwhile */
    show_elsewhere("later");
    leave();
    return 0;
}
