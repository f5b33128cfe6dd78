/*
 * references.h - which references to sessions the program takes and gives back, and when a session is gone.
 * Only where events are traced.
 *
 * What libssl does within itself is not the program's doing: its calls are told by their place. Events name an
 * SSL_SESSION by a token that is made of its address, and does not show it.
 */
#ifndef SSLCACHE_REFERENCES_H
#define SSLCACHE_REFERENCES_H

#include "cshim/libssl/libssl.h"
#include "cshim/process/scope.h"

/* To be called before a session is made. */
void references_watch(void);

/* The token of session, 0 before the first references_watch. */
uint64_t references_object(const SSL_SESSION *session);

/*
 * The program takes or gives a reference by `function`, unless the call is libssl's own or within another
 * such function. references_take answers session.
 */
SSL_SESSION *references_take(SSL_SESSION *session, const char *function, const void *caller);
void references_give(const SSL_SESSION *session, const char *function, const void *caller);

/* Around a function that makes a session out of bytes by others that we stand before too. */
void references_enter(struct scope *scope);
void references_leave(struct scope *scope);

#endif
