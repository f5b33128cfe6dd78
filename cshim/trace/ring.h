/*
 * ring.h - events on their way from the threads of the program to the one that writes them. Nobody waits:
 * where there is no room the event is refused.
 */
#ifndef SSLCACHE_RING_H
#define SSLCACHE_RING_H

#include <stdbool.h>

#include "cshim/trace/event.h"

enum { RING_SIZE = 1 << 15 };

/* Makes the ring unless it is there; any thread, also in a signal handler. False: no memory. */
bool ring_ready(void);

/* Puts a copy in. False: it is full. Any thread, also in a signal handler. *position counts them. */
bool ring_put(const struct event *event, uint64_t *position);

/* The oldest event, or NULL; it stays until ring_pop. One thread at a time. */
const struct event *ring_peek(void);
void ring_pop(void);

/* How many events wait. */
uint64_t ring_waiting(void);

/* In a forked child: the events were the parent's. */
void ring_empty(void);

#endif
