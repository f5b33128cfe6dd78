/*
 * core.h - the contract between the thin C layer (cshim/) and the cache, which is Go (internal/cache).
 *
 * Plain C, no OpenSSL: a session is an opaque number to the cache, which keeps it together with its key
 * and its expiry and never looks behind it. One operation is one call: a flat struct in, a flat
 * struct out. Whatever the cache lets go of comes back in the answer; the caller then owns the cache's
 * reference to it, calls the program's callback and gives the reference back, with no lock held.
 *
 * There are two ways to the same Go code, and one list of functions for both. internal/direct runs it as C code
 * runs, without Go's runtime; capi/ exports it through cgo (SSLCACHE_CORE=cgo).
 */
#ifndef SSLCACHE_CORE_H
#define SSLCACHE_CORE_H

#include <stdint.h>

#define CORE_ID_MAX 32 /* SSL_MAX_SSL_SESSION_ID_LENGTH */

/* An opaque SSL_SESSION pointer; 0 is no session. */
typedef uintptr_t core_session;

/* A cache; NULL is none. The direct way: its address. By way of cgo: what go-pointer has given, which points at nothing of use. */
typedef void *core_handle;

/* What differs between the versions of libssl, as data. Set once, when a cache is made. */
struct core_rules {
    uint8_t counts_newcomer; /* a limit of n >= 2 holds n-1 sessions (3.0 on), else n (1.1.1) */
    uint8_t by_insertion;    /* the victim was added longest ago (1.1.1), else it expires first */
    uint8_t readd_moves;     /* adding what is cached moves it behind its equals (3.0) */
};

/*
 * What the cache asks of the process that it lives in. All of it may be called under a lock of the cache; it must neither
 * call the cache nor be a cancellation point, and leaves errno as it was.
 */
struct core_host {
    void *(*map)(
        uint64_t size); /* so many bytes of zero, beginning with a page; NULL: there is no memory */
    void (*unmap)(void *memory, uint64_t size);
    void (*pause)(uint32_t round); /* lets others go on, the longer the higher the round */
    void (*panicked)(void); /* cgo only: a panic was caught; its cache answers 0 from now on */
    uint64_t
        seed[7]; /* random, secret: of the hash of a cache; set before the first cache is made */
    uint32_t processors; /* how many threads can run at once */
    void
        *memory; /* the caches' own: the memory that all caches of this host share. NULL at first */
};

/* A session and its place in the cache. */
struct core_entry {
    core_session session;
    int64_t expiry;     /* time + timeout, seconds since 1970; INT64_MAX: never */
    uint64_t sequence;  /* given by entries: a greater one was added or moved later */
    int32_t version;    /* protocol version, as SSL_SESSION_get_protocol_version gives it */
    uint32_t id_length; /* 0 to CORE_ID_MAX */
    unsigned char id[CORE_ID_MAX]; /* zeroes beyond the length */
};

/* What an add or an eviction answers beside its result. */
struct core_answer {
    core_session replaced; /* add: another session that had the same key */
    core_session session;  /* the victim of the limit, or 0 */
    uint8_t more;          /* the cache is still over its limit: call evict */
};

/* What a lookup found: a session that can't leave its cache until `held` is released. */
struct core_found {
    core_session session;
    void *held;
};

/*
 * Counters of one cache, in the order in which they are shown. Each only grows, except number.
 *
 *   number    sessions held now
 *   peak      the most ever held
 *   stored    adds of what was not there (replacements count too)
 *   found     lookups that found a session
 *   missed    lookups that found none
 *   replaced  sessions that gave way to another with the same key
 *   evicted   sessions that gave way to the limit
 *   expired   sessions flushed
 *   removed   sessions removed by name
 */
#define CORE_COUNTERS(X)                                                                           \
    X(number)                                                                                      \
    X(peak)                                                                                        \
    X(stored)                                                                                      \
    X(found)                                                                                       \
    X(missed)                                                                                      \
    X(replaced)                                                                                    \
    X(evicted)                                                                                     \
    X(expired)                                                                                     \
    X(removed)

struct core_stats {
#define X(name) uint64_t name;
    CORE_COUNTERS(X)
#undef X
};

/*
 * All may be called from any thread, but lock and unlock; none calls the program. An operation on a cache takes locks of the cache, each held
 * for nanoseconds; number takes none, so it may be asked in a signal handler that interrupted an operation.
 *
 *   cache_new    an empty cache that lives by `rules`; NULL: there is no memory. `host` outlives it
 *   cache_free   the end of a cache; what it still held is forgotten, not freed
 *   add          puts the session in, 1; 0: that very session is there already, or there is no more memory (answer->more is 0 then and nothing
 *                has happened); a limit of 0 is none
 *   evict        whether there was a victim after an add that answered `more`; never the newcomer
 *   evict_random a session chosen by a number, expired or not; never the newcomer, 0 if there is no other
 *   lookup       1 and the session under the entry's key, held, to which the caller takes a reference before he calls release; or 0
 *   release      lets go of what a lookup held
 *   contains     whether a session is under the entry's key; counts nothing
 *   remove       takes out what is under the entry's key and answers it, or 0; the cache's reference is the caller's then
 *   expire       takes out up to `room` sessions that have expired at `now`, the first to expire first;
 *                *cursor is 0 at the start of a flush and belongs to the cache during it. What is added after the start is not taken out
 *   drain        the same for all sessions, expired or not, the first to expire first
 *   reschedule   notes the new expiry of the entry's session, if that very object is cached (1) under the entry's key; else 0
 *   number       how many sessions are held
 *   stats        the counters
 *   entries      lists up to `room` entries from *cursor on (0 at first, 0 again when all were listed)
 *   lock         stops every operation on the cache until unlock, for a fork; in a forked child unlock makes it usable
 *   unlock
 *   lock_memory, unlock_memory  the same for what the caches of a host share; taken after the locks of all its caches
 */
/* clang-format off */
#define CORE_FUNCTIONS(X)                                                                          \
    X(core_handle, cache_new, (struct core_host * host, const struct core_rules *rules))           \
    X(void, cache_free, (core_handle cache))                                                       \
    X(int64_t, add, (core_handle cache, const struct core_entry *entry, int64_t limit, struct core_answer *answer)) \
    X(int64_t, evict, (core_handle cache, int64_t limit, core_session newcomer, struct core_answer *answer)) \
    X(core_session, evict_random, (core_handle cache, uint64_t random, core_session newcomer))     \
    X(int64_t, lookup, (core_handle cache, const struct core_entry *entry, struct core_found *found)) \
    X(void, release, (void *held))                                                                 \
    X(int64_t, contains, (core_handle cache, const struct core_entry *entry))                      \
    X(core_session, remove, (core_handle cache, const struct core_entry *entry))                   \
    X(uint64_t, expire, (core_handle cache, int64_t now, uint64_t *cursor, core_session *sessions, uint64_t room)) \
    X(uint64_t, drain, (core_handle cache, uint64_t *cursor, core_session *sessions, uint64_t room)) \
    X(int64_t, reschedule, (core_handle cache, const struct core_entry *entry))                    \
    X(int64_t, number, (core_handle cache))                                                        \
    X(void, stats, (core_handle cache, struct core_stats *stats))                                  \
    X(uint64_t, entries, (core_handle cache, uint64_t *cursor, struct core_entry *entries, uint64_t room)) \
    X(void, lock, (core_handle cache))                                                             \
    X(void, unlock, (core_handle cache))                                                           \
    X(void, lock_memory, (struct core_host * host))                                                \
    X(void, unlock_memory, (struct core_host * host))
/* clang-format on */

/* The functions of one way, as a table. */
struct core_functions {
#define X(result, name, arguments) result(*name) arguments;
    CORE_FUNCTIONS(X)
#undef X
};

/* The direct way's, by name: hidden symbols of the library. */
#define X(result, name, arguments) result direct_##name arguments;
CORE_FUNCTIONS(X)
#undef X

#endif
