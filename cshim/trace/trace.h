/*
 * trace.h - SSLCACHE_TRACE: every event as a line of JSON in a file or FIFO (docs/trace.md).
 *
 * The program's threads put events into a ring; a thread of ours writes them. Nobody waits for anybody:
 * what does not fit is dropped and counted. Where nothing is traced an operation looks at one flag.
 *
 * The room trace/ is told what was done and writes it down. It changes nothing that the program could see.
 */
#ifndef SSLCACHE_TRACE_H
#define SSLCACHE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cshim/context/context.h"
#include "cshim/trace/event.h"

extern atomic_bool trace_on;

static inline bool tracing(void)
{
    return __builtin_expect(atomic_load_explicit(&trace_on, memory_order_relaxed), 0);
}

/* Who wants an operation done: the program, a handshake, or libssl. CAUSE_NONE: libssl, and why is found out later. */
struct origin {
    enum event_cause cause;
    const void *caller;   /* NULL: not known */
    enum event_role role; /* in a handshake */
};

/* The cause of a removal by libssl that says nothing of itself, from the error that this thread has raised last. */
enum event_cause trace_cause_of_error(void);

/* The time of a clock that only goes on, in nanoseconds; 0 where nothing is traced. */
int64_t trace_clock(void);

/* What is done, each to be called where it was done. `since` is what trace_clock gave before. */
void trace_context(const struct context *context, enum event_outcome outcome);
void trace_fallback(const struct context *context, const char *reason); /* constant text */
void trace_counters(struct context *context); /* the contexts lock is held */
void trace_add(const struct context *context, const SSL_SESSION *session,
               enum event_outcome outcome, struct origin origin, int64_t since);
void trace_remove(const struct context *context, const SSL_SESSION *session, bool is_found,
                  struct origin origin);
void trace_lookup(const struct context *context, const SSL_SESSION *session, uint64_t hash,
                  enum event_outcome outcome, enum event_cause cause, int64_t since);
void trace_evict(const struct context *context, const SSL_SESSION *session, enum event_cause cause,
                 bool is_alive);
void trace_expire(const struct context *context, const SSL_SESSION *session,
                  enum event_cause cause);
void trace_clear(const struct context *context, const SSL_SESSION *session, struct origin origin);
void trace_flush(const struct context *context, struct origin origin, size_t sessions,
                 int64_t since);
void trace_callback(const struct context *context, const SSL_SESSION *session,
                    enum event_outcome outcome, int64_t since);
void trace_refused(const struct context *context);
void trace_client(const struct context *context, const SSL_SESSION *session,
                  enum event_outcome outcome, enum event_cause cause);
void trace_ticket(const struct context *context, enum event_outcome outcome);

/* References of the program: see references.h. */
void trace_take(const SSL_SESSION *session, const char *function, const void *caller);
void trace_give(const SSL_SESSION *session, const char *function, const void *caller);
void trace_freed(const SSL_SESSION *session, uint64_t object);

/* The hash that a session of this id has in a trace. */
uint64_t trace_hash(int version, const unsigned char *id, unsigned int length);

#endif
