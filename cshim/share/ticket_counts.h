/*
 * ticket_counts.h - what became of tickets: counted for each context and for the process, and told to the trace.
 */
#ifndef SSLCACHE_TICKET_COUNTS_H
#define SSLCACHE_TICKET_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cshim/context/context.h"

void ticket_counts_add(struct context *context, enum ticket_event event);

enum { TICKET_COUNTS_SIZE = 512 };

/*
 * Writes what became of the tickets of this process as a member of a JSON object, "tickets":{...}. False: there
 * were none, or there is too little room (TICKET_COUNTS_SIZE is enough).
 */
bool ticket_counts_describe(char *json, size_t size);

/* In a forked child: what was counted is its parent's. */
void ticket_counts_fork_child(void);

#endif
