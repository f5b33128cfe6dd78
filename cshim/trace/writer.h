/*
 * writer.h - writes the events of a trace: a thread of ours, made at the first event of a process.
 *
 * Where no thread can be had (RLIMIT_NPROC 0), whoever has an event writes what waits, now and then.
 */
#ifndef SSLCACHE_WRITER_H
#define SSLCACHE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "cshim/trace/event.h"

/* Puts an event into the ring, from any thread. False: it is lost, and counted. */
bool writer_put(const struct event *event);

/* The number of this thread, as events have it. */
int32_t writer_thread(void);

/* How many events this process has lost. */
uint64_t writer_lost(void);

void writer_fork_prepare(void);
void writer_fork_parent(void);
void writer_fork_child(void);

/* What the fork interrupted may be half done: the child traces nothing. */
void writer_fork_child_unprepared(void);

#endif
