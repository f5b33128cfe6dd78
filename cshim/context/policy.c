#include "cshim/context/policy.h"

#include "cshim/context/connection.h"

long policy_mode(long mode)
{
    switch (config.settings.mode) {
    case MODE_ON:
        return (mode | SSL_SESS_CACHE_SERVER) & ~(long)SSL_SESS_CACHE_NO_INTERNAL;
    case MODE_OFF:
        return (mode & ~(long)SSL_SESS_CACHE_BOTH) | SSL_SESS_CACHE_NO_INTERNAL;
    case MODE_NO_LOOKUP:
        return mode | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP;
    case MODE_PROGRAM:
        break;
    }
    return mode;
}

long policy_real_mode(long mode)
{
    /*
     * Without UPDATE_TIME: we add to libssl's own cache what libssl alone would only look up, and that must not change
     * its time.
     */
    return (policy_mode(mode) & ~(long)SSL_SESS_CACHE_UPDATE_TIME) | SSL_SESS_CACHE_NO_INTERNAL;
}

int64_t policy_limit(int64_t size)
{
    int64_t asked = config.settings.size;
    if (asked == SIZE_PROGRAM)
        return size;
    /* With a limit of n, libssl 3.0 and later keeps n - 1 sessions. The user means sessions. */
    return asked > 1 && libssl.rules.cache.counts_newcomer ? asked + 1 : asked;
}

/* ---- what is done when something comes ---- */

void policy_attach(struct context *context)
{
    if (config.settings.timeout != 0)
        context->timeout = libssl.SSL_CTX_set_timeout(context->ctx, config.settings.timeout);
    if (config.settings.tickets != TICKETS_OFF)
        return;
    context->no_ticket = (libssl.SSL_CTX_get_options(context->ctx) & SSL_OP_NO_TICKET) != 0;
    libssl.SSL_CTX_set_options(context->ctx, SSL_OP_NO_TICKET);
}

/* A program that keeps no sessions may have set the number of tickets of TLS 1.3 to 0; MODE_ON needs some. */
static void give_tickets(SSL *ssl)
{
    if (config.settings.mode == MODE_ON && libssl.SSL_is_server(ssl) &&
        libssl.SSL_get_num_tickets(ssl) == 0)
        libssl.SSL_set_num_tickets(ssl, 2);
}

/* The context has the option already, unless the program has changed it past us (SSL_CONF_cmd). */
void policy_connect(SSL *ssl, const struct context *context)
{
    give_tickets(ssl);
    if (config.settings.tickets != TICKETS_OFF)
        return;
    struct connection *connection = connection_make(ssl);
    if (connection != NULL)
        connection->no_ticket = atomic_load(&context->no_ticket);
    libssl.SSL_set_options(ssl, SSL_OP_NO_TICKET);
}

void policy_keep(SSL_SESSION *session)
{
    long asked = config.settings.timeout;
    if (asked != 0 && libssl.SSL_SESSION_get_timeout(session) != asked)
        libssl.SSL_SESSION_set_timeout(session, asked);
}

/* ---- what the program sets and reads back ---- */

bool policy_has_timeout(const void *caller)
{
    return config.settings.timeout != 0 && libssl_ready() && !libssl_contains(caller);
}

bool policy_has_tickets(const void *caller)
{
    return config.settings.tickets == TICKETS_OFF && libssl_ready() && !libssl_contains(caller);
}

long policy_set_timeout(struct context *context, long timeout)
{
    return atomic_exchange(&context->timeout, timeout);
}

long policy_get_timeout(const struct context *context)
{
    return atomic_load(&context->timeout);
}

/* The options as the program may see them: NO_TICKET only where it has set that itself. */
static uint64_t shown(uint64_t options, bool no_ticket)
{
    return no_ticket ? options : options & ~(uint64_t)SSL_OP_NO_TICKET;
}

uint64_t policy_set_options(struct context *context, uint64_t options)
{
    if ((options & SSL_OP_NO_TICKET) != 0)
        atomic_store(&context->no_ticket, true);
    libssl.SSL_CTX_set_options(context->ctx, options);
    return policy_get_options(context);
}

uint64_t policy_clear_options(struct context *context, uint64_t options)
{
    if ((options & SSL_OP_NO_TICKET) != 0)
        atomic_store(&context->no_ticket, false);
    libssl.SSL_CTX_clear_options(context->ctx, options & ~(uint64_t)SSL_OP_NO_TICKET);
    return policy_get_options(context);
}

uint64_t policy_get_options(const struct context *context)
{
    return shown(libssl.SSL_CTX_get_options(context->ctx), atomic_load(&context->no_ticket));
}

static void note_ticket_option(SSL *ssl, uint64_t options, bool is_set)
{
    struct connection *connection = NULL;
    if ((options & SSL_OP_NO_TICKET) != 0)
        connection = connection_make(ssl);
    if (connection != NULL)
        connection->no_ticket = is_set;
}

uint64_t policy_set_connection_options(SSL *ssl, uint64_t options)
{
    note_ticket_option(ssl, options, true);
    libssl.SSL_set_options(ssl, options);
    return policy_get_connection_options(ssl);
}

uint64_t policy_clear_connection_options(SSL *ssl, uint64_t options)
{
    note_ticket_option(ssl, options, false);
    libssl.SSL_clear_options(ssl, options & ~(uint64_t)SSL_OP_NO_TICKET);
    return policy_get_connection_options(ssl);
}

uint64_t policy_get_connection_options(const SSL *ssl)
{
    const struct connection *connection = connection_of(ssl);
    return shown(libssl.SSL_get_options(ssl), connection != NULL && connection->no_ticket);
}
