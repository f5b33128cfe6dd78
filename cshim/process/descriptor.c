#define _GNU_SOURCE
#include "cshim/process/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above what a program counts on, and what it closes one by one when it becomes a daemon. */
enum { LOWEST = 512 };

bool descriptor_keep(struct descriptor *descriptor, int number)
{
    struct stat file;
    int high = fcntl(number, F_DUPFD_CLOEXEC, LOWEST);
    if (high >= 0) {
        close(number);
        number = high;
    }
    if (fstat(number, &file) != 0) {
        close(number);
        return false;
    }
    *descriptor =
        (struct descriptor){.number = number, .device = file.st_dev, .inode = file.st_ino};
    return true;
}

bool descriptor_is_ours(const struct descriptor *descriptor)
{
    struct stat file;
    return descriptor->number >= 0 && fstat(descriptor->number, &file) == 0 &&
           file.st_dev == descriptor->device && file.st_ino == descriptor->inode;
}

void descriptor_close(struct descriptor *descriptor)
{
    if (descriptor_is_ours(descriptor))
        close(descriptor->number);
    descriptor->number = -1;
}
