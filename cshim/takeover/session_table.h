/*
 * session_table.h - SSL_CTX_sessions(3): a hash table of libcrypto's that a program may walk.
 *
 * A context has one from the first call on. From then on whatever is added to its cache or leaves it is put into
 * the table or taken out of it, so that the program may keep the pointer, as it may keep libssl's own. As libssl's it has
 * no reference to what is in it, and whoever walks it while others change the cache has to have a lock for it.
 */
#ifndef SSLCACHE_SESSION_TABLE_H
#define SSLCACHE_SESSION_TABLE_H

#include "cshim/context/context.h"

/* The table, made now if there is none; NULL where there is no memory. */
session_hash session_table_of(struct context *context);

/* The session was added to the cache or has left it. The caller has a reference to it. */
void session_table_update(struct context *context, SSL_SESSION *session);

/* Whether there is one: else session_table_update has nothing to do. */
static inline bool session_table_exists(struct context *context)
{
    return __builtin_expect(atomic_load_explicit(&context->table, memory_order_acquire) != NULL, 0);
}

/* The context goes. */
void session_table_free(struct context *context);

#endif
