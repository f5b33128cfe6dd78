#include "cshim/context/counters.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "cshim/context/context.h"
#include "cshim/context/policy.h"

static int64_t of_libssl(const struct context *context, int command)
{
    return libssl.SSL_CTX_ctrl(context->ctx, command, 0, NULL);
}

static void read_ours(struct context *context, struct counters *counters)
{
    struct sslcache_stats stats;
    context_stats(context, &stats);
#define X(name) counters->name = (int64_t)stats.name;
    CORE_COUNTERS(X)
#undef X
    bool is_asked = config.settings.size != SIZE_PROGRAM;
    counters->limit = is_asked ? config.settings.size : atomic_load(&context->cache_size);
}

static void read_libssls(const struct context *context, struct counters *counters)
{
    counters->accept = of_libssl(context, SSL_CTRL_SESS_ACCEPT);
    counters->accept_good = of_libssl(context, SSL_CTRL_SESS_ACCEPT_GOOD);
    counters->hits = of_libssl(context, SSL_CTRL_SESS_HIT);
    counters->timeouts = of_libssl(context, SSL_CTRL_SESS_TIMEOUTS);
    counters->connect_good = of_libssl(context, SSL_CTRL_SESS_CONNECT_GOOD);
    counters->callback_hits = atomic_load(&context->callback_hits);
    counters->timeout = libssl.SSL_CTX_get_timeout(context->ctx);
}

static void read_tickets(const struct context *context, struct counters *counters)
{
#define X(name)                                                                                    \
    counters->tickets_##name = atomic_load(&context->tickets.counted[TICKET_EVENT_##name]);
    TICKET_EVENTS(X)
#undef X
}

static bool needs_session_context(const struct context *context)
{
    return (libssl.SSL_CTX_get_verify_mode(context->ctx) & SSL_VERIFY_PEER) != 0;
}

void counters_read(struct context *context, struct counters *counters)
{
    *counters = (struct counters){.inherited = context->inherited_counters};
    read_ours(context, counters);
    read_libssls(context, counters);
    read_tickets(context, counters);
    counters->mode = policy_mode(atomic_load(&context->mode));
    counters->tickets = (libssl.SSL_CTX_get_options(context->ctx) & SSL_OP_NO_TICKET) == 0;
    counters->session_context =
        atomic_load(&context->has_session_context) || !needs_session_context(context);
}

/* ---- fork ---- */

/* The contexts lock is held. */
static void note_inherited(struct context *context, void *unused)
{
    (void)unused;
    struct counters now;
    struct inherited_counters *inherited = &context->inherited_counters;
    counters_read(context, &now);
#define X(kind, name) COUNTER_IF_##kind(inherited->name = now.name;)
    COUNTERS(X)
#undef X
    now.inherited = *inherited;
    context->shown = now;
}

void counters_fork_child(void)
{
    if (!config.settings.live && config.settings.trace[0] == '\0')
        return;
    contexts_all(note_inherited, NULL);
}

/* ---- as text ---- */

__attribute__((format(printf, 4, 5))) static size_t put(char *text, size_t size, size_t length,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    length += (size_t)vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
    return length;
}

static size_t put_inherited(const struct inherited_counters *inherited, char *text, size_t size,
                            size_t length)
{
    const char *before = ",\"inherited\":{";
    const size_t start = length;
#define PUT(name)                                                                                  \
    if (inherited->name != 0) {                                                                    \
        length = put(text, size, length, "%s\"%s\":%" PRId64, before, #name, inherited->name);     \
        before = ",";                                                                              \
    }
#define X(kind, name) COUNTER_IF_##kind(PUT(name))
    COUNTERS(X)
#undef X
#undef PUT
    return length > start ? put(text, size, length, "}") : length;
}

size_t counters_format(const struct counters *counters, char *text, size_t size)
{
    size_t length = 0;
#define X(kind, name)                                                                              \
    length = put(text, size, length, "\"%s\":%" PRId64 ",", #name, counters->name);
    COUNTERS(X)
#undef X
    length =
        put(text, size, length, "\"tickets\":%s,\"session_context\":%s",
            counters->tickets ? "true" : "false", counters->session_context ? "true" : "false");
    return put_inherited(&counters->inherited, text, size, length);
}
