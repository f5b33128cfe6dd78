/*
 * fork_busy.c - a process forks while its threads wait for the store or write to it; the children look up, too.
 *
 * usage: fork_busy PID
 *
 * PID is the server of the store. The threads are in no function of libcrypto that holds a lock, which a child would inherit.
 * Printed: how many children resumed, of how many.
 */
#include "elsewhere.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 8, THREADS = 2, CHILDREN = 3 };

static SSL_CTX *writing;
static SSL_SESSION *written;
static atomic_bool is_over;

static void *look_up(void *unused)
{
    ask_elsewhere();
    return unused;
}

static void *put(void *unused)
{
    while (!atomic_load(&is_over))
        SSL_CTX_add_session(writing, written);
    return unused;
}

static pid_t start_child(void)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    rest(100); /* until the server goes on */
    _exit(ask_elsewhere() == 1 ? 0 : 1);
}

/* How many of the children resumed. */
static int fork_while_waiting(pid_t server)
{
    pthread_t threads[THREADS];
    pid_t children[CHILDREN];
    int resumed = 0;
    kill(server, SIGSTOP);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, look_up, NULL);
    rest(50);
    for (int i = 0; i < CHILDREN; i++)
        children[i] = start_child();
    kill(server, SIGCONT);
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        resumed += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return resumed;
}

int main(int argc, char **argv)
{
    pid_t server = argc > 1 ? atoi(argv[1]) : 0;
    pthread_t writers[THREADS];
    int resumed = 0;
    if (server == 0)
        return 2;
    store_session();
    writing = stateful_context(TLS1_2_VERSION);
    written = SSL_SESSION_dup(session);
    SSL_SESSION_set1_id_context(written, (const unsigned char *)"tests", 5);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&writers[i], NULL, put, NULL);
    for (int i = 0; i < ROUNDS; i++)
        resumed += fork_while_waiting(server);
    atomic_store(&is_over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(writers[i], NULL);
    printf("most of the children resumed: %d\n", resumed > ROUNDS * CHILDREN * 3 / 4);
    SSL_SESSION_free(written);
    SSL_CTX_free(writing);
    leave();
    return 0;
}
