/*
 * store.h - the contract of the core that has the store which outlives the process (internal/store).
 *
 * It is a library of its own beside ours, which is loaded instead of our own core where a store is asked
 * for: the client of the store makes it four times as large, and every process that loads us would pay.
 *
 * Sessions cross serialised, in a buffer of the caller, who wipes it: the core makes no copy that is
 * not sealed. All functions may be called from any thread; before store_open they do nothing.
 */
#ifndef SSLCACHE_CORE_STORE_H
#define SSLCACHE_CORE_STORE_H

#include <stdint.h>

/* The longest serialised session that is stored, in bytes: those with long certificates are longer. */
#define CORE_STORE_SESSION_MAX 32768

struct core_store_settings {
    const char *address;     /* SSLCACHE_STORE */
    const char *application; /* SSLCACHE_APP */
    int64_t timeout;         /* the longest that a lookup waits, nanoseconds */
    void (*connected)(int descriptor);
    void (*disconnected)(int descriptor); /* called before the descriptor is closed */
};

/* What a session is known by. Its bytes are the caller's and are read during the call only. */
struct core_place {
    const unsigned char *context; /* the session id context */
    const unsigned char *id;
    uint32_t context_length;
    uint32_t id_length;
    int32_t version; /* as SSL_SESSION_get_protocol_version gives it */
};

/* Counters since store_open; see Stats in internal/store/stats.go. */
struct core_store_stats {
    uint64_t written;
    uint64_t deleted;
    uint64_t found;
    uint64_t missed;
    uint64_t refused;
    uint64_t timed_out;
    uint64_t failed;
    uint64_t skipped;
    uint64_t dropped;
    uint64_t queued;
    uint64_t openings;
    uint64_t waited;   /* of all lookups together, nanoseconds */
    uint64_t slowest;  /* of one lookup, nanoseconds */
    uint8_t open;      /* the breaker is open: the store is not asked */
    char failure[160]; /* the last error, letters that may stand in JSON only; "": there was none */
};

/*
 *   store_open    opens the store of this process, once, and connects to nothing yet. 0: the address or
 *                 the timeout makes no sense, and `problem` has a line that says why
 *   store_keys    takes the content of a key file. 0: it is none, the keys stay as they were, and
 *                 `problem` says why
 *   store_put     stores a session for so many seconds. Waits for nothing
 *   store_get     the length of the session that was written into `room`, 0 if there is none or no answer
 *                 in time. take: it is taken out, and one of all who ask has it
 *   store_remove  removes the session. Waits for nothing
 *   store_stats   the counters
 */
/* clang-format off */
#define STORE_FUNCTIONS(X)                                                                         \
    X(int, store_open, (struct core_store_settings *settings, char *problem, uint32_t size))       \
    X(int, store_keys, (unsigned char *text, uint32_t length, char *problem, uint32_t size))       \
    X(void, store_put, (struct core_place *place, unsigned char *session, uint32_t length,         \
                        int64_t life, int single_use))                                             \
    X(uint32_t, store_get, (struct core_place *place, int take, unsigned char *room,               \
                            uint32_t size))                                                        \
    X(void, store_remove, (struct core_place *place))                                              \
    X(void, store_stats, (struct core_store_stats *answer))
/* clang-format on */

#define X(result, name, arguments) result core_##name arguments;
STORE_FUNCTIONS(X)
#undef X

/* The functions of one generation of the core, NULL where it has no store. */
struct store_functions {
#define X(result, name, arguments) result(*name) arguments;
    STORE_FUNCTIONS(X)
#undef X
};

extern const struct store_functions sslcache_store_functions __attribute__((visibility("hidden")));

#endif
