/*
 * sslcache.h - what a C program includes beside <openssl/ssl.h> to use libsslcache by name.
 *
 * Link with -lsslcache before -lssl. A preloaded library (LD_PRELOAD) needs no header: the
 * functions of OpenSSL keep their names and signatures.
 */
#ifndef SSLCACHE_H
#define SSLCACHE_H

#include <openssl/ssl.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The synonyms that SSL_CTX_add_session(3) documents and OpenSSL never shipped. They take, give and
 * answer what SSL_CTX_add_session and SSL_CTX_remove_session do: adding takes one reference to the
 * session and answers 1, or 0 if this very object was in the cache already; removing gives the
 * cache's reference back and answers 1, or 0 if the session was not in the cache.
 */
int SSL_add_session(SSL_CTX *ctx, SSL_SESSION *session);
int SSL_remove_session(SSL_CTX *ctx, SSL_SESSION *session);

/* What a cache has counted since its context was made. */
struct sslcache_stats {
    uint64_t number;   /* sessions held now */
    uint64_t peak;     /* the most ever held */
    uint64_t stored;   /* sessions that went in */
    uint64_t found;    /* lookups of a handshake that found a session */
    uint64_t missed;   /* lookups of a handshake that found none */
    uint64_t replaced; /* sessions that gave way to another with the same id */
    uint64_t evicted;  /* sessions that gave way to the size limit */
    uint64_t expired;  /* sessions that a flush took out */
    uint64_t removed;  /* sessions removed by name */
};

/*
 * Fills *stats for the cache of ctx, or, where ctx is NULL, with the sum over all contexts that
 * this process has had (peak: the sum of the peaks). Answers 1, or 0 where stats is NULL or the
 * sessions of ctx are not kept by us.
 */
int sslcache_get_stats(SSL_CTX *ctx, struct sslcache_stats *stats);

/* The version of this library, such as "0.1.0". */
const char *sslcache_version(void);

#ifdef __cplusplus
}
#endif

#endif
