/*
 * live.h - SSLCACHE_LIVE=1: the counters of this process on a socket that only its user can reach,
 * RUN_FOLDER/PID.sock. Whoever connects gets one JSON document (docs/trace.md).
 *
 * The room report/ shows what the lower rooms have counted: here while the process runs, in report.c at its end.
 */
#ifndef SSLCACHE_LIVE_H
#define SSLCACHE_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>

extern atomic_bool live_is_due;

/* Begins to serve, once a process. */
void live_start(void);

/* To be called where sessions are worked on: costs a look at one flag. */
static inline void live_start_if_due(void)
{
    if (__builtin_expect(atomic_load_explicit(&live_is_due, memory_order_relaxed), 0))
        live_start();
}

/* Fork handlers. A child has its socket from the start, before it gives up its rights. */
void live_fork_prepare(void);
void live_fork_parent(void);
void live_fork_child(void);

#endif
