#define _GNU_SOURCE
#include "cshim/trace/trace.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cshim/process/clock.h"
#include "cshim/trace/event.h"
#include "cshim/trace/references.h"
#include "cshim/trace/writer.h"

/* ---- parts of an event ---- */

int64_t trace_clock(void)
{
    return tracing() ? clock_now(CLOCK_MONOTONIC) : 0;
}

/*
 * It names a session in all processes, and no id follows from it: 256 bits become 64. Missing bytes of a short id count as
 * zeros.
 */
uint64_t trace_hash(int version, const unsigned char *id, unsigned int length)
{
    const uint64_t odd = 0x9e3779b97f4a7c15;
    uint64_t words[CORE_ID_MAX / sizeof(uint64_t)] = {0};
    uint64_t hash = ((uint64_t)(uint32_t)version << 32 | length) * odd;
    memcpy(words, id, length <= sizeof(words) ? length : sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        hash = (hash ^ words[i]) * odd;
        hash ^= hash >> 29;
    }
    hash *= odd;
    return hash ^ hash >> 32;
}

static uint64_t hash_of(const SSL_SESSION *session)
{
    unsigned int length;
    const unsigned char *id = libssl.SSL_SESSION_get_id(session, &length);
    return length == 0 ? 0
                       : trace_hash(libssl.SSL_SESSION_get_protocol_version(session), id, length);
}

static struct event event_of(enum event_operation operation, const struct context *context)
{
    return (struct event){
        .operation = operation,
        .time = clock_now(CLOCK_REALTIME),
        .thread = writer_thread(),
        .context = context != NULL ? context->number : 0,
    };
}

static struct event event_about(enum event_operation operation, const struct context *context,
                                const SSL_SESSION *session)
{
    struct event event = event_of(operation, context);
    if (session == NULL)
        return event;
    event.session = hash_of(session);
    event.object = references_object(session);
    return event;
}

static int64_t passed(int64_t since)
{
    return since != 0 ? clock_now(CLOCK_MONOTONIC) - since : 0;
}

/* ---- why libssl removes a session ---- */

/* ERR_GET_LIB(3) and ERR_GET_REASON(3), of the version that is loaded: 1.1.1 packs an error otherwise. */
static bool packs_as_1_1_1(void)
{
    return libssl.OpenSSL_version_num() < 0x30000000UL;
}

static unsigned long library_of(unsigned long error)
{
    return packs_as_1_1_1() ? error >> 24 & 0xff : error >> 23 & 0xff;
}

static unsigned long reason_of(unsigned long error)
{
    return packs_as_1_1_1() ? error & 0xfff : error & 0x7fffff;
}

/*
 * Before libssl drops the session of a connection that fails it raises the error: the alert that it got is
 * SSL_AD_REASON_OFFSET and more, any other is one that it answers with an alert of its own. Without an error
 * it has another reason, such as a session that a client renews.
 */
enum event_cause trace_cause_of_error(void)
{
    enum { UNEXPECTED_EOF = 294 }; /* SSL_R_UNEXPECTED_EOF_WHILE_READING, of 3.0 and later */
    unsigned long error = libssl.ERR_peek_last_error();
    if (library_of(error) != ERR_LIB_SSL)
        return CAUSE_LIBSSL;
    if (reason_of(error) == UNEXPECTED_EOF)
        return CAUSE_UNEXPECTED_EOF;
    return reason_of(error) >= SSL_AD_REASON_OFFSET ? CAUSE_ALERT_RECEIVED : CAUSE_ALERT_SENT;
}

/* ---- the events ---- */

void trace_context(const struct context *context, enum event_outcome outcome)
{
    struct event event = event_of(EVENT_CONTEXT, context);
    event.outcome = outcome;
    writer_put(&event);
}

void trace_fallback(const struct context *context, const char *reason)
{
    struct event event = event_of(EVENT_FALLBACK, context);
    event.text = reason;
    writer_put(&event);
}

void trace_counters(struct context *context)
{
    struct event event = event_of(EVENT_COUNTERS, context);
    event.counters = malloc(sizeof(*event.counters));
    if (event.counters == NULL)
        return;
    counters_read(context, event.counters);
    if (!writer_put(&event))
        free(event.counters);
}

void trace_add(const struct context *context, const SSL_SESSION *session,
               enum event_outcome outcome, struct origin origin, int64_t since)
{
    struct event event = event_about(EVENT_ADD, context, session);
    event.nanoseconds = passed(since);
    event.outcome = outcome;
    event.cause = origin.cause;
    event.caller = origin.caller;
    event.role = origin.role;
    event.timeout = libssl.SSL_SESSION_get_timeout(session);
    event.number = libssl.SSL_SESSION_get_protocol_version(session);
    writer_put(&event);
}

void trace_remove(const struct context *context, const SSL_SESSION *session, bool is_found,
                  struct origin origin)
{
    struct event event = event_about(EVENT_REMOVE, context, session);
    event.outcome = is_found ? OUTCOME_REMOVED : OUTCOME_MISSING;
    event.cause = origin.cause;
    event.caller = origin.caller;
    writer_put(&event);
}

void trace_lookup(const struct context *context, const SSL_SESSION *session, uint64_t hash,
                  enum event_outcome outcome, enum event_cause cause, int64_t since)
{
    struct event event = event_about(EVENT_LOOKUP, context, session);
    event.nanoseconds = passed(since);
    event.session = hash;
    event.outcome = outcome;
    event.cause = cause;
    writer_put(&event);
}

void trace_evict(const struct context *context, const SSL_SESSION *session, enum event_cause cause,
                 bool is_alive)
{
    struct event event = event_about(EVENT_EVICT, context, session);
    event.cause = cause;
    event.number = is_alive;
    writer_put(&event);
}

void trace_expire(const struct context *context, const SSL_SESSION *session, enum event_cause cause)
{
    struct event event = event_about(EVENT_EXPIRE, context, session);
    event.cause = cause;
    writer_put(&event);
}

void trace_clear(const struct context *context, const SSL_SESSION *session, struct origin origin)
{
    struct event event = event_about(EVENT_CLEAR, context, session);
    event.cause = origin.cause;
    event.caller = origin.caller;
    writer_put(&event);
}

void trace_flush(const struct context *context, struct origin origin, size_t sessions,
                 int64_t since)
{
    struct event event = event_of(EVENT_FLUSH, context);
    event.nanoseconds = passed(since);
    event.cause = origin.cause;
    event.caller = origin.caller;
    event.number = (int64_t)sessions;
    writer_put(&event);
}

void trace_callback(const struct context *context, const SSL_SESSION *session,
                    enum event_outcome outcome, int64_t since)
{
    struct event event = event_about(EVENT_CALLBACK, context, session);
    event.nanoseconds = passed(since);
    event.outcome = outcome;
    writer_put(&event);
}

void trace_ticket(const struct context *context, enum event_outcome outcome)
{
    struct event event = event_of(EVENT_TICKET, context);
    event.outcome = outcome;
    writer_put(&event);
}

void trace_refused(const struct context *context)
{
    struct event event = event_of(EVENT_REFUSED, context);
    event.cause = CAUSE_NO_SESSION_CONTEXT;
    writer_put(&event);
}

void trace_client(const struct context *context, const SSL_SESSION *session,
                  enum event_outcome outcome, enum event_cause cause)
{
    struct event event = event_about(EVENT_CLIENT, context, session);
    event.outcome = outcome;
    event.cause = cause;
    writer_put(&event);
}

static void trace_reference(enum event_operation operation, const SSL_SESSION *session,
                            const char *function, const void *caller)
{
    struct event event = event_about(operation, NULL, session);
    event.text = function;
    event.caller = caller;
    writer_put(&event);
}

void trace_take(const SSL_SESSION *session, const char *function, const void *caller)
{
    trace_reference(EVENT_TAKE, session, function, caller);
}

void trace_give(const SSL_SESSION *session, const char *function, const void *caller)
{
    trace_reference(EVENT_GIVE, session, function, caller);
}

void trace_freed(const SSL_SESSION *session, uint64_t object)
{
    struct event event = event_of(EVENT_FREED, NULL);
    event.session = hash_of(session);
    event.object = object;
    writer_put(&event);
}
