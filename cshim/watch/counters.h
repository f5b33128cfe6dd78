/*
 * counters.h - the counters of one context, as the trace and the live socket show them.
 */
#ifndef SSLCACHE_COUNTERS_H
#define SSLCACHE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One list: the names are those of the JSON too. Ours first, then libssl's as the program sees them. */
#define COUNTERS(X)                                                                                \
    X(number)                                                                                      \
    X(peak)                                                                                        \
    X(limit)                                                                                       \
    X(stored)                                                                                      \
    X(found)                                                                                       \
    X(missed)                                                                                      \
    X(replaced)                                                                                    \
    X(evicted)                                                                                     \
    X(expired)                                                                                     \
    X(removed)                                                                                     \
    X(accept)                                                                                      \
    X(accept_good)                                                                                 \
    X(hits)                                                                                        \
    X(timeouts)                                                                                    \
    X(connect_good)                                                                                \
    X(callback_hits)                                                                               \
    X(timeout)                                                                                     \
    X(mode)

struct counters {
#define X(name) int64_t name;
    COUNTERS(X)
#undef X
    bool tickets;         /* SSL_OP_NO_TICKET is not set */
    bool session_context; /* a session id context is set, or there is no need of one */
};

struct context;

/* Reads them. The contexts lock is held, so that the SSL_CTX can't go. */
void counters_read(struct context *context, struct counters *counters);

/* Writes them as fields of JSON, without braces, and answers how long they are. */
size_t counters_format(const struct counters *counters, char *text, size_t size);

enum { COUNTERS_TEXT_SIZE = 1024 };

#endif
