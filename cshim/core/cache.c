#define _GNU_SOURCE
#include "cshim/core/cache.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cshim/core/golibrary.h"
#include "cshim/process/clock.h"
#include "cshim/process/say.h"
#include "cshim/settings/config.h"

static const struct core_functions direct = {
#define X(result, name, arguments) .name = direct_##name,
    CORE_FUNCTIONS(X)
#undef X
};

const struct core_functions *cache_functions = &direct;

/* ---- what a cache asks of the process ---- */

static void *map(uint64_t size)
{
    int saved_errno = errno;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    errno = saved_errno;
    return memory != MAP_FAILED ? memory : NULL;
}

static void unmap(void *memory, uint64_t size)
{
    int saved_errno = errno;
    munmap(memory, size);
    errno = saved_errno;
}

/* Also in the first round: nothing else is sure to let the thread run that is waited for (clock.h). */
static void pause_for(uint32_t round)
{
    enum { SHORTEST_NS = 1000, LONGEST = 10 };
    clock_sleep((int64_t)SHORTEST_NS << (round < LONGEST ? round : LONGEST));
}

/* Called where Go panics, which it can by way of cgo only. */
static void say_panicked(void)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    say_once(&was_said, "a cache has failed and is empty from now on; please report this");
}

static struct core_host host = {
    .map = map, .unmap = unmap, .pause = pause_for, .panicked = say_panicked};

/* ---- what is found out once ---- */

static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 33) * 0xff51afd7ed558ccdU;
    number = (number ^ number >> 33) * 0xc4ceb9fe1a85ec53U;
    return number ^ number >> 33;
}

/* Where getrandom(2) fails, on an old kernel or by a filter: from the 16 random bytes that each process gets at its start. */
static void seed_from_start(void)
{
    const uint64_t *random = (const uint64_t *)getauxval(AT_RANDOM);
    uint64_t state =
        (uint64_t)clock_now(CLOCK_MONOTONIC) ^ (random != NULL ? random[0] : (uint64_t)getpid());
    for (size_t i = 0; i < sizeof(host.seed) / sizeof(host.seed[0]); i++)
        host.seed[i] = mix(state += 0x9e3779b97f4a7c15U + (random != NULL ? random[i % 2] : 0));
}

static void prepare_host(void)
{
    enum { WITHOUT_WAITING = 1 }; /* GRND_NONBLOCK */
    cpu_set_t processors;
    int saved_errno = errno;
    if (syscall(SYS_getrandom, host.seed, sizeof(host.seed), WITHOUT_WAITING) !=
        (long)sizeof(host.seed))
        seed_from_start();
    bool is_known = sched_getaffinity(0, sizeof(processors), &processors) == 0;
    host.processors = is_known ? (uint32_t)CPU_COUNT(&processors) : 1;
    errno = saved_errno;
}

static pthread_once_t host_once = PTHREAD_ONCE_INIT;

/* ---- the way ---- */

void cache_prepare(void)
{
    pthread_once(&host_once, prepare_host);
    if (config.settings.core == CORE_CGO)
        golibrary_load();
}

static void choose_way(void)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    static bool is_chosen;
    const char *reason;
    if (is_chosen || config.settings.core != CORE_CGO)
        return;
    is_chosen = true;
    const struct core_functions *by_cgo = golibrary_core(&reason);
    if (by_cgo != NULL)
        cache_functions = by_cgo;
    else
        say_once(&was_said, "SSLCACHE_CORE=cgo: %s; the cache is called directly", reason);
}

core_handle cache_direct_handle(core_handle cache)
{
    return cache_functions != &direct ? golibrary_address(cache) : cache;
}

/* By way of cgo Go has put its own functions into the host, and its runtime is dead in the child. */
bool cache_fork_child(void)
{
    if (cache_functions == &direct)
        return false;
    host.map = map;
    host.unmap = unmap;
    host.pause = pause_for;
    cache_functions = &direct;
    return true;
}

core_handle cache_new(const struct core_rules *rules)
{
    pthread_once(&host_once, prepare_host);
    choose_way();
    return cache_functions->cache_new(&host, rules);
}

void cache_lock_memory(void)
{
    cache_functions->lock_memory(&host);
}

void cache_unlock_memory(void)
{
    cache_functions->unlock_memory(&host);
}
