#define _GNU_SOURCE
#include "cshim/core.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cshim/config.h"
#include "cshim/direct.h"
#include "cshim/say.h"
#include "cshim/signals.h"
#include "cshim/threads.h"

/*
 * Go's entry of a c-archive stands in .init_array. The build renames that section, so that loading
 * the library starts nothing, and the linker gives us its bounds under the new name.
 */
typedef void (*go_entry)(int argc, char **argv, char **envp);
extern const go_entry __start_sslcache_go_entry[] __attribute__((visibility("hidden")));
extern const go_entry __stop_sslcache_go_entry[] __attribute__((visibility("hidden")));

/* One generation of the core: how to start its runtime, and its functions. */
struct core_generation {
    bool (*start)(void); /* false: there are too few threads for one */
    int (*threads)(void);
    struct core_functions functions;
    const struct store_functions *store; /* NULL: it has none */
};

static bool start_runtime(void);

/* Linked in where the core has the store. */
extern const struct store_functions sslcache_store_functions __attribute__((weak));

/* Looked up by name in the copy of this library that a forked child loads. */
extern const struct core_generation sslcache_core_generation;
const struct core_generation sslcache_core_generation = {.start = start_runtime,
                                                         .threads = threads_number,
                                                         .functions =
                                                             {
#define X(result, name, arguments) .name = core_##name,
                                                                 CORE_FUNCTIONS(X)
#undef X
                                                             },
                                                         .store = &sslcache_store_functions};

enum core_state { CORE_ASLEEP, CORE_RUNS, CORE_IMPOSSIBLE };

static _Atomic enum core_state state = CORE_ASLEEP;
static const struct core_generation *generation = &sslcache_core_generation;
static unsigned copies_made; /* by this process and the ones that it was forked from */
static bool needs_copy;      /* this process was forked from one whose core ran */
static _Thread_local const struct core_generation *entered;
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

/* Each copy stays mapped in the children of its process: about 3 MB a generation. */
enum { GENERATIONS_MAX = 64 };

/* Go reserves its arenas and tables ahead; below this much address space its start ends the
 * process. */
enum { ADDRESS_SPACE_MIB = 2048 };

/* What Go reads of the process: a block of our own, for the program's GODEBUG and GOGC are not
 * ours. */
static const char *const go_environment[] = {
    /* No signals to preempt threads; no look at cgroup files, whose descriptors could be closed. */
    "GODEBUG=asyncpreemptoff=1,containermaxprocs=0,updatemaxprocs=0",
    "GOTRACEBACK=none",
    /* A cache that fills grows without garbage: half as many collections cost hardly any memory. */
    "GOGC=200",
    /* A thread that is back in C keeps its processor for a while: there must be some to spare, else
     * the next call of another thread waits for one. */
    "GOMAXPROCS=8",
};

enum { GO_ENVIRONMENT_SIZE = sizeof(go_environment) / sizeof(go_environment[0]) };

struct start_block {
    const char *argv[2];
    const char *envp[GO_ENVIRONMENT_SIZE + 1];
    ElfW(auxv_t) auxv[8];
};

static void fill_start_block(struct start_block *block)
{
    /* Go wipes the random bytes that it is given: the program's own must stay. */
    static unsigned char random_bytes[16];
    ssize_t got = getrandom(random_bytes, sizeof(random_bytes), GRND_NONBLOCK);
    (void)got;

    static const unsigned long copied[] = {AT_PAGESZ, AT_HWCAP, AT_HWCAP2, AT_SYSINFO_EHDR,
                                           AT_SECURE};
    *block = (struct start_block){.argv = {"sslcache", NULL}};
    memcpy(block->envp, go_environment, sizeof(go_environment));
    size_t used = 0;
    for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
        block->auxv[used++] = (ElfW(auxv_t)){copied[i], {getauxval(copied[i])}};
    block->auxv[used++] = (ElfW(auxv_t)){AT_RANDOM, {(uintptr_t)random_bytes}};
    block->auxv[used] = (ElfW(auxv_t)){AT_NULL, {0}};
}

/* Starts the Go runtime of this very library and waits until it serves. */
static bool start_runtime(void)
{
    if (!threads_prepare())
        return false;
    static struct start_block block; /* Go keeps pointers into it */
    fill_start_block(&block);
    for (const go_entry *entry = __start_sslcache_go_entry; entry < __stop_sslcache_go_entry;
         entry++)
        (*entry)(1, (char **)block.argv, (char **)block.envp);
    core_panics(); /* any function of Go waits for the runtime */
    return true;
}

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
    bool done;
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
    start->done = start->fresh->start();
    return NULL;
}

/*
 * Go's threads inherit from the one that starts them. A real-time policy would let them spin before
 * those of the program that they wait for; they get the ordinary one.
 */
static bool start_in_thread(const struct core_generation *fresh)
{
    struct start start = {.fresh = fresh, .done = false};
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
    return start.done;
}

/* Runs the start with everything of the process that Go touches put back afterwards. */
static bool start_unnoticed(const struct core_generation *fresh)
{
    struct rlimit files;
    bool limited = getrlimit(RLIMIT_NOFILE, &files) == 0;
    signals_enter_thread();
    struct signals_snapshot *before = signals_snapshot();
    bool done = start_in_thread(fresh);
    signals_restore(before, fresh);
    if (limited)
        setrlimit(RLIMIT_NOFILE, &files);
    return done;
}

/* The file of this library; "" where it can't be told. */
static const char *own_path(void)
{
    Dl_info info;
    return dladdr((void *)&sslcache_core_generation, &info) != 0 ? info.dli_fname : "";
}

/* The file that the core was loaded from: a later one under its name may be another build. */
static char core_path[PATH_MAX];
static struct stat core_file;

static void note_core_file(const char *path)
{
    snprintf(core_path, sizeof(core_path), "%s", path);
    if (stat(core_path, &core_file) != 0)
        core_file = (struct stat){0};
}

__attribute__((constructor)) static void note_own_file(void)
{
    note_core_file(own_path());
}

static bool is_core_file(int file)
{
    struct stat now;
    return fstat(file, &now) == 0 && now.st_ino == core_file.st_ino &&
           now.st_dev == core_file.st_dev && now.st_size == core_file.st_size &&
           now.st_mtim.tv_sec == core_file.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == core_file.st_mtim.tv_nsec;
}

static atomic_bool store_wanted; /* before the core starts */

void core_want_store(void)
{
    atomic_store(&store_wanted, true);
}

/* The library beside ours whose core has the store, or our own where it can't be loaded. */
static const struct core_generation *store_generation(void)
{
    char path[PATH_MAX];
    const char *own = own_path(), *slash = strrchr(own, '/');
    int folder = slash != NULL ? (int)(slash - own) + 1 : 0;
    if (snprintf(path, sizeof(path), "%.*slibsslcache-store.so.1", folder, own) >= PATH_MAX)
        return &sslcache_core_generation;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return &sslcache_core_generation;
    note_core_file(path);
    return dlsym(library, "sslcache_core_generation");
}

static bool copy_file(int from, int to)
{
    struct stat file;
    if (fstat(from, &file) != 0)
        return false;
    for (off_t done = 0; done < file.st_size;)
        if (sendfile(to, from, &done, (size_t)(file.st_size - done)) <= 0)
            return false;
    return true;
}

/* The dynamic linker takes a path that it has seen for the library that it knows: each generation's
 * path has one slash more. */
static void name_copy(char *path, size_t size, int memory)
{
    static const char slashes[] =
        "////////////////////////////////////////////////////////////////";
    static_assert(sizeof(slashes) - 1 == GENERATIONS_MAX, "one slash a generation");
    snprintf(path, size, "/proc/self/fd/%.*s%d", (int)copies_made, slashes, memory);
}

/*
 * A second library in this process, made of the file of the first core: it has a Go runtime of its own, which has
 * not started yet. The one that was forked is dead and left alone.
 */
static const struct core_generation *copy_generation(void)
{
    char path[sizeof("/proc/self/fd/") + GENERATIONS_MAX + 16];
    if (copies_made == GENERATIONS_MAX)
        return NULL;
    copies_made++;
    int file = open(core_path, O_RDONLY | O_CLOEXEC);
    int memory = memfd_create("libsslcache.so", MFD_CLOEXEC);
    void *library = NULL;
    if (file >= 0 && memory >= 0 && is_core_file(file) && copy_file(file, memory)) {
        name_copy(path, sizeof(path), memory);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (file >= 0)
        close(file);
    if (memory >= 0)
        close(memory);
    if (library == NULL)
        return NULL;
    return dlsym(library, "sslcache_core_generation");
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
    const struct core_generation *fresh = &sslcache_core_generation;
    if (obstacle == NULL && atomic_load(&store_wanted) && !needs_copy)
        fresh = store_generation();
    if (obstacle == NULL && needs_copy) {
        fresh = copy_generation();
        if (fresh == NULL)
            obstacle = "no copy of the library can be loaded in this forked process";
    }
    if (obstacle == NULL && !start_unnoticed(fresh))
        obstacle = "too few threads can be made";
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
static enum core_state start(void)
{
    sigset_t all, mask;
    int cancelling;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE,
                           &cancelling); /* libssl can't be cancelled here */
    enum core_state now = start_if_possible();
    pthread_setcancelstate(cancelling, NULL);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return now;
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
        now = atomic_load_explicit(&state, memory_order_relaxed);
        if (now == CORE_ASLEEP) {
            now = start();
            atomic_store_explicit(&state, now, memory_order_release);
        }
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
    if (atomic_load(&state) != CORE_RUNS)
        return;
    needs_copy = true;
    atomic_store(&state, CORE_ASLEEP);
}
