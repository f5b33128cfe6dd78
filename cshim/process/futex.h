/*
 * futex.h - waiting for a word of memory to change, as futex(2) has it: asleep, interrupted by the program's signal
 * handlers, and no cancellation point. errno stays as it was.
 */
#ifndef SSLCACHE_FUTEX_H
#define SSLCACHE_FUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Sleeps while the word has that value, until `deadline` at most (of CLOCK_MONOTONIC, as clock_now gives it; INT64_MAX:
 * for ever). May wake for no reason. False: the time is over.
 */
bool futex_wait(atomic_uint *word, unsigned value, int64_t deadline);

/* Wakes all that wait for the word. */
void futex_wake(atomic_uint *word);

#endif
