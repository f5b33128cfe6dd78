/*
 * wait_cancel.c - a thread is cancelled while it waits for a store that does not answer.
 *
 * usage: wait_cancel PID
 *
 * PID is the server of the store. Printed: how the thread ended, and whether the others go on.
 */
#include "elsewhere.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void *ask(void *unused)
{
    ask_elsewhere();
    for (;;)
        pause();
    return unused;
}

int main(int argc, char **argv)
{
    pid_t server = argc > 1 ? atoi(argv[1]) : 0;
    if (server == 0)
        return 2;
    store_session();
    kill(server, SIGSTOP);
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        void *answer;
        pthread_create(&thread, NULL, ask, NULL);
        rest(50);
        pthread_cancel(thread);
        pthread_join(thread, &answer);
        printf("the thread was %s\n", answer == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
    }
    printf("without an answer: %d\n", ask_elsewhere());
    kill(server, SIGCONT);
    show_elsewhere("with an answer");
    leave();
    return 0;
}
