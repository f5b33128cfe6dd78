/*
 * wait_handler.c - signal handlers with 2 MB of locals run while a thread waits for a store that does not answer, and
 * ask the store themselves.
 *
 * usage: wait_handler PID
 */
#include "elsewhere.h"
#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t is_waiting, ran, ran_in_wait;

static void use_stack(int number UNUSED)
{
    volatile char locals[2 << 20];
    for (size_t i = 0; i < sizeof(locals); i += 4096)
        locals[i] = (char)i;
    ran += locals[4096] == 0;
    ran_in_wait += is_waiting;
}

int main(int argc, char **argv)
{
    const struct itimerval often = {.it_interval = {.tv_usec = 20000},
                                    .it_value = {.tv_usec = 20000}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    pid_t server = argc > 1 ? atoi(argv[1]) : 0;
    if (server == 0)
        return 2;
    store_session();
    signal(SIGALRM, use_stack);
    kill(server, SIGSTOP);
    setitimer(ITIMER_REAL, &often, NULL);
    is_waiting = 1;
    int answer = ask_elsewhere();
    is_waiting = 0;
    kill(server, SIGCONT);
    show_elsewhere("with an answer");
    setitimer(ITIMER_REAL, &never, NULL);
    printf("without an answer: %d, handlers ran in the wait: %d\n", answer, ran_in_wait > 5);
    leave();
    return 0;
}
