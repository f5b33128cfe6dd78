/*
 * ticket_identity.h - for which SSL_CTX a ticket is good: the one that would have made it.
 *
 * A server that is known by another certificate, or that asks for clients' certificates by other rules, must not
 * open a ticket. The identity is a digest of the public keys of all certificates of an SSL_CTX; where clients'
 * certificates are asked for also of its list of authorities, the certificates and revocation lists in its trust
 * store, and its depth.
 */
#ifndef SSLCACHE_TICKET_IDENTITY_H
#define SSLCACHE_TICKET_IDENTITY_H

#include "cshim/context/context.h"
#include "cshim/share/ticket_keys.h"

/*
 * To be called where a connection is made, or gets another SSL_CTX: notes its rules for clients' certificates
 * while no handshake has added to the trust store what it has looked up.
 */
void ticket_identity_prepare(struct context *context);

/*
 * Writes identity and verify mode of a label: of the SSL_CTX that the connection has now, and how the
 * connection asks for clients' certificates. Where the program has given the connection a certificate that the
 * SSL_CTX has not, it is that one's. False: there is none. Nobody can tell then which host the ticket is of.
 */
bool ticket_identity_of(const SSL *ssl, struct ticket_label *label);

/* The SSL_CTX goes. */
void ticket_identity_forget(struct context *context);

#endif
