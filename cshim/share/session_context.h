/*
 * session_context.h - a session id context for servers that set none (SSLCACHE_SESSION_CONTEXT=NAME).
 *
 * libssl shares no session of such a server, and where it asks for certificates refuses to resume at all. The one
 * that is set here follows from the name, the certificates of the SSL_CTX, and how it asks for clients' ones: so two
 * servers share what both would have made.
 *
 * It is set for each connection, not for its SSL_CTX: a program that sets one later finds nothing in its way.
 */
#ifndef SSLCACHE_SESSION_CONTEXT_H
#define SSLCACHE_SESSION_CONTEXT_H

#include "cshim/context/context.h"

/* A connection was made with the context, or has got it. NULL: it is not attached. */
void session_context_connect(SSL *ssl, struct context *context);

/* Takes ours away from the connection, before the program gives it one of its own or another SSL_CTX. */
void session_context_take_back(SSL *ssl);

/* To be told of SSL_set_verify(3) when it is done: the connection has rules of its own. */
void session_context_verify(SSL *ssl, int mode, SSL_verify_cb callback);

/*
 * To be told of SSL_set_session(3) before libssl is: it is a client's. libssl refuses a session of another session id
 * context, so the connection gets the session's.
 */
void session_context_offer(SSL *ssl, const SSL_SESSION *session);

#endif
