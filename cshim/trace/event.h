/*
 * event.h - one event of a trace, as it waits to be written: fixed in size, all text constant. What it
 * means is said in docs/trace.md.
 */
#ifndef SSLCACHE_EVENT_H
#define SSLCACHE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "cshim/context/counters.h"

/* The words of a trace, a line for each: the enum, and the names in event.c, are made of these lists. */
/* clang-format off */
#define EVENT_OPERATIONS(X)                                                                        \
    X(EVENT_CONTEXT, "context")                                                                    \
    X(EVENT_FALLBACK, "fallback")                                                                  \
    X(EVENT_COUNTERS, "counters")                                                                  \
    X(EVENT_ADD, "add")                                                                            \
    X(EVENT_REMOVE, "remove")                                                                      \
    X(EVENT_LOOKUP, "lookup")                                                                      \
    X(EVENT_EVICT, "evict")                                                                        \
    X(EVENT_EXPIRE, "expire")                                                                      \
    X(EVENT_CLEAR, "clear")                                                                         \
    X(EVENT_FLUSH, "flush")                                                                        \
    X(EVENT_CALLBACK, "callback")                                                                  \
    X(EVENT_TAKE, "take")                                                                          \
    X(EVENT_GIVE, "give")                                                                          \
    X(EVENT_FREED, "freed")                                                                        \
    X(EVENT_REFUSED, "refused")                                                                    \
    X(EVENT_CLIENT, "client")                                                                       \
    X(EVENT_TICKET, "ticket")

#define EVENT_OUTCOMES(X)                                                                          \
    X(OUTCOME_MADE, "made")                         /* context */                                  \
    X(OUTCOME_FREED, "freed")                                                                      \
    X(OUTCOME_STORED, "stored")                     /* add */                                      \
    X(OUTCOME_REPLACED, "replaced")                                                                \
    X(OUTCOME_KNOWN, "known")                                                                      \
    X(OUTCOME_FAILED, "failed")                                                                    \
    X(OUTCOME_REMOVED, "removed")                   /* remove */                                   \
    X(OUTCOME_MISSING, "missing")                                                                  \
    X(OUTCOME_FOUND, "found")                       /* lookup */                                   \
    X(OUTCOME_FOUND_IN_STORE, "found_in_store")                                                    \
    X(OUTCOME_FOUND_BY_PROGRAM, "found_by_program")                                                \
    X(OUTCOME_MISSED, "missed")                                                                    \
    X(OUTCOME_NEW, "new")                           /* callback */                                 \
    X(OUTCOME_GET, "get")                                                                          \
    X(OUTCOME_REMOVE, "remove")                                                                    \
    X(OUTCOME_RESUMED, "resumed")                   /* client; failed too */                       \
    X(OUTCOME_REFUSED, "refused")                                                                  \
    X(OUTCOME_COULD_RESUME, "could_resume")                                                         \
    X(OUTCOME_ISSUED, "issued")                     /* ticket */                                   \
    X(OUTCOME_OPENED, "opened")                                                                    \
    X(OUTCOME_RENEWED, "renewed")                                                                  \
    X(OUTCOME_UNKNOWN, "unknown")                                                                  \
    X(OUTCOME_OLD, "old")                                                                          \
    X(OUTCOME_ELSEWHERE, "elsewhere")                                                              \
    X(OUTCOME_DAMAGED, "damaged")

/*
 * Why a client's connection can't be offered the session of another one to the same host: these are causes too. Where
 * several connections are open to it, the obstacle that stands furthest down here is told, which is the easiest to
 * remove.
 */
#define EVENT_OBSTACLES(X)                                                                         \
    X(OBSTACLE_OTHER_CONTEXT, "other_context")       /* it is of another SSL_CTX */                \
    X(OBSTACLE_RESUMED, "resumed")                   /* it has resumed itself, verified long ago */ \
    X(OBSTACLE_OTHER_TERMS, "other_terms")           /* another name, verification, ALPN, ... */   \
    X(OBSTACLE_OLD_LIBSSL, "old_libssl")             /* 1.1.1 does not tell what is verified */    \
    X(OBSTACLE_OWN_VERIFICATION, "own_verification") /* SSL_CTX_set_cert_verify_callback, DANE */  \
    X(OBSTACLE_CALLBACKS, "callbacks")               /* the program decides in a callback */       \
    X(OBSTACLE_STAPLING, "stapling")                 /* it asks for the certificate's status */    \
    X(OBSTACLE_LONG_TERMS, "long_terms")             /* more than we can keep */                   \
    X(OBSTACLE_UNVERIFIED, "unverified")             /* the certificate is not accepted */         \
    X(OBSTACLE_REFUSED_BEFORE, "refused_before")     /* the server does not resume, or fails */    \
    X(OBSTACLE_NO_SESSION, "no_session")             /* there is none, or it has expired */        \
    X(OBSTACLE_NOT_ASKED, "not_asked")               /* SSLCACHE_CLIENT is not set */

#define EVENT_CAUSES(X)                                                                            \
    X(CAUSE_PROGRAM, "program")                     /* it called */                                \
    X(CAUSE_HANDSHAKE, "handshake")                                                                \
    X(CAUSE_CALLBACK, "callback")                   /* the program's get_cb gave it */             \
    X(CAUSE_STORE, "store")                                                                        \
    X(CAUSE_LIBSSL, "libssl")                                                                      \
    X(CAUSE_FAULT, "fault")                         /* SSLCACHE_FAULT */                           \
    X(CAUSE_BAD_SHUTDOWN, "bad_shutdown")           /* of a removal, from here on */               \
    X(CAUSE_UNEXPECTED_EOF, "unexpected_eof")                                                      \
    X(CAUSE_ALERT_SENT, "alert_sent")                                                              \
    X(CAUSE_ALERT_RECEIVED, "alert_received")                                                      \
    X(CAUSE_EXPIRED, "expired")                                                                    \
    X(CAUSE_SINGLE_USE, "single_use")                                                              \
    X(CAUSE_LIMIT, "limit")                         /* evict */                                    \
    X(CAUSE_FLUSH, "flush")                         /* expire */                                   \
    X(CAUSE_AUTOMATIC, "automatic")                 /* flush */                                    \
    X(CAUSE_FREED, "freed")                         /* flush, clear: the context goes */            \
    X(CAUSE_NO_SESSION_CONTEXT, "no_session_context")                                              \
    EVENT_OBSTACLES(X)

#define EVENT_ROLES(X)                                                                             \
    X(ROLE_SERVER, "server")                                                                       \
    X(ROLE_CLIENT, "client")
/* clang-format on */

/* 0 is no word: the field is absent then. An event always has an operation. */
#define X(word, name) word,
enum event_operation { EVENT_OPERATIONS(X) };
enum event_outcome { OUTCOME_NONE, EVENT_OUTCOMES(X) };
enum event_cause { CAUSE_NONE, EVENT_CAUSES(X) };
enum event_role { ROLE_NONE, EVENT_ROLES(X) };
#undef X

/* A field that is 0 or NULL is absent. */
struct event {
    int64_t time;        /* nanoseconds since 1970 */
    int64_t nanoseconds; /* how long it took */
    uint64_t session;    /* hash of version and id */
    uint64_t object;     /* token of the SSL_SESSION */
    const void *caller;  /* where the call returns to */
    const char *text;    /* constant: the function of take and give, the reason of a fallback */
    struct counters *counters; /* EVENT_COUNTERS: malloc'ed, freed by whoever writes the event */
    int64_t timeout;           /* add: seconds */
    int64_t number; /* add: protocol version; flush: sessions; evict: whether it was alive */
    uint32_t context;
    int32_t thread;
    enum event_operation operation;
    enum event_outcome outcome;
    enum event_cause cause;
    enum event_role role; /* add, in a handshake: on which end */
};

enum { EVENT_TEXT_SIZE = COUNTERS_TEXT_SIZE + 1024 };

/* Writes the event as a line of JSON and answers how long it is. Only one thread at a time. */
size_t event_format(const struct event *event, int process, char *text, size_t size);

#endif
