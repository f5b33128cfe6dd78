/*
 * policy.h - what holds for a context: what the program says, unless the user has asked for something
 * else (settings.h). The program goes on reading what it set itself.
 */
#ifndef SSLCACHE_POLICY_H
#define SSLCACHE_POLICY_H

#include "cshim/context/context.h"
#include "cshim/settings/config.h"

/* The mode that holds where the program has set this one. */
long policy_mode(long mode);

/*
 * What the real SSL_CTX is told of it: libssl's own cache and look-up are off, the bits that say when libssl calls us
 * stay the program's.
 */
long policy_real_mode(long mode);

/* The limit that holds where the program has set this size, as the core and libssl count it. */
int64_t policy_limit(int64_t size);

/* Whether no connection is to find a session, neither ours nor one of the program's get_cb. */
static inline bool policy_finds_nothing(void)
{
    return config.settings.mode == MODE_OFF;
}

/* The timeout that holds where the program gives a session this one. */
static inline long policy_timeout(long timeout)
{
    return config.settings.timeout != 0 && timeout >= 0 ? config.settings.timeout : timeout;
}

/* To be called when a context was attached, a connection was made, a session comes into the cache. */
void policy_attach(struct context *context);
void policy_connect(SSL *ssl, const struct context *context);
void policy_keep(SSL_SESSION *session);

/*
 * Whether caller is to see the program's own timeout, or SSL_OP_NO_TICKET, while the user's holds. libssl itself sees what
 * holds.
 */
bool policy_has_timeout(const void *caller);
bool policy_has_tickets(const void *caller);

/* SSL_CTX_set_timeout(3), SSL_CTX_set_options(3) and the others, where that is so. */
long policy_set_timeout(struct context *context, long timeout);
long policy_get_timeout(const struct context *context);
uint64_t policy_set_options(struct context *context, uint64_t options);
uint64_t policy_clear_options(struct context *context, uint64_t options);
uint64_t policy_get_options(const struct context *context);
uint64_t policy_set_connection_options(SSL *ssl, uint64_t options);
uint64_t policy_clear_connection_options(SSL *ssl, uint64_t options);
uint64_t policy_get_connection_options(const SSL *ssl);

#endif
