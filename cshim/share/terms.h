/*
 * terms.h - what a client connection asks of its peer: all that decides about its handshake, as text that
 * can be compared and read. Two connections of one SSL_CTX with the same terms verify the same peer in
 * the same way.
 */
#ifndef SSLCACHE_TERMS_H
#define SSLCACHE_TERMS_H

#include "cshim/context/context.h"
#include "cshim/trace/event.h"

enum { TERMS_SIZE = 1024 };

struct terms {
    char text[TERMS_SIZE];
};

/*
 * Reads the terms of ssl. CAUSE_NONE: they are whole. Else it says why they can't be known; then nothing may be offered
 * to ssl, and its session to no other.
 */
enum event_cause terms_read(SSL *ssl, const struct context *context, struct terms *terms);

bool terms_equal(const struct terms *left, const struct terms *right);

/* A hash of the protocols that SSL_set_alpn_protos(3) takes; 0 for none. libssl has no function that shows them. */
uint64_t terms_hash_protocols(const unsigned char *protocols, unsigned int length);

#endif
