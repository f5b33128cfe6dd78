/*
 * alone.c - a program of the cache alone: no libssl, no libsslcache, no Go runtime. Its argument says what it does; it
 * ends with 0 if all was as it has to be, and else says what was not.
 */
#include "capi/core.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPECT(what)                                                                               \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #what);                             \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static const struct core_rules rules = {.counts_newcomer = 1};

static _Atomic uint64_t mapped, mappings, left = UINT64_MAX;

static void *map(uint64_t size)
{
    if (left < size)
        return NULL;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    left -= size;
    mapped += size;
    mappings++;
    return memory;
}

static void unmap(void *memory, uint64_t size)
{
    EXPECT(munmap(memory, size) == 0);
    left += size;
    mapped -= size;
    mappings--;
}

static void pause_for(uint32_t round)
{
    if (round < 4)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = 1000L << (round < 14 ? round - 4 : 10)}, NULL);
}

static struct core_host host = {
    .map = map, .unmap = unmap, .pause = pause_for, .seed = {1, 2, 3, 4, 5, 6, 7}, .processors = 2};

static struct core_entry entry_of(uint64_t number, int64_t expiry)
{
    struct core_entry entry = {
        .session = number + 1, .expiry = expiry, .version = 0x304, .id_length = 32};
    uint64_t other = number * 0x9e3779b97f4a7c15;
    memcpy(entry.id, &number, 8);
    memcpy(entry.id + 24, &other, 8);
    return entry;
}

static int64_t add(core_handle cache, uint64_t number, int64_t expiry, int64_t limit,
                   struct core_answer *answer)
{
    struct core_entry entry = entry_of(number, expiry);
    return direct_add(cache, &entry, limit, answer);
}

static core_session remove_one(core_handle cache, uint64_t number)
{
    struct core_entry entry = entry_of(number, 0);
    return direct_remove(cache, &entry);
}

static int threads_at_first; /* 1, or what an emulator has of its own */

static int threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    while (readdir(tasks) != NULL)
        count++;
    closedir(tasks);
    return count - 2;
}

/* Each function of core.h, as it says there. */
static void contract(void)
{
    core_handle cache = direct_cache_new(&host, &rules);
    struct core_answer answer = {7, 7, 7};
    EXPECT(cache != NULL);
    EXPECT(direct_number(cache) == 0);
    EXPECT(add(cache, 1, 100, 0, &answer) == 1 && answer.replaced == 0 && answer.session == 0 &&
           !answer.more);
    EXPECT(add(cache, 1, 100, 0, &answer) == 0 && !answer.more);

    struct core_entry other = entry_of(1, 100);
    other.session = 77;
    EXPECT(direct_add(cache, &other, 0, &answer) == 1 && answer.replaced == 2);
    EXPECT(direct_contains(cache, &other) == 1);
    struct core_found found;
    EXPECT(direct_lookup(cache, &other, &found) == 1 && found.session == 77 && found.held != NULL);
    direct_release(found.held);
    struct core_entry missing = entry_of(9, 0);
    EXPECT(direct_lookup(cache, &missing, &found) == 0 && found.session == 0);
    EXPECT(direct_contains(cache, &missing) == 0);

    EXPECT(add(cache, 2, 50, 0, &answer) == 1);
    EXPECT(add(cache, 3, 200, 0, &answer) == 1);
    EXPECT(add(cache, 4, 10, 3, &answer) == 1 && answer.session == 3 && answer.more);
    EXPECT(direct_evict(cache, 3, 5, &answer) == 1 && answer.session == 77 && !answer.more);
    EXPECT(direct_evict(cache, 3, 5, &answer) == 0 && answer.session == 0 && !answer.more);
    EXPECT(direct_evict_random(cache, 12345, 5) == 4);
    EXPECT(direct_evict_random(cache, 12345, 5) == 0);
    struct core_entry fourth = entry_of(4, 300);
    EXPECT(direct_reschedule(cache, &fourth) == 1);
    fourth.session = 6;
    EXPECT(direct_reschedule(cache, &fourth) == 0);

    uint64_t cursor = 0;
    core_session sessions[3];
    EXPECT(direct_expire(cache, 300, &cursor, sessions, 3) == 0);
    for (uint64_t i = 10; i < 14; i++)
        EXPECT(add(cache, i, 400 - (int64_t)i, 0, &answer) == 1);
    cursor = 0;
    EXPECT(direct_expire(cache, 1000, &cursor, sessions, 3) == 3);
    EXPECT(sessions[0] == 5 && sessions[1] == 14 && sessions[2] == 13);
    struct core_entry listed[3];
    cursor = 0;
    EXPECT(direct_entries(cache, &cursor, listed, 1) == 1 && cursor != 0);
    EXPECT(direct_entries(cache, &cursor, listed, 3) == 1 && cursor == 0);
    EXPECT(listed[0].version == 0x304 && listed[0].id_length == 32 && listed[0].expiry >= 389);
    EXPECT(direct_remove(cache, &listed[0]) == listed[0].session);
    EXPECT(direct_remove(cache, &listed[0]) == 0);
    cursor = 0;
    EXPECT(direct_drain(cache, &cursor, sessions, 3) == 1);

    struct core_stats stats;
    direct_stats(cache, &stats);
    EXPECT(stats.number == 0 && stats.peak == 5 && stats.stored == 9 && stats.found == 1 &&
           stats.missed == 1);
    EXPECT(stats.replaced == 1 && stats.evicted == 3 && stats.expired == 4 && stats.removed == 1);
    direct_cache_free(cache);
}

enum { MILLION = 1000 * 1000 };

static void million(void)
{
    core_handle cache = direct_cache_new(&host, &rules);
    struct core_answer answer;
    for (uint64_t i = 0; i < MILLION; i++)
        EXPECT(add(cache, i, (int64_t)(i >> 10), 0, &answer) == 1);
    EXPECT(direct_number(cache) == MILLION);
    printf("%.1f bytes for each of %d sessions\n", (double)mapped / MILLION, MILLION);
    for (uint64_t i = 0; i < MILLION - 1000; i++)
        EXPECT(remove_one(cache, i) == i + 1);
    EXPECT(direct_number(cache) == 1000);
    printf("%lu bytes mapped for the last 1000\n", (unsigned long)mapped);
    EXPECT(mapped < 12 << 20);
    for (uint64_t i = MILLION - 1000; i < MILLION; i++)
        EXPECT(remove_one(cache, i) == i + 1);
    direct_cache_free(cache);
    EXPECT(threads() <= threads_at_first);
}

static core_handle shared;

static void *work(void *argument)
{
    uint64_t first = (uint64_t)(uintptr_t)argument << 40;
    struct core_answer answer;
    core_session gone[8];
    for (uint64_t i = first; i < first + 200000; i++) {
        EXPECT(add(shared, i, (int64_t)(i & 63), 5000, &answer) == 1);
        while (answer.more && direct_evict(shared, 5000, i + 1, &answer))
            ;
        struct core_entry entry = entry_of(i - i % 3, 0);
        struct core_found found;
        if (direct_lookup(shared, &entry, &found))
            direct_release(found.held);
        if (i % 5 == 0)
            remove_one(shared, i - 1);
        if (i % 20000 == 0) {
            uint64_t cursor = 0;
            while (direct_expire(shared, 20, &cursor, gone, 8) == 8)
                ;
        }
    }
    return NULL;
}

static void start(pthread_t *running, int count)
{
    for (int i = 0; i < count; i++)
        EXPECT(pthread_create(&running[i], NULL, work, (void *)(uintptr_t)(i + 1)) == 0);
}

static void join(pthread_t *running, int count)
{
    for (int i = 0; i < count; i++)
        EXPECT(pthread_join(running[i], NULL) == 0);
}

static void at_once(void)
{
    pthread_t running[4];
    shared = direct_cache_new(&host, &rules);
    start(running, 4);
    join(running, 4);
    struct core_stats stats;
    direct_stats(shared, &stats);
    EXPECT(stats.number <= 4999);
    EXPECT(stats.stored == 4 * 200000);
    EXPECT(stats.stored ==
           stats.number + stats.replaced + stats.evicted + stats.expired + stats.removed);
    direct_cache_free(shared);
}

/* A child that is forked while threads work has a cache at rest, which it may use. */
static void forks(void)
{
    pthread_t running[3];
    shared = direct_cache_new(&host, &rules);
    start(running, 3);
    for (int i = 0; i < 100; i++) {
        direct_lock(shared);
        direct_lock_memory(&host);
        pid_t child = fork();
        direct_unlock_memory(&host);
        direct_unlock(shared);
        EXPECT(child >= 0);
        if (child == 0) {
            struct core_answer answer;
            core_session gone[16];
            uint64_t number = 0, taken = 0, cursor = 0;
            for (uint64_t j = 0; j < 1000; j++)
                EXPECT(add(shared, j, 1, 0, &answer) == 1);
            number = (uint64_t)direct_number(shared);
            for (uint64_t n; (n = direct_drain(shared, &cursor, gone, 16)) > 0;)
                taken += n;
            EXPECT(taken == number && direct_number(shared) == 0);
            EXPECT(threads() <= threads_at_first);
            direct_cache_free(shared);
            _exit(0);
        }
        int status;
        EXPECT(waitpid(child, &status, 0) == child && status == 0);
        usleep(1000);
    }
    join(running, 3);
    direct_cache_free(shared);
}

/* Where there is no more memory an add answers 0, nothing has happened, and all goes on. */
static void no_memory(void)
{
    left = 0;
    EXPECT(direct_cache_new(&host, &rules) == NULL);
    left = 3 << 20;
    core_handle cache = direct_cache_new(&host, &rules);
    EXPECT(cache != NULL);
    struct core_answer answer;
    uint64_t added = 0, refused = 0;
    for (uint64_t i = 0; refused < 1000; i++) {
        memset(&answer, 7, sizeof(answer));
        if (add(cache, i, 100, 0, &answer)) {
            added++;
            continue;
        }
        refused++;
        EXPECT(!answer.more && answer.session == 0 && answer.replaced == 0);
        EXPECT(direct_number(cache) == (int64_t)added);
    }
    EXPECT(added > 10000);
    core_handle others[64];
    int made = 0;
    while (made < 64 && (others[made] = direct_cache_new(&host, &rules)) != NULL)
        made++;
    while (made > 0)
        direct_cache_free(others[--made]);
    EXPECT(add(cache, UINT64_MAX / 2, 100, 2, &answer) == 0 || answer.session != 0);
    left = 64 << 20;
    EXPECT(add(cache, UINT64_MAX - 1, 100, 0, &answer) == 1);
    direct_cache_free(cache);
}

/* Thousands of caches of one session each: about a page for each, and few mappings. */
static void many_caches(void)
{
    enum { CACHES = 20000 };
    core_handle *caches = malloc(CACHES * sizeof(*caches));
    struct core_answer answer;
    for (uint64_t i = 0; i < CACHES; i++) {
        EXPECT((caches[i] = direct_cache_new(&host, &rules)) != NULL);
        EXPECT(add(caches[i], i, 100, 0, &answer) == 1);
    }
    printf("%lu bytes for a cache of one session, %lu mappings\n", (unsigned long)(mapped / CACHES),
           (unsigned long)mappings);
    EXPECT(mapped / CACHES < 2048);
    EXPECT(mappings < 100);
    for (uint64_t i = 0; i < CACHES; i++) {
        EXPECT(remove_one(caches[i], i) == i + 1);
        direct_cache_free(caches[i]);
    }
    EXPECT(mappings <= 2);
    free(caches);
}

static unsigned char small_stack[PTHREAD_STACK_MIN] __attribute__((aligned(4096)));

static void *fill_and_empty(void *cache)
{
    struct core_answer answer;
    for (uint64_t i = 0; i < 100000; i++)
        EXPECT(add(cache, i, (int64_t)(i * 7919 % 1000), 0, &answer) == 1);
    for (uint64_t i = 0; i < 100000; i++)
        EXPECT(remove_one(cache, i) == i + 1);
    return NULL;
}

/* A thread may have 16 KB of stack, on amd64. How much of it was used, this program's own frames included, is what was written to. */
static void little_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    core_handle cache = direct_cache_new(&host, &rules);
    memset(small_stack, 0x5a, sizeof(small_stack));
    EXPECT(pthread_attr_init(&attributes) == 0);
    EXPECT(pthread_attr_setstack(&attributes, small_stack, sizeof(small_stack)) == 0);
    EXPECT(pthread_create(&thread, &attributes, fill_and_empty, cache) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    size_t untouched = 0;
    while (untouched < sizeof(small_stack) && small_stack[untouched] == 0x5a)
        untouched++;
    printf("%zu bytes of stack were used, the thread's own included\n",
           sizeof(small_stack) - untouched);
    EXPECT(sizeof(small_stack) - untouched < 8192);
    direct_cache_free(cache);
}

static double nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

enum { HELD = 10000, ROUNDS = 50, KINDS = 6 };

/* What each operation costs with 10,000 sessions of equal timeouts: the least of some rounds. */
static void speed(void)
{
    static const char *const names[KINDS] = {"fill", "add",           "remove",
                                             "pair", "add when full", "flush"};
    double least[KINDS] = {1e9, 1e9, 1e9, 1e9, 1e9, 1e9};
    struct core_answer answer;
    static struct core_entry entries[4 * HELD];
    core_session gone[64];
    for (uint64_t i = 0; i < 4 * HELD; i++)
        entries[i] = entry_of(i, 100);
    for (int round = 0; round < ROUNDS; round++) {
        double times[KINDS + 1];
        core_handle cache = direct_cache_new(&host, &rules);
        times[0] = nanoseconds();
        for (uint64_t i = 0; i < HELD; i++)
            direct_add(cache, &entries[i], 0, &answer);
        times[1] = nanoseconds();
        for (uint64_t i = HELD; i < 2 * HELD; i++)
            direct_add(cache, &entries[i], 0, &answer);
        times[2] = nanoseconds();
        for (uint64_t i = 0; i < HELD; i++)
            direct_remove(cache, &entries[i]);
        times[3] = nanoseconds();
        for (uint64_t i = 0; i < HELD; i++) {
            direct_add(cache, &entries[2 * HELD + i], 0, &answer);
            direct_remove(cache, &entries[HELD + i]);
        }
        times[4] = nanoseconds();
        for (uint64_t i = 0; i < HELD; i++)
            direct_add(cache, &entries[3 * HELD + i], HELD + 1, &answer);
        times[5] = nanoseconds();
        for (uint64_t cursor = 0; direct_expire(cache, 1000, &cursor, gone, 64) == 64;)
            ;
        times[6] = nanoseconds();
        EXPECT(direct_number(cache) == 0);
        direct_cache_free(cache);
        for (int i = 0; i < KINDS; i++)
            if ((times[i + 1] - times[i]) / HELD < least[i])
                least[i] = (times[i + 1] - times[i]) / HELD;
    }
    for (int i = 0; i < KINDS; i++)
        printf("%s %.1f ns%s", names[i], least[i], i < KINDS - 1 ? ", " : "\n");
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"contract", contract},         {"million", million},
        {"threads", at_once},           {"forks", forks},
        {"no memory", no_memory},       {"many caches", many_caches},
        {"little stack", little_stack}, {"speed", speed},
    };
    threads_at_first = threads();
    for (size_t i = 0; count == 2 && i < sizeof(cases) / sizeof(*cases); i++)
        if (strcmp(arguments[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    fprintf(stderr, "usage: alone CASE\n");
    return 2;
}
