#define _GNU_SOURCE
#include "cshim/process/core.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cshim/process/direct.h"
#include "cshim/process/generation.h"
#include "cshim/process/say.h"
#include "cshim/process/signals.h"
#include "cshim/settings/config.h"

enum core_state { CORE_ASLEEP, CORE_RUNS, CORE_IMPOSSIBLE };

static _Atomic enum core_state state = CORE_ASLEEP;
static const struct core_generation *generation = &sslcache_core_generation;
/* A runtime was started, or nearly, by this process or by one that it was forked from: the next needs a copy. */
static bool begun;
static _Thread_local const struct core_generation *entered;
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

/* Go reserves its arenas and tables ahead; below this much address space its start ends the
 * process. */
enum { ADDRESS_SPACE_MIB = 2048 };

/* A Go runtime that cannot start ends the process, so we look first: here, and in threads.c. */
static const char *start_obstacle(void)
{
    size_t size = (size_t)ADDRESS_SPACE_MIB << 20;
    void *space = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED)
        return "too little address space (ulimit -v)";
    munmap(space, size);
    return NULL;
}

struct start {
    const struct core_generation *fresh;
    const char *obstacle; /* NULL: it runs */
};

/* A thread with nothing that Go's threads should not inherit: see start_in_thread. */
static void *run_start(void *argument)
{
    struct start *start = argument;
    cpu_set_t processors;
    /* Of the process: the thread that has the first session may be bound to one processor. */
    if (sched_getaffinity(getpid(), sizeof(processors), &processors) == 0)
        sched_setaffinity(0, sizeof(processors), &processors);
    signals_enter_thread();
    start->obstacle = start->fresh->start();
    return NULL;
}

/*
 * Go's threads inherit from the one that starts them. A real-time policy would let them spin before
 * those of the program that they wait for; they get the ordinary one.
 */
static const char *start_in_thread(const struct core_generation *fresh)
{
    struct start start = {.fresh = fresh, .obstacle = "too few threads can be made"};
    const struct sched_param ordinary = {.sched_priority = 0};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);
    pthread_attr_setschedparam(&attributes, &ordinary);
    if (pthread_create(&thread, &attributes, run_start, &start) == 0)
        pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return start.obstacle;
}

/* Runs the start with everything of the process that Go touches put back afterwards. */
static const char *start_unnoticed(const struct core_generation *fresh)
{
    struct rlimit files;
    bool limited = getrlimit(RLIMIT_NOFILE, &files) == 0;
    signals_enter_thread();
    struct signals_snapshot *before = signals_snapshot();
    const char *refused = start_in_thread(fresh);
    signals_restore(before, fresh);
    if (limited)
        setrlimit(RLIMIT_NOFILE, &files);
    return refused;
}

/* What the first core of this process is; before it starts. */
static const struct core_generation *_Atomic first_generation = &sslcache_core_generation;

void core_want_store(void)
{
    atomic_store(&first_generation, generation_with_store());
}

static const char *obstacle = "the cache can't be made";

const char *core_obstacle(void)
{
    return obstacle;
}

static enum core_state start_if_possible(void)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    obstacle = start_obstacle();
    const struct core_generation *fresh = atomic_load(&first_generation);
    if (obstacle == NULL && begun)
        fresh = generation_copy();
    if (obstacle == NULL && fresh == NULL)
        obstacle = "no copy of the library can be loaded in this forked process";
    if (obstacle == NULL) {
        begun = true;
        obstacle = start_unnoticed(fresh);
    }
    if (obstacle != NULL) {
        if (config.settings.verbose)
            say_once(&said, "the cache can't start: %s; libssl keeps the sessions itself",
                     obstacle);
        return CORE_IMPOSSIBLE;
    }
    generation = fresh;
    fresh->functions.direct(&directly);
    return CORE_RUNS;
}

/*
 * Go's threads inherit the mask of the thread that starts them: with all signals blocked, no signal
 * of the program is ever delivered to one of them. No handler runs in here either, which could
 * fork.
 */
static void start(void)
{
    sigset_t all, mask;
    int cancelling;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE,
                           &cancelling); /* libssl can't be cancelled here */
    atomic_store_explicit(&state, start_if_possible(), memory_order_release);
    pthread_setcancelstate(cancelling, NULL);
    pthread_sigmask(SIG_SETMASK, &mask, NULL); /* a handler may fork now, and go on in the child */
}

/*
 * The first call of Go on a thread gives the thread to the runtime until it ends, and unblocks signals
 * that the program may have blocked. That is undone here, once a thread and generation.
 */
static void enter_unnoticed(void)
{
    sigset_t mask;
    signals_enter_thread();
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    generation->functions.panics();
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    entered = generation;
}

const struct core_functions *core(void)
{
    enum core_state now = atomic_load_explicit(&state, memory_order_acquire);
    if (now == CORE_ASLEEP) {
        int saved_errno = errno;
        pthread_mutex_lock(&starting);
        if (atomic_load_explicit(&state, memory_order_relaxed) == CORE_ASLEEP)
            start();
        now = atomic_load_explicit(&state, memory_order_relaxed);
        pthread_mutex_unlock(&starting);
        errno = saved_errno;
    }
    if (now != CORE_RUNS)
        return NULL;
    if (entered != generation)
        enter_unnoticed();
    return &generation->functions;
}

const struct store_functions *core_store(void)
{
    return core() != NULL ? generation->store : NULL;
}

const struct core_functions *core_running(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) == CORE_RUNS ? core() : NULL;
}

int core_threads(void)
{
    return atomic_load(&state) == CORE_RUNS ? generation->threads() : 0;
}

void core_fork_prepare(void)
{
    pthread_mutex_lock(&starting);
}

void core_fork_parent(void)
{
    pthread_mutex_unlock(&starting);
}

void core_fork_child(void)
{
    pthread_mutex_init(&starting, NULL);
    if (atomic_load(&state) == CORE_RUNS)
        atomic_store(&state, CORE_ASLEEP);
}
