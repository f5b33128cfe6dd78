/*
 * release_order.h - in which order the libssl that is loaded calls back for the sessions that a flush drops, and frees them.
 */
#ifndef SSLCACHE_RELEASE_ORDER_H
#define SSLCACHE_RELEASE_ORDER_H

#include "cshim/libssl/libssl.h"

/* How the libssl that is loaded releases the sessions that a flush drops. */
enum release_order {
    ONE_BY_ONE,           /* each one called back for and freed before the next (1.1.1) */
    FREES_AT_END,         /* called back for one by one, freed when all are out (3.0 and later) */
    CALLBACKS_LAST_FIRST, /* called back for and freed when all are out, the last one first (4.0) */
};

enum release_order release_order(void);

/* Finds the order out, once in a process, with an SSL_CTX that was made just now and is as before afterwards. */
void release_order_probe(SSL_CTX *ctx);

#endif
