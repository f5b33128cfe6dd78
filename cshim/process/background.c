#define _GNU_SOURCE
#include "cshim/process/background.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "cshim/process/fork.h"

/* Enough for what our threads do: format lines of text, load a library, and be the first thread of Go's scheduler. */
enum { STACK_SIZE = 256 * 1024 };

static FORK_WRITES atomic_int number;

typedef void *(*work_function)(void *unused);

static void *run(void *work)
{
    ((work_function)work)(NULL);
    atomic_fetch_sub(&number, 1);
    return NULL;
}

/* The program's thread may be a real-time one, which ours must not be: it could keep the program's from running. */
static void set_ordinary_policy(pthread_attr_t *attributes)
{
    const struct sched_param ordinary = {.sched_priority = 0};
    if (sched_getscheduler(0) == SCHED_OTHER)
        return;
    pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(attributes, SCHED_OTHER);
    pthread_attr_setschedparam(attributes, &ordinary);
}

static bool create(work_function work)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    set_ordinary_policy(&attributes);
    atomic_fetch_add(&number, 1);
    bool is_made = pthread_create(&thread, &attributes, run, (void *)work) == 0;
    pthread_attr_destroy(&attributes);
    if (!is_made)
        atomic_fetch_sub(&number, 1);
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
