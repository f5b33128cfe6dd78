/*
 * cache.h - the cache that is Go, as the C layer calls it: what it asks of the process (capi/core.h, struct
 * core_host), and which of the two ways to it is taken.
 *
 * The room core/ is the way from C to Go: the cache, which needs no runtime, and the library that has one. It knows
 * nothing of OpenSSL: a session is a number.
 */
#ifndef SSLCACHE_CACHE_H
#define SSLCACHE_CACHE_H

#include <stdbool.h>

#include "capi/core.h"

/* The functions of the way that is taken: the direct one, unless SSLCACHE_CORE asks for cgo. */
extern const struct core_functions *cache_functions;

/*
 * An empty cache that lives by rules, or NULL where there is no memory. Not to be called by two threads at
 * once.
 */
core_handle cache_new(const struct core_rules *rules);

/*
 * To be called with no lock held, while the program has its rights: asks the kernel for random numbers and the number
 * of processors, which a later filter of system calls may forbid, and loads the library that the way by cgo needs.
 */
void cache_prepare(void);

/* How a forked child, in which Go's runtime is dead, knows the cache: see cache_fork_child. */
core_handle cache_direct_handle(core_handle cache);

/* Fork handler: from now on all caches are called directly. False: they were already. */
bool cache_fork_child(void);

/* Around a fork, with all caches locked: the memory that they share. */
void cache_lock_memory(void);
void cache_unlock_memory(void);

#endif
