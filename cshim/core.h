/*
 * core.h - the Go core of this process: started at first need, and anew in a forked child.
 *
 * Everything above calls through `core()`; nothing else of Go is visible in the C layer.
 */
#ifndef SSLCACHE_CSHIM_CORE_H
#define SSLCACHE_CSHIM_CORE_H

#include <stdbool.h>

#include "capi/core.h"

/*
 * The core's functions, or NULL where this process can have none, for good: not enough address
 * space, no more threads, no copy of the library to be had in a forked child. The first call starts
 * the Go runtime (about 2 ms). errno, the signal mask, the signal handlers and the limits of the
 * program are as they were afterwards.
 */
const struct core_functions *core(void);

/* The running core, or NULL: starts nothing. */
const struct core_functions *core_running(void);

/*
 * To be called where calls into the core are far apart, as in handshakes, not in a tight loop of them.
 * Go's monitor takes the processor away from a thread that is in C when it has not seen its goroutine
 * scheduled for 10 ms; then every call from C wakes threads to get one back (about 7 us). Every 3 ms
 * this lets the goroutine be scheduled (9 us). Costs a look at the coarse clock otherwise.
 */
void core_breathe_sometimes(void);

/*
 * Fork handlers. No start is under way during a fork; in the child the core that ran is gone,
 * stayed behind with the parent's threads, and core() makes a fresh one.
 */
void core_fork_prepare(void);
void core_fork_parent(void);
void core_fork_child(void);

#endif
