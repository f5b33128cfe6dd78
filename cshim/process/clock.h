/*
 * clock.h - what time it is, and sleeping, in somebody else's thread. errno stays as it was.
 */
#ifndef SSLCACHE_CLOCK_H
#define SSLCACHE_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { CLOCK_SECOND = 1000000000 };

/* The time of a clock of clock_gettime(2), in nanoseconds; 0 where there is no such clock. */
int64_t clock_now(clockid_t clock);

/*
 * Sleeps for less than a second, or until a handler of the program has run. No cancellation point, as nanosleep(2) is; nor
 * does it only give way to threads of the same priority, as sched_yield(2) does: whoever is waited for may have a lower one.
 */
void clock_sleep(int64_t nanoseconds);

#endif
