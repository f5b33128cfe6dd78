#include "cshim/takeover/flush_detection.h"

#include <limits.h>
#include <time.h>

#include "cshim/process/fork.h"
#include "cshim/takeover/release.h"

/* Ids that no handshake makes by chance; the two differ in the last byte. */
enum { ID_LENGTH = 32 };

static SSL_SESSION *make_marker(unsigned char last, long start, long timeout)
{
    unsigned char id[ID_LENGTH] = "libsslcache flush marker";
    id[ID_LENGTH - 1] = last;
    SSL_SESSION *session = libssl.SSL_SESSION_new();
    if (session == NULL)
        return NULL;
    libssl.SSL_SESSION_set1_id(session, id, sizeof(id));
    libssl.SSL_SESSION_set_time(session, start);
    libssl.SSL_SESSION_set_timeout(session, timeout);
    return session;
}

static void add_marker(struct context *context, SSL_SESSION *session)
{
    if (session == NULL)
        return;
    gate_enter();
    libssl.SSL_CTX_add_session(context->ctx, session);
    gate_leave();
}

void flush_detection_start(struct context *context)
{
    if (libssl.rules.calls_by_name || context->expired_marker != NULL)
        return;
    context->expired_marker = make_marker(1, 1, 1);
    context->eternal_marker = make_marker(2, (long)time(NULL), INT_MAX);
    add_marker(context, context->expired_marker);
    add_marker(context, context->eternal_marker);
}

void flush_detection_restore(struct context *context)
{
    if (atomic_load_explicit(&context->flush_detected, memory_order_relaxed) &&
        atomic_exchange(&context->flush_detected, false))
        add_marker(context, context->expired_marker);
}

bool flush_detection_notice(struct context *context, const SSL_SESSION *session)
{
    if (session == context->eternal_marker) {
        flush_sessions_from_callback(context, 0, (struct origin){.cause = CAUSE_FREED});
        return true;
    }
    if (session != context->expired_marker)
        return false;
    atomic_store(&context->flush_detected, true);
    flush_sessions_from_callback(context, (int64_t)time(NULL),
                                 (struct origin){.cause = CAUSE_AUTOMATIC});
    return true;
}
