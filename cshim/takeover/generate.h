/*
 * generate.h - the program's own generators of session ids: SSL_CTX_set_generate_session_id(3).
 *
 * libssl refuses an id that its cache has already. Where it asks itself and not us (-Bsymbolic), it would
 * ask an empty cache. There it calls us for the program's generator, and if our cache has the id we add a
 * placeholder, which libssl then finds: a session of that very key in its own cache.
 */
#ifndef SSLCACHE_GENERATE_H
#define SSLCACHE_GENERATE_H

#include "cshim/context/context.h"

int generate_set_for_context(struct context *context, session_id_generator generator);
int generate_set_for_connection(SSL *ssl, session_id_generator generator);

/* To be called when ssl was made: it keeps the generator that its context has now. */
void generate_inherit(SSL *ssl, struct context *context);

/* Removes the placeholders that have done their work. To be called where libssl holds no lock of the context. */
void generate_remove_placeholders(struct context *context);

/* The context goes, and libssl's cache is gone. */
void generate_forget(struct context *context);

/* Whether session is a placeholder: then the program is not told that libssl drops it. */
bool generate_is_placeholder(const SSL_SESSION *session);

#endif
