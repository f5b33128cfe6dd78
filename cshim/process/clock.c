#define _GNU_SOURCE
#include "cshim/process/clock.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int64_t clock_now(clockid_t clock)
{
    struct timespec now = {0};
    int saved_errno = errno;
    clock_gettime(clock, &now);
    errno = saved_errno;
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

void clock_sleep(int64_t nanoseconds)
{
    const struct timespec time = {.tv_nsec = (long)nanoseconds};
    int saved_errno = errno;
    syscall(SYS_nanosleep, &time, NULL);
    errno = saved_errno;
}
