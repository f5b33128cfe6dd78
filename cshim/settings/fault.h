/*
 * fault.h - what the user wants to fail: SSLCACHE_FAULT, from SSLCACHE_SEED.
 *
 * Each fault has a stream of its own, in which the n-th question always gets the same answer: a run can
 * be repeated, and one fault more does not disturb the others. A forked child has streams of its own,
 * which depend on how many children its parent had before.
 */
#ifndef SSLCACHE_FAULT_H
#define SSLCACHE_FAULT_H

#include "cshim/settings/config.h"

/* Whether it happens this time. */
bool fault_decide(enum fault_kind kind);

static inline bool fault_strikes(enum fault_kind kind)
{
    return __builtin_expect(config.settings.faulty, 0) && fault_decide(kind);
}

/* Waits as long as lookup=slow says; call with no lock held. */
void fault_wait(void);

/* The next number of the fault's stream, for what it chooses. */
uint64_t fault_random(enum fault_kind kind);

/* Fork handlers. */
void fault_fork_prepare(void);
void fault_fork_child(void);

#endif
