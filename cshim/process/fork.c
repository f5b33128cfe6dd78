#define _GNU_SOURCE
#include "cshim/process/fork.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cshim/process/atfork.h"
#include "cshim/process/background.h"
#include "cshim/process/core.h"
#include "cshim/process/inheritance.h"
#include "cshim/process/signals.h"
#include "cshim/settings/fault.h"
#include "cshim/share/store.h"
#include "cshim/takeover/context.h"
#include "cshim/watch/live.h"
#include "cshim/watch/writer.h"

/*
 * How many threads are inside, in stripes on cache lines of their own: a shared count would be the
 * one thing that all threads fight for.
 */
enum { STRIPES = 16, CACHE_LINE = 64 };

struct stripe {
    _Alignas(CACHE_LINE) atomic_long inside;
};

static struct stripe stripes[STRIPES];
static atomic_bool closed;
static pthread_mutex_t closing = PTHREAD_MUTEX_INITIALIZER; /* held from the prepare handler on */
static _Thread_local unsigned depth;

static struct stripe *own_stripe(void)
{
    /* The address of a thread's own variable tells the threads apart well enough. */
    return &stripes[((uintptr_t)&depth >> 12) % STRIPES];
}

static void enter(void)
{
    struct stripe *stripe = own_stripe();
    for (;;) {
        atomic_fetch_add(&stripe->inside, 1);
        if (!atomic_load(&closed))
            return;
        atomic_fetch_sub(&stripe->inside, 1);
        pthread_mutex_lock(&closing); /* until the fork is done */
        pthread_mutex_unlock(&closing);
    }
}

static void leave(void)
{
    atomic_fetch_sub(&own_stripe()->inside, 1);
}

void gate_enter(void)
{
    if (depth++ == 0)
        enter();
}

void gate_leave(void)
{
    if (--depth == 0)
        leave();
}

unsigned gate_open(void)
{
    unsigned before = depth;
    depth = 0;
    if (before > 0)
        leave();
    return before;
}

void gate_close(unsigned before)
{
    depth = before;
    if (before > 0)
        enter();
}

static long threads_inside(void)
{
    long inside = 0;
    for (int i = 0; i < STRIPES; i++)
        inside += atomic_load(&stripes[i].inside);
    return inside;
}

/* A fork out of a signal handler may interrupt this very thread inside the gate: it does not wait
 * for itself. */
static void close_gate(void)
{
    pthread_mutex_lock(&closing);
    atomic_store(&closed, true);
    while (threads_inside() > (depth > 0 ? 1 : 0))
        sched_yield();
}

/*
 * A handler may have interrupted this very thread inside Go, or with a lock of ours in its hand: nothing
 * can be waited for then, and the child starts without the sessions of its parent.
 */
static _Thread_local unsigned unprepared; /* depth: such a handler may interrupt a fork, too */

static void before_fork(void)
{
    fault_fork_prepare();
    if (signals_in_handler()) {
        unprepared++;
        return;
    }
    live_fork_prepare();
    writer_fork_prepare();
    close_gate();
    contexts_fork_prepare();
    inheritance_fork_prepare();
    core_fork_prepare();
    store_fork_prepare();
}

static void after_fork_in_parent(void)
{
    if (unprepared > 0) {
        unprepared--;
        return;
    }
    store_fork_parent();
    core_fork_parent();
    inheritance_fork_parent();
    contexts_fork_parent();
    atomic_store(&closed, false);
    pthread_mutex_unlock(&closing);
    writer_fork_parent();
    live_fork_parent();
}

static void after_fork_in_child(void)
{
    for (int i = 0; i < STRIPES; i++)
        atomic_store(&stripes[i].inside, 0);
    if (depth > 0)
        atomic_store(&own_stripe()->inside, 1);
    if (unprepared == 0)
        atfork_fork_child();
    unprepared = 0;
    background_fork_child();
    writer_fork_child();
    live_fork_child();
    fault_fork_child();
    contexts_fork_child();
    core_fork_child();
    store_fork_child();
    atomic_store(&closed, false);
    pthread_mutex_init(&closing, NULL);
}

static void watch(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void fork_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch);
}

/* ---- fork(2) in a signal handler ---- */

typedef pid_t (*fork_function)(void);

static _Atomic fork_function whole_fork; /* glibc's fork */
static _Atomic fork_function bare_fork;  /* glibc's _Fork, from 2.34 on, or NULL */

__attribute__((constructor)) static void resolve(void)
{
    atomic_store(&bare_fork, (fork_function)dlsym(RTLD_NEXT, "_Fork"));
    atomic_store(&whole_fork, (fork_function)dlsym(RTLD_NEXT, "fork"));
}

/* By the links of a folder: one from its parent, one of its own, one from each folder in it. */
static bool has_program_one_thread(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 &&
           (long)tasks.st_nlink - 2 == 1 + core_threads() + background_number();
}

static pid_t fork_without_waiting(void)
{
    atfork_run(ATFORK_PREPARE);
    pid_t pid = atomic_load(&bare_fork)();
    int error = errno;
    atfork_run(pid == 0 ? ATFORK_CHILD : ATFORK_PARENT);
    errno = error;
    return pid;
}

/*
 * glibc's fork waits for the locks of malloc where there are threads. A program that has one alone may
 * fork in a handler, whatever that interrupted; with our threads beside it, it would wait for itself.
 */
pid_t fork(void)
{
    int saved_errno = errno;
    if (atomic_load(&whole_fork) == NULL)
        resolve();
    bool waits_for_itself = signals_in_handler() && has_program_one_thread();
    errno = saved_errno;
    return waits_for_itself && atomic_load(&bare_fork) != NULL ? fork_without_waiting()
                                                               : atomic_load(&whole_fork)();
}

pid_t __fork(void);
pid_t __fork(void)
{
    return fork();
}
