/*
 * orders.c - takes the library's locks in the order that its argument says, in a process of its own. cshim/process/lock_order
 * is compiled with the checks.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cshim/process/lock_order.h"

static pthread_mutex_t contexts = PTHREAD_MUTEX_INITIALIZER,
                       connections = PTHREAD_MUTEX_INITIALIZER;

static void names(void)
{
#define X(lock, name) puts(name);
    LOCKS(X)
#undef X
}

static void in_order(void)
{
    for (int i = 0; i < 2; i++) {
        lock_take(&contexts, LOCK_CONTEXTS);
        lock_take(&connections, LOCK_CONNECTIONS);
        lock_release(&contexts, LOCK_CONTEXTS);
        lock_release(&connections, LOCK_CONNECTIONS);
    }
}

static void against_the_order(void)
{
    lock_take(&connections, LOCK_CONNECTIONS);
    lock_take(&contexts, LOCK_CONTEXTS);
}

static void twice(void)
{
    lock_take(&contexts, LOCK_CONTEXTS);
    lock_take(&contexts, LOCK_CONTEXTS);
}

static void without_waiting(void)
{
    lock_take(&connections, LOCK_CONNECTIONS);
    if (lock_try(&contexts, LOCK_CONTEXTS))
        lock_release(&contexts, LOCK_CONTEXTS);
    lock_release(&connections, LOCK_CONNECTIONS);
}

/* What was taken without waiting is held like any other. */
static void behind_one_without_waiting(void)
{
    if (lock_try(&connections, LOCK_CONNECTIONS))
        lock_take(&contexts, LOCK_CONTEXTS);
}

static void in_time(void)
{
    if (lock_take_in_time(&connections, LOCK_CONNECTIONS))
        lock_take(&contexts, LOCK_CONTEXTS);
}

static void *take_contexts(void *unused)
{
    lock_take(&contexts, LOCK_CONTEXTS);
    lock_release(&contexts, LOCK_CONTEXTS);
    return unused;
}

static void of_two_threads(void)
{
    pthread_t thread;
    lock_take(&connections, LOCK_CONNECTIONS);
    pthread_create(&thread, NULL, take_contexts, NULL);
    pthread_join(thread, NULL);
    lock_release(&connections, LOCK_CONNECTIONS);
}

/* A child that makes a lock free goes on as if it had none. */
static void in_a_child(void)
{
    int status = 0;
    lock_take(&connections, LOCK_CONNECTIONS);
    pid_t child = fork();
    if (child == 0) {
        lock_make_free(&connections, LOCK_CONNECTIONS);
        in_order();
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        puts("the child has failed");
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*function)(void);
    } orders[] = {
#define ORDER(name) {#name, name}
        ORDER(names),   ORDER(in_order),        ORDER(against_the_order),
        ORDER(twice),   ORDER(without_waiting), ORDER(behind_one_without_waiting),
        ORDER(in_time), ORDER(of_two_threads),  ORDER(in_a_child),
    };
    for (size_t i = 0; count == 2 && i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(orders[i].name, arguments[1]) != 0)
            continue;
        orders[i].function();
        return 0;
    }
    return 2;
}
