/*
 * settings.h - what the user asks for, as SSLCACHE_... variables: one parser for the library and for
 * the command `sslcache`, which compiles this very file. It needs nothing but libc.
 *
 * A variable that is empty is one that is not there.
 */
#ifndef SSLCACHE_SETTINGS_H
#define SSLCACHE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SETTINGS_PATH_SIZE = 4096,
    SETTINGS_FOLDER_SIZE = 91, /* FOLDER/PID.sock must fit into the address of a Unix socket */
    SETTINGS_PROBLEM_SIZE = 256,
    SETTINGS_NAME_SIZE = 128,
};

enum { SIZE_PROGRAM = -1 }; /* as the program says */

/* Of a struct settings, where nothing is asked. */
#define SETTINGS_DEFAULTS                                                                          \
    {                                                                                              \
        .size = SIZE_PROGRAM, .seed = 1, .store_timeout = 20000000                                 \
    }

/* Whether sessions are kept and looked up. */
enum settings_mode {
    MODE_PROGRAM,   /* as the program says */
    MODE_ON,        /* a server keeps its sessions in the internal cache and finds them there */
    MODE_OFF,       /* nothing is kept and nothing is found */
    MODE_NO_LOOKUP, /* sessions are kept, and none is found */
};

enum settings_tickets {
    TICKETS_PROGRAM, /* as the program says */
    TICKETS_OFF,     /* SSL_OP_NO_TICKET for every connection: each resumption asks the cache */
    TICKETS_SHARED,  /* sealed with keys that all processes of the application have */
    TICKETS_SHARED_FORCED,   /* the same where the program has keys of its own */
    TICKETS_SHARED13,        /* for TLS 1.3 only */
    TICKETS_SHARED13_FORCED, /* for TLS 1.3 only, the same where the program has keys of its own */
};

/* How the cache, which is Go, is called. */
enum settings_core {
    CORE_DIRECT, /* as C code runs, without Go's runtime */
    CORE_CGO,    /* through cgo */
};

/* What is done for connections that the program makes as a client and offers no session for. */
enum settings_client {
    CLIENT_OFF,
    CLIENT_FTP, /* offered: the session of a connection that is open to the same peer's other port */
};

/* What is made to fail. */
enum fault_kind {
    FAULT_ADD_FAILS,    /* add=fail */
    FAULT_LOOKUP_MISS,  /* lookup=miss */
    FAULT_LOOKUP_SLOW,  /* lookup=slow:DURATION */
    FAULT_EXPIRE_NOW,   /* expire=now */
    FAULT_EVICT_RANDOM, /* evict=random */
    FAULT_STORE_KILLS,  /* store=kill */
    FAULT_KINDS,
};

/* How often. Where neither is set the fault is not asked for. */
struct settings_fault {
    uint64_t every;      /* each n-th time; 1 is always */
    uint32_t billionths; /* or with this probability, in parts of a billion */
    int64_t delay;       /* FAULT_LOOKUP_SLOW: nanoseconds */
};

struct settings {
    bool disable;                    /* libssl keeps all sessions itself */
    bool verbose;                    /* say where libssl's own cache is fallen back to */
    char report[SETTINGS_PATH_SIZE]; /* file of counters, or "" */
    int64_t size;    /* the most sessions of a context, 0 for no limit, or SIZE_PROGRAM */
    int64_t timeout; /* of every session, in seconds, or 0 */
    enum settings_mode mode;
    enum settings_tickets tickets;
    enum settings_core core;
    enum settings_client client;
    int64_t
        ticket_epoch; /* how long a shared key seals, in seconds, or 0: a quarter of a ticket's life */
    char trace[SETTINGS_PATH_SIZE];        /* file or FIFO of events, or "" */
    bool live;                             /* serve the counters on a socket */
    char run_folder[SETTINGS_FOLDER_SIZE]; /* of the sockets, or "" */
    struct settings_fault faults[FAULT_KINDS];
    bool faulty;   /* there is a fault among them */
    uint64_t seed; /* of the faults; 1 where none is given */

    char store[SETTINGS_PATH_SIZE];               /* address of the shared store, or "" */
    char store_key[SETTINGS_PATH_SIZE];           /* file of its keys, or "" */
    char store_password_file[SETTINGS_PATH_SIZE]; /* file of its server's password, or "" */
    int64_t store_timeout;        /* the longest that a lookup waits for it, nanoseconds */
    char app[SETTINGS_NAME_SIZE]; /* whose sessions they are, or "": the program's name */
    char session_context
        [SETTINGS_NAME_SIZE]; /* from which servers get a session id context that set none, or "" */
};

/*
 * The one list: variable, kind of value (a function that reads it), field, the value as help shows it,
 * what it asks for.
 */
/* clang-format off */
#define SETTINGS(X)                                                                                \
    X(SSLCACHE_DISABLE, switch, disable, "0|1", "libssl keeps all sessions itself")                \
    X(SSLCACHE_VERBOSE, switch, verbose, "0|1", "say where a process falls back to libssl's own cache") \
    X(SSLCACHE_REPORT, path, report, "FILE", "each process that used the cache adds a line of counters at its end") \
    X(SSLCACHE_SIZE, size, size, "NUMBER", "keep at most so many sessions a context, 0 for no limit") \
    X(SSLCACHE_TIMEOUT, timeout, timeout, "DURATION", "sessions expire after this time (300, 300s, 5m, 2h)") \
    X(SSLCACHE_MODE, mode, mode, "program|on|off|no-lookup", "whether sessions are kept and looked up") \
    X(SSLCACHE_TICKETS, tickets, tickets, "program|off|shared|shared!|shared13|shared13!", "off: every resumption goes through the cache; shared: all processes with the key file open each other's tickets") \
    X(SSLCACHE_CLIENT, client, client, "off|ftp", "ftp: a client's data connections resume the session of their control connection") \
    X(SSLCACHE_TICKET_EPOCH, timeout, ticket_epoch, "DURATION", "how long a shared ticket key seals, a quarter of the tickets' life where nothing is said") \
    X(SSLCACHE_TRACE, path, trace, "FILE", "write every event as a line of JSON to a file or FIFO") \
    X(SSLCACHE_LIVE, switch, live, "0|1", "serve the counters to `sslcache top`")                  \
    X(SSLCACHE_RUN_FOLDER, folder, run_folder, "FOLDER", "where the sockets of SSLCACHE_LIVE are") \
    X(SSLCACHE_FAULT, faults, faults, "FAULT[,FAULT...]", "add=fail, lookup=miss, lookup=slow:DURATION, expire=now, evict=random, store=kill; each with :PROBABILITY or :1/N") \
    X(SSLCACHE_SEED, seed, seed, "NUMBER", "where the faults start from: the same number, the same faults") \
    X(SSLCACHE_CORE, core, core, "direct|cgo", "cgo: call the cache as Go is called from C, with its runtime (for debugging)") \
    X(SSLCACHE_STORE, address, store, "ADDRESS", "share the sessions: memory (with all that the program forks), memory:FILE, or a server: valkey://HOST, redis://HOST, rediss://HOST, unix:///PATH") \
    X(SSLCACHE_STORE_KEY, path, store_key, "FILE", "the keys that seal what is shared, of `sslcache keygen`") \
    X(SSLCACHE_STORE_PASSWORD_FILE, path, store_password_file, "FILE", "the password of the server, which is in the address otherwise") \
    X(SSLCACHE_STORE_TIMEOUT, wait, store_timeout, "DURATION", "the longest that a handshake waits for the store (20ms)") \
    X(SSLCACHE_APP, name, app, "NAME", "sessions are shared with processes of this name only, not of the program's") \
    X(SSLCACHE_SESSION_CONTEXT, name, session_context, "NAME", "servers that set no session id context get one that follows from this name, their certificates and how they ask for clients' ones")
/* clang-format on */

/* The list as data, for help. */
struct setting {
    const char *variable;
    const char *value;
    const char *help;
};

extern const struct setting settings_list[];
extern const size_t settings_count;

/*
 * Reads all variables through look_up, which gives the value of a variable or NULL. False: one of them
 * makes no sense; `problem` then says which and why in one line that has no newline, of at most size - 1 bytes.
 */
bool settings_read(struct settings *settings, const char *(*look_up)(const char *variable),
                   char *problem, size_t size);

/* Whether a line of the environment begins with SSLCACHE_. */
bool settings_concern(const char *line);

/*
 * Whether a line of the environment, "NAME=VALUE" or "NAME", is none of ours or one of the list. False:
 * it begins with SSLCACHE_ and is no setting; `problem` says so.
 */
bool settings_know(const char *line, char *problem, size_t size);

/* The name of a fault as SSLCACHE_FAULT has it, "lookup=miss" for example. */
const char *settings_fault_name(enum fault_kind kind);

#endif
