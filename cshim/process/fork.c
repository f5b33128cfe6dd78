#define _GNU_SOURCE
#include "cshim/process/fork.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cshim/process/background.h"
#include "cshim/process/clock.h"
#include "cshim/process/lock_order.h"

_Thread_local unsigned fork_busy __attribute__((tls_model("initial-exec")));

/* ---- the gate ---- */

/*
 * How many threads are inside, in stripes on cache lines of their own: a shared count would be the
 * one thing that all threads fight for.
 */
enum { STRIPES = 16, CACHE_LINE = 64 };

struct stripe {
    _Alignas(CACHE_LINE) atomic_long inside;
};

static FORK_WRITES struct stripe stripes[STRIPES];
static _Alignas(CACHE_LINE)
    FORK_WRITES atomic_bool closed; /* alone on its line: each call reads it */
static _Thread_local unsigned depth __attribute__((tls_model("initial-exec")));

static struct stripe *own_stripe(void)
{
    /* The address of a thread's own variable tells the threads apart well enough. */
    return &stripes[((uintptr_t)&depth >> 12) % STRIPES];
}

static void sleep_a_moment(void)
{
    enum { MOMENT_NS = 50000 };
    clock_sleep(MOMENT_NS);
}

static void enter(void)
{
    struct stripe *stripe = own_stripe();
    lock_order_check(LOCK_GATE);
    for (;;) {
        atomic_fetch_add(&stripe->inside, 1);
        if (!atomic_load(&closed)) {
            lock_order_note_taken(LOCK_GATE);
            return;
        }
        atomic_fetch_sub(&stripe->inside, 1);
        while (atomic_load(&closed))
            sleep_a_moment();
    }
}

static void leave(void)
{
    lock_order_note_released(LOCK_GATE);
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

void gate_fork_prepare(void)
{
    lock_order_check(LOCK_GATE);
    atomic_store(&closed, true);
    while (threads_inside() > 0)
        sleep_a_moment();
    lock_order_note_taken(LOCK_GATE);
}

void gate_fork_parent(void)
{
    lock_order_note_released(LOCK_GATE);
    atomic_store(&closed, false);
}

/* No thread but this one is in the child; it may be inside the gate. */
void gate_fork_child(void)
{
    for (int i = 0; i < STRIPES; i++)
        atomic_store(&stripes[i].inside, 0);
    gate_fork_parent();
    if (depth == 0)
        return;
    atomic_store(&own_stripe()->inside, 1);
    lock_order_note_taken(LOCK_GATE);
}

/* ---- the handlers ---- */

static const struct fork_part *parts;
static size_t part_count;
static _Alignas(CACHE_LINE) FORK_WRITES
    bool had_threads; /* the process that forks has others, noted by before_fork */
static FORK_WRITES atomic_bool
    has_locked_linker; /* of this process and its children: fork_has_locked_linker */

/* One fork at a time passes the gate and takes the locks. */
static FORK_WRITES pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER;

/*
 * Forks of this thread that are under way and took no lock, for it was busy. More than one where a handler forks in a
 * handler.
 */
static _Thread_local unsigned unprepared __attribute__((tls_model("initial-exec")));

static bool is_interrupted(void)
{
    return fork_busy > 0 || depth > 0;
}

/* A thread is a folder in /proc/self/task, whose number of links is 2 and one for each folder in it. */
static bool has_other_threads(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) != 0 ||
           (long)tasks.st_nlink - 2 > 1 + background_number();
}

static void before_fork(void)
{
    int saved_errno = errno;
    had_threads = has_other_threads();
    errno = saved_errno;
    if (is_interrupted()) {
        unprepared++;
        return;
    }
    fork_enter();
    lock_take(&forking, LOCK_FORKING);
    for (size_t i = 0; i < part_count; i++)
        if (parts[i].prepare != NULL)
            parts[i].prepare();
}

static void after_fork_in_parent(void)
{
    if (unprepared > 0) {
        unprepared--;
        return;
    }
    for (size_t i = part_count; i-- > 0;)
        if (parts[i].parent != NULL)
            parts[i].parent();
    lock_release(&forking, LOCK_FORKING);
    fork_leave();
}

static void after_unprepared_fork_in_child(void)
{
    unprepared = 0;
    for (size_t i = part_count; i-- > 0;)
        if (parts[i].child_unprepared != NULL)
            parts[i].child_unprepared();
}

static void after_fork_in_child(void)
{
    if (had_threads)
        atomic_store(&has_locked_linker, true);
    if (unprepared > 0) {
        after_unprepared_fork_in_child();
        return;
    }
    for (size_t i = part_count; i-- > 0;)
        if (parts[i].child != NULL)
            parts[i].child();
    lock_release(&forking, LOCK_FORKING);
    fork_leave();
}

void fork_watch(const struct fork_part *all, size_t count)
{
    parts = all;
    part_count = count;
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

bool fork_has_locked_linker(void)
{
    return atomic_load_explicit(&has_locked_linker, memory_order_relaxed);
}
