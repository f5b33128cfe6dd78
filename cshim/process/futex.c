#define _GNU_SOURCE
#include "cshim/process/futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cshim/process/clock.h"

bool futex_wait(atomic_uint *word, unsigned value, int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / CLOCK_SECOND, .tv_nsec = deadline % CLOCK_SECOND};
    int saved_errno = errno;
    long error = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value,
                         deadline == INT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
    bool is_over = error != 0 && errno == ETIMEDOUT;
    errno = saved_errno;
    return !is_over;
}

void futex_wake(atomic_uint *word)
{
    int saved_errno = errno;
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 0);
    errno = saved_errno;
}
