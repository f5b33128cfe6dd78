/*
 * wait_jump.c - signal handlers leave the wait for a store that does not answer by longjmp, again and again.
 *
 * usage: wait_jump PID
 *
 * PID is the server of the store. A handler that interrupted malloc could not be left: so another thread looks whether the
 * first one sleeps in a system call, which in a handshake inside one process is the wait alone.
 */
#include "elsewhere.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigjmp_buf outside;
static pthread_t first;
static char first_path[64];
static atomic_bool is_asking, is_over;

static void leave_handler(int number UNUSED)
{
    if (atomic_exchange(&is_asking, false))
        siglongjmp(outside, 1);
}

static bool sleeps_in_futex(void)
{
    long number = -1;
    FILE *file = fopen(first_path, "r");
    if (file == NULL || fscanf(file, "%ld", &number) != 1)
        number = -1;
    if (file != NULL)
        fclose(file);
    return number == SYS_futex;
}

static void *interrupt(void *unused)
{
    while (!atomic_load(&is_over)) {
        rest(5);
        if (atomic_load(&is_asking) && sleeps_in_futex())
            pthread_kill(first, SIGUSR1);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pid_t server = argc > 1 ? atoi(argv[1]) : 0;
    static volatile int left, ended;
    pthread_t thread;
    if (server == 0)
        return 2;
    store_session();
    first = pthread_self();
    snprintf(first_path, sizeof(first_path), "/proc/self/task/%d/syscall", (int)gettid());
    signal(SIGUSR1, leave_handler);
    pthread_create(&thread, NULL, interrupt, NULL);
    kill(server, SIGSTOP);
    for (volatile int i = 0; i < 30; i++) {
        if (sigsetjmp(outside, 1) != 0) {
            left++;
            continue;
        }
        atomic_store(&is_asking, true);
        ask_elsewhere();
        atomic_store(&is_asking, false);
        ended++;
    }
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    printf("left %s\n", left > 5 && left + ended == 30 ? "by jumps" : "otherwise");
    kill(server, SIGCONT);
    show_elsewhere("with an answer");
    rest(1500); /* what was left behind is freed meanwhile */
    show_elsewhere("later");
    leave();
    return 0;
}
