/*
 * Few threads, or none, from the start or once the first session is stored: the program goes on,
 * whoever keeps its sessions. Arguments: when, and how many threads a user may have ("seccomp": no
 * thread can be made at all).
 */
#include "legacy.h"
#include "sandbox.h"
#include <grp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>

enum { NOBODY_ELSE = 54321 }; /* a user that has no other process */

static struct house house;

static void limit(const char *threads)
{
    if (strcmp(threads, "seccomp") == 0) {
        if (forbid_threads() != 0)
            abort();
        return;
    }
    rlim_t most = strtoul(threads, NULL, 10);
    struct rlimit limit = {most, most};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0)
        abort();
}

static void become_nobody_else(void)
{
    if (setgroups(0, NULL) != 0 || setgid(NOBODY_ELSE) != 0 || setuid(NOBODY_ELSE) != 0)
        abort();
}

static void *work(void *argument)
{
    return (void *)(intptr_t)churn(house.server, *(uint32_t *)argument, 3000);
}

/* Threads that were there before the limit came. */
static pthread_t workers[6];
static uint32_t starts[6];
static atomic_bool may_work;

static void *wait_and_work(void *argument)
{
    while (!atomic_load(&may_work))
        rest(1);
    return work(argument);
}

int main(int count, char **arguments)
{
    if (count < 3)
        return 1;
    bool at_once = strcmp(arguments[1], "at once") == 0;
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    for (int i = 0; i < 6; i++) {
        starts[i] = (uint32_t)(100000 + 100 * i);
        pthread_create(&workers[i], NULL, wait_and_work, &starts[i]);
    }
    become_nobody_else();
    if (at_once)
        limit(arguments[2]);
    fill_house(&house);
    if (!at_once)
        limit(arguments[2]);
    revisit("again", house.client, house.server, house.kept[0]);
    SHOW(add_numbered(house.server, 0, 20000));
    atomic_store(&may_work, true);
    int ok = 1;
    for (int i = 0; i < 6; i++) {
        void *answer;
        pthread_join(workers[i], &answer);
        ok &= (int)(intptr_t)answer;
    }
    printf("threads were answered well: %d\n", ok);
    SSL_CTX_flush_sessions(house.server, 0);
    SHOW(SSL_CTX_sess_number(house.server));
    SHOW(add_numbered(house.server, 0, 15000));
    close_house(&house);
    return 0;
}
