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

/* A cache of the core; 0 is no cache. */
typedef uintptr_t core_handle;

/* What differs between the versions of libssl, as data. Set once, when a cache is made. */
struct core_rules {
    uint8_t counts_newcomer; /* a limit of n >= 2 holds n-1 sessions (3.0 and later), else n (1.1.1) */
    uint8_t by_insertion;    /* the victim is the one added longest ago (1.1.1), else the earliest expiry */
    uint8_t readd_moves;     /* adding what is cached already moves it behind its equals (3.0) */
};

/* A session and its place in the cache. */
struct core_entry {
    core_session session;
    int64_t expiry; /* time + timeout, seconds since 1970; INT64_MAX: never */
    int32_t version; /* protocol version, as SSL_SESSION_get_protocol_version gives it */
    uint32_t id_length; /* 0 to CORE_ID_MAX */
    unsigned char id[CORE_ID_MAX];
};

/* What an operation answers. */
struct core_answer {
    core_session replaced; /* add: another session that had the same key */
    core_session session;  /* add, evict: the victim; remove, expire, lookup: the session */
    uint8_t done;          /* the operation did what it says: added, removed, found, moved */
    uint8_t more;          /* add, evict: the cache is still over its limit: call core_evict */
};

/* Counters of one cache. Each only grows, except number. */
struct core_stats {
    uint64_t number;   /* sessions held now */
    uint64_t peak;     /* the most ever held */
    uint64_t stored;   /* adds of what was not there (replacements count too) */
    uint64_t found;    /* lookups that found a session */
    uint64_t missed;   /* lookups that found none */
    uint64_t replaced; /* sessions that gave way to another with the same key */
    uint64_t evicted;  /* sessions that gave way to the limit */
    uint64_t expired;  /* sessions flushed */
    uint64_t removed;  /* sessions removed by name */
};

#endif
