/*
 * walk.h - SSL_CTX_sessions(3): a hash table of libcrypto's that a program may walk.
 */
#ifndef SSLCACHE_WALK_H
#define SSLCACHE_WALK_H

#include "cshim/takeover/context.h"

/*
 * A table of the sessions as they are now. It stays the same object for a context, and is filled anew
 * by each call. As libssl's own it has no lock, and no reference to what is in it.
 */
session_hash walk_sessions(struct context *context);

#endif
