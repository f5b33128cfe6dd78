/*
 * store.h - the contract of the client of the store that outlives the process, which is Go (internal/store).
 *
 * Sessions cross serialised, in the request's own memory, which its owner wipes: Go makes no copy that is not
 * sealed. All functions are called by threads of the library's own.
 */
#ifndef SSLCACHE_STORE_CONTRACT_H
#define SSLCACHE_STORE_CONTRACT_H

#include <stdint.h>

/* The longest serialised session that is stored, in bytes: those with long certificates are longer. */
#define STORE_SESSION_MAX 32768

#define STORE_ID_MAX 32 /* SSL_MAX_SSL_SESSION_ID_LENGTH and SSL_MAX_SID_CTX_LENGTH */

enum store_operation {
    STORE_GET,    /* look the session up */
    STORE_TAKE,   /* the same, and take it out: one of all who ask has it */
    STORE_PUT,    /* store the session */
    STORE_REMOVE, /* remove it */
};

/* One operation. Go reads and writes it until it is answered. */
struct store_request {
    int32_t operation;      /* of enum store_operation */
    int32_t version;        /* as SSL_SESSION_get_protocol_version gives it */
    int64_t life;           /* PUT, REMOVE: seconds; a removal is tried again until then */
    uint8_t single_use;     /* PUT: only who takes it out of the store may have it */
    uint8_t context_length; /* the session id context */
    uint8_t id_length;
    unsigned char context[STORE_ID_MAX];
    unsigned char id[STORE_ID_MAX];
    uint32_t
        length; /* PUT: of the session. GET, TAKE: of the room; answered: of the session, or 0 */
    unsigned char *session; /* PUT: the session. GET, TAKE: where it is written to */
};

struct store_settings {
    const char *address;     /* SSLCACHE_STORE */
    const char *password;    /* of SSLCACHE_STORE_PASSWORD_FILE, "": there is none */
    const char *application; /* SSLCACHE_APP */
    int64_t timeout;         /* the longest that a look-up waits for the server, nanoseconds */
    void (*answered)(struct store_request *request);
};

/* The counters of internal/store, in the order in which they are shown; see its Stats. */
#define STORE_COUNTERS(X)                                                                          \
    X(written)                                                                                     \
    X(deleted)                                                                                     \
    X(found)                                                                                       \
    X(missed)                                                                                      \
    X(refused)                                                                                     \
    X(timed_out)                                                                                   \
    X(failed)                                                                                      \
    X(skipped)                                                                                     \
    X(dropped)                                                                                     \
    X(queued)                                                                                      \
    X(openings)

struct store_stats {
#define X(name) uint64_t name;
    STORE_COUNTERS(X)
#undef X
    uint8_t open;      /* the breaker is open: the store is not asked */
    char failure[160]; /* the last error, letters that may stand in JSON only; "": there was none */
};

/*
 *   store_open    opens the store of this process, once, and connects to nothing yet. 0: the address or
 *                 the timeout makes no sense, and `problem` has a line that says why
 *   store_keys    takes the content of a key file. 0: it is none, the keys stay as they were, and
 *                 `problem` says why
 *   store_serve   carries the request out, after store_open. PUT and REMOVE are done when it returns; a look-up goes
 *                 on by itself, and settings->answered is called when it is done, on another thread
 *   store_stats   the counters since store_open
 */
/* clang-format off */
#define STORE_FUNCTIONS(X)                                                                         \
    X(int, store_open, (struct store_settings *settings, char *problem, uint32_t size))            \
    X(int, store_keys, (unsigned char *text, uint32_t length, char *problem, uint32_t size))       \
    X(void, store_serve, (struct store_request *request))                                          \
    X(void, store_stats, (struct store_stats *answer))
/* clang-format on */

/* What capi/store.go exports. */
#define X(result, name, arguments) result core_##name arguments;
STORE_FUNCTIONS(X)
#undef X

struct store_functions {
#define X(result, name, arguments) result(*name) arguments;
    STORE_FUNCTIONS(X)
#undef X
};

#endif
