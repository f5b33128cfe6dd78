#define _GNU_SOURCE
#include "cshim/process/scope.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Only ENOMEM says that there is none: a filter of system calls may answer anything else. */
static bool is_unmapped(uintptr_t address)
{
    unsigned char is_resident;
    uintptr_t page = address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    int saved_errno = errno;
    bool is_missing = mincore((void *)page, 1, &is_resident) != 0 && errno == ENOMEM;
    errno = saved_errno;
    return is_missing;
}

bool scope_is_mapped(const struct scope *scope, const void *frame)
{
    enum { SMALLEST_PAGE = 4096 };
    uintptr_t seal = (uintptr_t)&scope->seal;
    return seal / SMALLEST_PAGE == (uintptr_t)frame / SMALLEST_PAGE || !is_unmapped(seal);
}
