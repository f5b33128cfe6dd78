#define _GNU_SOURCE
#include "cshim/settings/fault.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "cshim/process/cancel.h"
#include "cshim/process/fork.h"

static FORK_WRITES _Atomic uint64_t asked[FAULT_KINDS];  /* how often fault_decide was called */
static FORK_WRITES _Atomic uint64_t chosen[FAULT_KINDS]; /* how often fault_random was called */
static FORK_WRITES _Atomic uint64_t forks;               /* of this process */
static FORK_WRITES uint64_t
    lineage; /* of a forked child: from its parent's, and how many that had before */

/* Sebastiano Vigna's splitmix64: numbers without a pattern, one for each number. */
static uint64_t mix(uint64_t number)
{
    number += 0x9e3779b97f4a7c15;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
    return number ^ (number >> 31);
}

/* The n-th number of one of a fault's two streams: for whether it strikes, and for what it chooses. */
static uint64_t stream(enum fault_kind kind, bool is_choice, uint64_t n)
{
    uint64_t start = mix(config.settings.seed ^ lineage);
    return mix(mix(start + 2 * (uint64_t)kind + is_choice) + n);
}

bool fault_decide(enum fault_kind kind)
{
    const struct settings_fault *fault = &config.settings.faults[kind];
    if (fault->every == 0 && fault->billionths == 0)
        return false;
    uint64_t n = atomic_fetch_add(&asked[kind], 1) + 1;
    if (fault->every != 0)
        return n % fault->every == 0;
    return stream(kind, false, n) % 1000000000 < fault->billionths;
}

uint64_t fault_random(enum fault_kind kind)
{
    return stream(kind, true, atomic_fetch_add(&chosen[kind], 1));
}

void fault_wait(void)
{
    int64_t delay = config.settings.faults[FAULT_LOOKUP_SLOW].delay;
    struct timespec left = {.tv_sec = delay / 1000000000, .tv_nsec = delay % 1000000000};
    int saved_errno = errno, cancelling = cancel_forbid();
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    cancel_allow(cancelling);
    errno = saved_errno;
}

void fault_fork_prepare(void)
{
    atomic_fetch_add(&forks, 1);
}

void fault_fork_child(void)
{
    lineage = mix(lineage + atomic_load(&forks));
    atomic_store(&forks, 0);
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        atomic_store(&asked[kind], 0);
        atomic_store(&chosen[kind], 0);
    }
}
