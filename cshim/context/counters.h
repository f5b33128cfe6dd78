/*
 * counters.h - the counters of one context, as the trace and the live socket show them.
 */
#ifndef SSLCACHE_COUNTERS_H
#define SSLCACHE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One list: the names are those of the JSON too. A SUM only grows, and a forked child goes on from its parent's; a LEVEL may
 * fall. Ours come first, then libssl's, as the program sees them.
 */
/* clang-format off */
#define COUNTERS(X)                                                                                \
    X(LEVEL, number)                                                                               \
    X(LEVEL, peak)                                                                                 \
    X(LEVEL, limit)                                                                                \
    X(SUM, stored)                                                                                 \
    X(SUM, found)                                                                                  \
    X(SUM, missed)                                                                                 \
    X(SUM, replaced)                                                                               \
    X(SUM, evicted)                                                                                \
    X(SUM, expired)                                                                                \
    X(SUM, removed)                                                                                \
    X(SUM, accept)                                                                                 \
    X(SUM, accept_good)                                                                            \
    X(SUM, hits)                                                                                   \
    X(SUM, timeouts)                                                                               \
    X(SUM, connect_good)                                                                           \
    X(SUM, callback_hits)                                                                          \
    X(SUM, tickets_issued)                                                                         \
    X(SUM, tickets_opened)                                                                         \
    X(SUM, tickets_renewed)                                                                        \
    X(SUM, tickets_unknown)                                                                        \
    X(SUM, tickets_old)                                                                            \
    X(SUM, tickets_elsewhere)                                                                      \
    X(SUM, tickets_damaged)                                                                        \
    X(LEVEL, timeout)                                                                              \
    X(LEVEL, mode)
/* clang-format on */

/* What of the counters of a context was its parent's when this process was forked. */
struct inherited_counters {
#define X(kind, name) COUNTER_IF_##kind(int64_t name;)
#define COUNTER_IF_SUM(field) field
#define COUNTER_IF_LEVEL(field)
    COUNTERS(X)
#undef X
};

struct counters {
#define X(kind, name) int64_t name;
    COUNTERS(X)
#undef X
    bool tickets;         /* SSL_OP_NO_TICKET is not set */
    bool session_context; /* a session id context is set, or there is no need of one */
    struct inherited_counters inherited;
};

struct context;

/* Reads them. The contexts lock is held, so that the SSL_CTX can't go. */
void counters_read(struct context *context, struct counters *counters);

/*
 * In a forked child: notes for each context what it has inherited. No other thread is there.
 */
void counters_fork_child(void);

/*
 * Writes them as fields of JSON, without braces, and answers how long they are. What of them was inherited
 * follows in a field of its own, if there was anything.
 */
size_t counters_format(const struct counters *counters, char *text, size_t size);

enum { COUNTERS_TEXT_SIZE = 2048 };

#endif
