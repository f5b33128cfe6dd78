/*
 * The process ends while threads are inside the cache. Argument: how. The threads use sessions that
 * exist, so that libssl alone survives its own farewell too.
 */
#include "legacy.h"
#include <stdatomic.h>
#include <stdbool.h>

static struct house house;
static SSL_SESSION *own[4][8];
static atomic_int working;

static void *work(void *argument)
{
    SSL_SESSION **sessions = argument;
    for (long round = 0;; round++) {
        for (int i = 0; i < 8; i++)
            SSL_CTX_add_session(house.server, sessions[i]);
        for (int i = 0; i < 8; i++)
            SSL_CTX_remove_session(house.server, sessions[i]);
        if (round == 10)
            atomic_fetch_add(&working, 1);
    }
    return NULL;
}

static void say_goodbye(void)
{
    printf("goodbye\n");
    fflush(stdout);
}

static void *leave_from_thread(void *argument UNUSED)
{
    exit(5);
}

int main(int count, char **arguments)
{
    const char *how = count > 1 ? arguments[1] : "";
    pthread_t threads[4], leaver;
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    keeper_is(OURS, house.server);
    atexit(say_goodbye);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 8; j++)
            own[i][j] = numbered_session((uint32_t)(i * 8 + j));
        pthread_create(&threads[i], NULL, work, own[i]);
    }
    while (atomic_load(&working) < 4)
        rest(1);
    printf("%s\n", how);
    fflush(stdout);
    if (strcmp(how, "exit") == 0)
        exit(3);
    if (strcmp(how, "return") == 0)
        return 4;
    if (strcmp(how, "_exit") == 0)
        _exit(6);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(7);
    if (strcmp(how, "exit in a thread") == 0)
        pthread_create(&leaver, NULL, leave_from_thread, NULL);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "kill") == 0)
        raise(SIGTERM);
    if (strcmp(how, "exec") == 0)
        execlp("sh", "sh", "-c", "echo another; exit 8", (char *)NULL);
    for (;;)
        pause();
}
