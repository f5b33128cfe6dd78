/*
 * handshake.h - the three callbacks that libssl calls during a handshake, on every context of ours.
 */
#ifndef SSLCACHE_HANDSHAKE_H
#define SSLCACHE_HANDSHAKE_H

#include "cshim/libssl/libssl.h"

/* new_cb: a handshake has made a session. Keeps the caller's reference (1) or not (0). */
int handshake_new_session(SSL *ssl, SSL_SESSION *session);

/* get_cb: a client asks for a session. With *copy 0 the reference is libssl's. */
SSL_SESSION *handshake_get_session(SSL *ssl, const unsigned char *id, int length, int *copy);

/* A connection is being freed. Tells the trace if libssl could not store its session, since the program has set no session id
 * context. */
void handshake_trace_refused(const SSL *ssl);

/* remove_cb: libssl is through with a session. */
void handshake_remove_session(SSL_CTX *ctx, SSL_SESSION *session);

#endif
