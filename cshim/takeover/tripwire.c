#include "cshim/takeover/tripwire.h"

#include <limits.h>
#include <time.h>

#include "cshim/process/fork.h"
#include "cshim/takeover/sessions.h"

/* Ids that no handshake makes by chance; the two differ in the last byte. */
enum { ID_LENGTH = 32 };

static SSL_SESSION *make_tripwire(unsigned char last, long start, long timeout)
{
    unsigned char id[ID_LENGTH] = "libsslcache tripwire";
    id[ID_LENGTH - 1] = last;
    SSL_SESSION *session = libssl.SSL_SESSION_new();
    if (session == NULL)
        return NULL;
    libssl.SSL_SESSION_set1_id(session, id, sizeof(id));
    libssl.SSL_SESSION_set_time(session, start);
    libssl.SSL_SESSION_set_timeout(session, timeout);
    return session;
}

static void lay(struct context *context, SSL_SESSION *session)
{
    if (session == NULL)
        return;
    gate_enter();
    libssl.SSL_CTX_add_session(context->ctx, session);
    gate_leave();
}

void tripwire_lay(struct context *context)
{
    if (libssl.rules.calls_by_name || context->expired_tripwire != NULL)
        return;
    context->expired_tripwire = make_tripwire(1, 1, 1);
    context->eternal_tripwire = make_tripwire(2, (long)time(NULL), INT_MAX);
    lay(context, context->expired_tripwire);
    lay(context, context->eternal_tripwire);
}

void tripwire_mend(struct context *context)
{
    if (atomic_load_explicit(&context->tripwire_sprung, memory_order_relaxed) &&
        atomic_exchange(&context->tripwire_sprung, false))
        lay(context, context->expired_tripwire);
}

bool tripwire_sprung(struct context *context, const SSL_SESSION *session)
{
    if (session == context->eternal_tripwire) {
        sessions_flush_from_callback(context, 0, (struct origin){.cause = CAUSE_FREED});
        return true;
    }
    if (session != context->expired_tripwire)
        return false;
    atomic_store(&context->tripwire_sprung, true);
    sessions_flush_from_callback(context, (int64_t)time(NULL),
                                 (struct origin){.cause = CAUSE_AUTOMATIC});
    return true;
}
