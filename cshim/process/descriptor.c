#define _GNU_SOURCE
#include "cshim/process/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cshim/process/cancel.h"

/* Programs close low numbers one by one when they become daemons, and expect to get the lowest free one. */
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

/* A pipe or a terminal that nobody reads from must not hold the program up. */
static bool has_room(int number)
{
    struct pollfd reader = {.fd = number, .events = POLLOUT};
    return poll(&reader, 1, 0) != 0;
}

/* SIGPIPE and SIGXFSZ are blocked meanwhile. What the write has raised is taken back, unless it was pending before. */
static ssize_t write_blocked(int number, const void *bytes, size_t length)
{
    const struct timespec at_once = {0, 0};
    sigset_t raised, mask, before;
    sigemptyset(&raised);
    sigaddset(&raised, SIGPIPE);
    sigaddset(&raised, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &raised, &mask);
    sigpending(&before);
    ssize_t written = write(number, bytes, length);
    int error = errno;
    if (sigismember(&before, SIGPIPE) == 1)
        sigdelset(&raised, SIGPIPE);
    if (sigismember(&before, SIGXFSZ) == 1)
        sigdelset(&raised, SIGXFSZ);
    if (written < 0 && (error == EPIPE || error == EFBIG))
        sigtimedwait(&raised, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    errno = error;
    return written;
}

ssize_t descriptor_write(int number, const void *bytes, size_t length)
{
    int cancelling = cancel_forbid();
    ssize_t written = -1;
    if (has_room(number))
        written = write_blocked(number, bytes, length);
    else
        errno = EAGAIN;
    int error = errno;
    cancel_allow(cancelling);
    errno = error;
    return written;
}
