/*
 * nobody.h - an SSL_CTX of our own that no program knows, to have libssl do and show what only it can.
 *
 * Only libssl can mark a session not resumable, and only where it removes one. It is asked to remove
 * it from this context, which has no callback, and no lock that anybody of the program could hold.
 */
#ifndef SSLCACHE_NOBODY_H
#define SSLCACHE_NOBODY_H

#include "cshim/takeover/libssl.h"

/* How the libssl that is loaded releases the sessions that a flush drops. */
enum release_order {
    ONE_BY_ONE,           /* each one called back for and freed before the next (1.1.1) */
    FREES_AT_END,         /* called back for one by one, freed when all are out (3.0 and later) */
    CALLBACKS_LAST_FIRST, /* called back for and freed when all are out, the last one first (4.0) */
};

/* Marks session not resumable, as libssl does with whatever leaves its cache. */
void nobody_mark(SSL_SESSION *session);

enum release_order nobody_release_order(void);

#endif
