#define _GNU_SOURCE
#include "cshim/process/background.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* What formats a line needs little; what asks the core runs Go's scheduler on it: see threads.c. */
enum { STACK_SIZE = 256 * 1024 };

static atomic_int number;

static bool create(void *(*work)(void *unused))
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool is_made = pthread_create(&thread, &attributes, work, NULL) == 0;
    pthread_attr_destroy(&attributes);
    if (is_made)
        atomic_fetch_add(&number, 1);
    return is_made;
}

bool background_start(void *(*work)(void *unused))
{
    int saved_errno = errno;
    sigset_t all, mask;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask); /* the thread inherits it */
    bool is_made = create(work);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    errno = saved_errno;
    return is_made;
}

int background_number(void)
{
    return atomic_load(&number);
}

void background_fork_child(void)
{
    atomic_store(&number, 0);
}
