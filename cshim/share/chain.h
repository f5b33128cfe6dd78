/*
 * chain.h - the certificates that a peer has shown, and whether a new connection would accept them too.
 */
#ifndef SSLCACHE_CHAIN_H
#define SSLCACHE_CHAIN_H

#include "cshim/libssl/libssl.h"

/* The chain of a handshake that is done, with references of its own, or NULL: the peer has shown none. */
STACK_OF(X509) * chain_of_peer(const SSL *ssl);

/* Another reference to each of its certificates, or NULL. */
STACK_OF(X509) * chain_copy(STACK_OF(X509) * chain);

void chain_free(STACK_OF(X509) * chain);

/* The trusted certificates by which a connection of ctx verifies. */
X509_STORE *chain_store(SSL *ssl, SSL_CTX *ctx);

/*
 * Verifies the chain as a handshake of ssl would, whose SSL_CTX is ctx: by its trusted certificates, names,
 * flags and security level, at the time that is now. What has expired or was revoked since fails.
 */
bool chain_is_accepted(STACK_OF(X509) * chain, SSL *ssl, SSL_CTX *ctx);

#endif
