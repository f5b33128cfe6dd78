#define _GNU_SOURCE
#include "cshim/process/scope.h"

#include <errno.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Whether both are on the stack that the process began with. The kernel keeps what is mapped elsewhere 128 MB and more
 * below its top, whatever its limit is, and the name of the program stands at the top. So all between the two is mapped.
 */
static bool are_on_first_stack(uintptr_t above, uintptr_t below)
{
    enum { NEAR = 8 << 20 };
    uintptr_t top = getauxval(AT_EXECFN);
    return above < top && top - below < NEAR;
}

/*
 * Asks the kernel for what it must read there before it finds the first argument wrong: hardly any filter of system calls
 * forbids this one, as many do mincore(2). Only EFAULT says that there is nothing to read.
 */
static bool is_unmapped(uintptr_t address)
{
    enum { NO_OPERATION = -1, SIGNAL_SET_SIZE = 8 };
    int saved_errno = errno;
    bool is_missing =
        syscall(SYS_rt_sigprocmask, NO_OPERATION, address, NULL, SIGNAL_SET_SIZE) != 0 &&
        errno == EFAULT;
    errno = saved_errno;
    return is_missing;
}

bool scope_is_mapped(const struct scope *scope, const void *frame)
{
    enum { SMALLEST_PAGE = 4096 };
    uintptr_t seal = (uintptr_t)&scope->seal;
    return seal / SMALLEST_PAGE == (uintptr_t)frame / SMALLEST_PAGE ||
           are_on_first_stack(seal, (uintptr_t)frame) || !is_unmapped(seal);
}
