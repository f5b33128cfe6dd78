/*
 * store.h - the store that outlives this process (SSLCACHE_STORE): which sessions go there, and how.
 *
 * Sessions are serialised here, by libssl and with no lock held; a backend (backend.h) seals and keeps them.
 * Off unless the user asks for it and there is a key: then every function answers at once.
 *
 * The room share/ decides which session or ticket is good for another connection, process or host, and for whom it is not.
 * It is asked by takeover/, at the moments that libssl gives, and touches no cache.
 */
#ifndef SSLCACHE_STORE_H
#define SSLCACHE_STORE_H

#include "cshim/context/context.h"

/*
 * To be called where a context is attached. Reads the keys: a program may change its user, or its root,
 * before its first session. Says once on standard error why there is no store, if there is none.
 */
void store_prepare(void);

/*
 * Shares a session that a server has stored. Answers true where the process's own cache must not have
 * it: it allows early data, which only the one who takes it out of the store may accept.
 */
bool store_put(const SSL *ssl, SSL_SESSION *session);

/* The same for a session that the program has added by hand. */
bool store_put_added(struct context *context, SSL_SESSION *session);

/*
 * The session of that id for a connection, with one reference for the caller, or NULL. Waits for
 * SSLCACHE_STORE_TIMEOUT at most. take: of all who ask, in all processes, one gets it.
 */
SSL_SESSION *store_find(SSL *ssl, const unsigned char *id, unsigned int length, bool take);

/* Removes what the store has under the session's key. */
void store_remove(const SSL_SESSION *session);

/* Whether another process has removed a session that this one has in its own cache. */
bool store_was_removed(const SSL_SESSION *session);

/*
 * To be told which session id contexts the program sets, since libssl has no function that shows them. NULL context: it
 * is not attached.
 */
void store_set_context_of(struct context *context, const unsigned char *id_context,
                          unsigned int length);
void store_set_connection_of(SSL *ssl, const unsigned char *id_context, unsigned int length);

/* What was set for ssl. Tickets are bound to it too (tickets.h). */
struct session_context store_context_of(const SSL *ssl);

enum { STORE_DESCRIPTION_SIZE = 1024 };

/*
 * Writes the counters of this process as a member of a JSON object, "store":{...}. False: it has not used
 * the store, or there is too little room (STORE_DESCRIPTION_SIZE is enough).
 */
bool store_describe(char *json, size_t size);

/*
 * Fork handler, also of a fork in a signal handler that interrupted us. The child has a runtime and connections of its
 * own, at need.
 */
void store_fork_child(void);

#endif
