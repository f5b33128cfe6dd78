/*
 * core.h - the contract between the thin C layer (cshim/) and the Go core (capi/).
 *
 * Plain C, no OpenSSL: a session is an opaque number to the core, which keeps it together with its key
 * and its expiry and never looks behind it. One operation is one crossing: a flat struct in, a flat
 * struct out. Whatever the core lets go of comes back in the answer; the caller then owns the cache's
 * reference to it, calls the program's callback and gives the reference back, with no lock held.
 */
#ifndef SSLCACHE_CORE_H
#define SSLCACHE_CORE_H

#include <stdint.h>

#define CORE_ID_MAX 32 /* SSL_MAX_SSL_SESSION_ID_LENGTH */

/* An opaque SSL_SESSION pointer; 0 is no session. */
typedef uintptr_t core_session;

/* A cache of the core; NULL is no cache. Made by go-pointer, so it points at nothing of use. */
typedef void *core_handle;

/* What differs between the versions of libssl, as data. Set once, when a cache is made. */
struct core_rules {
    uint8_t counts_newcomer; /* a limit of n >= 2 holds n-1 sessions (3.0 on), else n (1.1.1) */
    uint8_t by_insertion;    /* the victim was added longest ago (1.1.1), else it expires first */
    uint8_t readd_moves;     /* adding what is cached moves it behind its equals (3.0) */
};

/* A session and its place in the cache. */
struct core_entry {
    core_session session;
    int64_t expiry;     /* time + timeout, seconds since 1970; INT64_MAX: never */
    uint64_t sequence;  /* given by entries: a greater one was added or moved later */
    int32_t version;    /* protocol version, as SSL_SESSION_get_protocol_version gives it */
    uint32_t id_length; /* 0 to CORE_ID_MAX */
    unsigned char id[CORE_ID_MAX];
};

/* What an add or an eviction answers beside its result. */
struct core_answer {
    core_session replaced; /* add: another session that had the same key */
    core_session session;  /* the victim of the limit, or 0 */
    uint8_t more;          /* the cache is still over its limit: call core_evict */
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

/* What a direct lookup found: a session that can't leave its cache until `held` is released. */
struct core_found {
    core_session session;
    void *held;
};

/*
 * The same operations past Go's scheduler (internal/direct), in a tenth of the time. They take what
 * cache_new wrote to *direct. Each answers 1 for yes, 0 for no, or CORE_NOT_DONE where it would have had
 * to wait or to ask for memory: then nothing has happened, and the function below is to be called.
 */
struct core_direct {
    int (*add)(void *cache, const struct core_entry *entry, int64_t limit,
               struct core_answer *answer);
    int (*evict)(void *cache, int64_t limit, core_session newcomer, struct core_answer *answer);
    int (*lookup)(void *cache, const struct core_entry *entry, struct core_found *found);
    void (*release)(void *held); /* after a lookup that answered 1, and a reference was taken */
    int (*contains)(void *cache, const struct core_entry *entry);
    int (*remove)(void *cache, const struct core_entry *entry, core_session *removed);
    int (*expired)(void *cache, int64_t now); /* whether expire would take one out */
};

#define CORE_NOT_DONE (-1)

/* What the core calls in C. */
struct core_host {
    void (*retain)(core_session session); /* takes one reference; runs under a lock of the core */
    void (*panicked)(void);               /* a panic was caught; its cache answers 0 from now on */
};

/*
 * The functions of the core, defined in capi/exports.go. All may be called from any thread; none calls
 * the program; a panic inside is caught, counted and answered with 0.
 *
 *   cache_new    a new cache that lives by `rules`; *direct names it in core_direct's functions
 *   cache_free   the end of a cache; what it still held is forgotten, not freed
 *   add          puts the session in; 0: it is there already, or there is no more memory; a limit of 0 is none
 *   evict        a victim after an add that answered `more`; never the newcomer
 *   evict_random a session chosen by a number, expired or not; never the newcomer, 0 if there is no other
 *   lookup       the session under the entry's key, with one reference for the caller, or 0
 *   contains     whether a session is under the entry's key; counts nothing
 *   remove       takes out what is under the entry's key; the cache's reference is the caller's then
 *   expire       takes out up to `room` sessions that have expired at `now`, the first to expire first;
 *                *cursor is 0 at the start of a flush and belongs to the core during it
 *   drain        takes out up to `room` sessions, expired or not, the first to expire first
 *   reschedule   notes the new expiry of the entry's session, if that very object is cached
 *   entries      lists up to `room` entries from *cursor on (0 at first, 0 again when all were listed)
 *   freeze       stops every operation on every cache until thaw, except entries, for a fork
 *   direct       fills *table; answers 0 and leaves it where this architecture has none
 *   panics       how many panics were caught
 */
/* clang-format off */
#define CORE_FUNCTIONS(X)                                                                          \
    X(core_handle, cache_new, (struct core_rules * rules, struct core_host *host, void **direct))      \
    X(void, cache_free, (core_handle cache))                                                       \
    X(int, add, (core_handle cache, struct core_entry *entry, int64_t limit,                       \
                 struct core_answer *answer))                                                      \
    X(int, evict, (core_handle cache, int64_t limit, core_session newcomer,                        \
                   struct core_answer *answer))                                                    \
    X(core_session, evict_random, (core_handle cache, uint64_t random, core_session newcomer))     \
    X(core_session, lookup, (core_handle cache, struct core_entry *entry))                         \
    X(int, contains, (core_handle cache, struct core_entry *entry))                                \
    X(core_session, remove, (core_handle cache, struct core_entry *entry))                         \
    X(uint32_t, expire, (core_handle cache, int64_t now, uint64_t *cursor, core_session *sessions, \
                         uint32_t room))                                                           \
    X(uint32_t, drain, (core_handle cache, core_session *sessions, uint32_t room))                 \
    X(int, reschedule, (core_handle cache, struct core_entry *entry))                              \
    X(int64_t, number, (core_handle cache))                                                        \
    X(void, stats, (core_handle cache, struct core_stats *stats))                                  \
    X(uint32_t, entries, (core_handle cache, uint64_t *cursor, struct core_entry *entries,         \
                          uint32_t room))                                                          \
    X(void, freeze, (void))                                                                        \
    X(void, thaw, (void))                                                                          \
    X(int, direct, (struct core_direct * table))                                                       \
    X(uint64_t, panics, (void))
/* clang-format on */

#define X(result, name, arguments) result core_##name arguments;
CORE_FUNCTIONS(X)
#undef X

/* The functions of one generation of the core, as a table: a forked child calls those of a fresh one. */
struct core_functions {
#define X(result, name, arguments) result(*name) arguments;
    CORE_FUNCTIONS(X)
#undef X
};

#endif
