#define _GNU_SOURCE
#include "cshim/core/golibrary.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cshim/process/background.h"
#include "cshim/process/clock.h"
#include "cshim/process/futex.h"
#include "cshim/settings/config.h"

/* ---- whether there is what a runtime needs ---- */

/* Go reserves address space for its tables and uses little of it. A program that has not so much left needs it itself. */
enum { ADDRESS_SPACE_MIB = 2048, MEMORY_MIB = 48 };

static bool can_map(size_t mebibytes, int protection)
{
    size_t size = mebibytes << 20;
    void *space = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED)
        return false;
    munmap(space, size);
    return true;
}

static const char *obstacle_to_memory(void)
{
    if (!can_map(ADDRESS_SPACE_MIB, PROT_NONE))
        return "too little address space (ulimit -v)";
    if (!can_map(MEMORY_MIB, PROT_READ | PROT_WRITE))
        return "too little memory (ulimit -d)";
    return NULL;
}

/* So many threads a runtime makes within its first second. */
enum { THREADS_NEEDED = 8 };

static atomic_uint trial_is_over, in_trial;

static void *wait_in_trial(void *unused)
{
    while (atomic_load(&trial_is_over) == 0)
        futex_wait(&trial_is_over, 0, INT64_MAX);
    atomic_fetch_sub(&in_trial, 1);
    futex_wake(&in_trial);
    return unused;
}

static bool can_have_threads(void)
{
    int started = 0;
    atomic_store(&trial_is_over, 0);
    atomic_store(&in_trial, THREADS_NEEDED);
    while (started < THREADS_NEEDED && background_start(wait_in_trial))
        started++;
    atomic_fetch_sub(&in_trial, (unsigned)(THREADS_NEEDED - started));
    atomic_store(&trial_is_over, 1);
    futex_wake(&trial_is_over);
    for (unsigned left; (left = atomic_load(&in_trial)) != 0;)
        futex_wait(&in_trial, left, INT64_MAX);
    return started == THREADS_NEEDED;
}

/* ---- loading ---- */

static char path[PATH_MAX]; /* of libsslcache-go.so.1; "": no setting needs it */
static pid_t
    first_process; /* that has loaded us; in any other, which was forked, the linker may hang */
static _Atomic(const struct go_library *) library;

static bool is_wanted(void)
{
    return config.settings.store[0] != '\0' || config.settings.core == CORE_CGO;
}

/* Now, for the program may change its working directory, and a forked child must not ask the dynamic linker. */
__attribute__((constructor)) static void note_path(void)
{
    Dl_info own;
    char folder[PATH_MAX] = "";
    first_process = getpid();
    if (!is_wanted() || dladdr(&config, &own) == 0)
        return;
    const char *slash = strrchr(own.dli_fname, '/');
    int length = slash != NULL ? (int)(slash - own.dli_fname) + 1 : 0;
    if (own.dli_fname[0] != '/' && getcwd(folder, sizeof(folder)) == NULL)
        return;
    int written = snprintf(path, sizeof(path), "%s%s%.*slibsslcache-go.so.1", folder,
                           folder[0] != '\0' ? "/" : "", length, own.dli_fname);
    if (written >= (int)sizeof(path))
        path[0] = '\0';
}

static void find_table(void)
{
    if (obstacle_to_memory() != NULL)
        return; /* the program needs the memory that there is */
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct go_library *found = object != NULL ? dlsym(object, "sslcache_go_library") : NULL;
    if (found == NULL)
        dlerror(); /* takes our error away, which a dlerror(3) of the program would show */
    else if (strcmp(found->version, SSLCACHE_VERSION) == 0)
        atomic_store(&library, found);
}

enum { UNKNOWN, LOADING, LOADED };

static atomic_uint loading = UNKNOWN;

static void *load(void *unused)
{
    find_table();
    atomic_store(&loading, LOADED);
    futex_wake(&loading);
    return unused;
}

/* The caller waits, for the program may give up its rights as soon as it goes on; but not for ever. */
static void load_on_a_thread(void)
{
    const int64_t patience = 2000000000, deadline = clock_now(CLOCK_MONOTONIC) + patience;
    unsigned unknown = UNKNOWN;
    if (atomic_compare_exchange_strong(&loading, &unknown, LOADING) && !background_start(load))
        atomic_store(&loading, LOADED);
    while (atomic_load(&loading) == LOADING && futex_wait(&loading, LOADING, deadline))
        ;
}

static const char *obstacle_to_loading(void)
{
    static const char *const unknown =
        "libsslcache-go.so.1 can't be loaded from the folder of libsslcache.so";
    if (atomic_load(&library) != NULL)
        return NULL;
    const char *memory = obstacle_to_memory();
    return memory != NULL ? memory : unknown;
}

const char *golibrary_load(void)
{
    if (atomic_load(&loading) != LOADED) {
        if (getpid() == first_process)
            load(NULL); /* by two threads at once, that does no harm */
        else
            load_on_a_thread();
    }
    return obstacle_to_loading();
}

/* ---- descriptors of its own ---- */

/* Before Linux 5.9 there is no close_range(2). */
static bool unshare_one_by_one(void)
{
    struct rlimit limit;
    if (unshare(CLONE_FILES) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    const rlim_t most = 1 << 20;
    for (rlim_t number = 0; number < limit.rlim_max && number < most; number++)
        close((int)number);
    return true;
}

/* Of this thread and those that it makes: a table without any descriptor. The program's stays as it is. */
static bool unshare_descriptors(void)
{
    enum { UNSHARE = 2 }; /* CLOSE_RANGE_UNSHARE */
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 0U, ~0U, UNSHARE) == 0)
        return true;
#endif
    return unshare_one_by_one();
}

/* So that nothing else gets the numbers 0 to 2: what libc or Go writes to standard error goes to /dev/null. */
static void fill_standard_streams(void)
{
    for (int number = 0; number <= STDERR_FILENO; number++)
        if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
            epoll_create1(EPOLL_CLOEXEC);
}

/* ---- the start ---- */

enum { ASLEEP, STARTING, RUNS, IMPOSSIBLE };

static atomic_uint state = ASLEEP;
static const char *obstacle; /* written before the state is IMPOSSIBLE */

/* The library's data before its first start, by this process or one that it was forked from. */
static struct go_image image;

static const char *obstacle_to_start(void)
{
    if (atomic_load(&loading) == UNKNOWN)
        load(NULL);
    if (atomic_load(&library) == NULL)
        return obstacle_to_loading();
    if (config.settings.core == CORE_CGO && image.data != NULL)
        return "the program's threads have called Go before this process was forked";
    const char *memory = obstacle_to_memory();
    if (memory != NULL)
        return memory;
    return can_have_threads() ? NULL : "too few threads can be made";
}

/* By way of cgo the program's threads run Go, and use its poller's descriptors: all have the program's table then. */
static bool has_descriptors(void)
{
    if (config.settings.core == CORE_CGO)
        return true;
    if (!unshare_descriptors())
        return false;
    fill_standard_streams();
    return true;
}

/* Go raises the limit on open files as far as it may. Put back, unless the program has set another meanwhile. */
static void put_limit_back(const struct rlimit *before)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == now.rlim_max - 1 &&
        now.rlim_cur != before->rlim_cur)
        setrlimit(RLIMIT_NOFILE, before);
}

static const char *start(void)
{
    struct rlimit files;
    cpu_set_t processors;
    const char *fault = obstacle_to_start();
    if (fault != NULL)
        return fault;
    if (!has_descriptors())
        return "its threads can have no descriptors of their own";
    /* Of the process: the thread that made this one may be bound to one processor. */
    if (sched_getaffinity(getpid(), sizeof(processors), &processors) == 0)
        sched_setaffinity(0, sizeof(processors), &processors);
    bool is_limited = getrlimit(RLIMIT_NOFILE, &files) == 0;
    fault = atomic_load(&library)->start(&image);
    if (is_limited)
        put_limit_back(&files);
    return fault;
}

static void start_once(void)
{
    unsigned asleep = ASLEEP;
    if (!atomic_compare_exchange_strong(&state, &asleep, STARTING))
        return;
    obstacle = start();
    atomic_store(&state, obstacle == NULL ? RUNS : IMPOSSIBLE);
    futex_wake(&state);
}

static bool runs(int64_t deadline, const char **reason)
{
    unsigned now;
    while ((now = atomic_load(&state)) < RUNS)
        if (!futex_wait(&state, now, deadline)) {
            *reason = "its runtime does not start";
            return false;
        }
    *reason = obstacle;
    return now == RUNS;
}

const struct go_library *golibrary_start(const char **reason)
{
    start_once();
    return runs(INT64_MAX, reason) ? atomic_load(&library) : NULL;
}

static void *start_for_core(void *unused)
{
    start_once();
    return unused;
}

const struct core_functions *golibrary_core(const char **reason)
{
    const int64_t patience = 10000000000;
    if (atomic_load(&state) == ASLEEP && !background_start(start_for_core)) {
        *reason = "no thread can be made";
        return NULL;
    }
    return runs(clock_now(CLOCK_MONOTONIC) + patience, reason) ? &atomic_load(&library)->core
                                                               : NULL;
}

core_handle golibrary_address(core_handle cache)
{
    return atomic_load(&library)->address(cache);
}

void golibrary_fork_child(void)
{
    unsigned under_way = LOADING;
    atomic_compare_exchange_strong(&loading, &under_way, UNKNOWN);
    atomic_store(&state, ASLEEP);
}
