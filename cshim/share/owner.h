/*
 * owner.h - who holds a bucket of the memory store, as one word: the process, when it began, and in which
 * namespace its number counts. So a process that has the number of a dead one is not taken for it.
 */
#ifndef SSLCACHE_OWNER_H
#define SSLCACHE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

/* The word of this process; a forked child has another. Never 0. */
uint64_t owner_self(void);

/*
 * Whether the process of that word is dead for certain. False also where that can't be told: without /proc, for
 * a process of another namespace, or one that is hidden.
 */
bool owner_is_dead(uint64_t word);

/* To be called in a forked child. */
void owner_fork_child(void);

#endif
