/*
 * core.h - the Go core of this process: started at first need, and anew in a forked child.
 *
 * Everything above calls through `core()`; nothing else of Go is visible in the C layer.
 */
#ifndef SSLCACHE_CSHIM_CORE_H
#define SSLCACHE_CSHIM_CORE_H

#include <stdbool.h>

#include "capi/core.h"
#include "capi/store.h"

/*
 * The core's functions, or NULL where this process can have none, for good: not enough address
 * space, no more threads, no copy of the library to be had in a forked child. The first call starts
 * the Go runtime (about 2 ms). errno, the signal mask, the signal handlers and the limits of the
 * program are as they were afterwards.
 */
const struct core_functions *core(void);

/* Why there can be no core, after core() has answered NULL. */
const char *core_obstacle(void);

/*
 * Asks for the core that has the store, if none runs yet. It is libsslcache-store.so.1, beside our own
 * library, and is loaded now: the program may give up the rights to do so. Where it can't be loaded, the core
 * is our own as ever.
 */
void core_want_store(void);

/* The store of the core, which is started if need be; NULL: it has none. */
const struct store_functions *core_store(void);

/* The running core, or NULL: starts nothing. */
const struct core_functions *core_running(void);

/* How many threads the running core has; 0: none runs. */
int core_threads(void);

/*
 * Fork handlers. No start is under way during a fork; in the child the core that ran is gone,
 * stayed behind with the parent's threads, and core() makes a fresh one.
 */
void core_fork_prepare(void);
void core_fork_parent(void);
void core_fork_child(void);

#endif
