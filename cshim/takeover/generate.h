/*
 * generate.h - the program's own generators of session ids: SSL_CTX_set_generate_session_id(3).
 *
 * libssl refuses an id that its cache has already. Where it asks itself and not us (-Bsymbolic), it would
 * ask an empty cache. There it calls us for the program's generator, and if our cache has the id we lay a
 * bait for libssl to find: a session of that very key in its own cache.
 */
#ifndef SSLCACHE_GENERATE_H
#define SSLCACHE_GENERATE_H

#include "cshim/context/context.h"

int generate_set_for_context(struct context *context, session_id_generator generator);
int generate_set_for_connection(SSL *ssl, session_id_generator generator);

/* To be called when ssl was made: it keeps the generator that its context has now. */
void generate_inherit(SSL *ssl, struct context *context);

/* Takes up the baits that have done their work; call where libssl holds no lock of the context. */
void generate_mend(struct context *context);

/* The context goes, and libssl's cache is gone. */
void generate_forget(struct context *context);

/* Whether session is a bait: then that libssl drops it is no business of the program. */
bool generate_is_bait(const SSL_SESSION *session);

#endif
