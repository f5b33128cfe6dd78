/*
 * descriptor.h - a file descriptor of ours in a program that closes what it did not open, and gives the
 * number to something else. Its number is a high one, and before each use we look whether it still is our file.
 */
#ifndef SSLCACHE_DESCRIPTOR_H
#define SSLCACHE_DESCRIPTOR_H

#include <stdbool.h>
#include <sys/types.h>

struct descriptor {
    int number; /* -1: none */
    dev_t device;
    ino_t inode;
};

#define NO_DESCRIPTOR                                                                              \
    {                                                                                              \
        .number = -1                                                                               \
    }

/* Takes over a descriptor: moved to a high number where that is possible, and closed by exec. False: it is closed now, for it
 * can't be used. */
bool descriptor_keep(struct descriptor *descriptor, int number);

/* Whether it still is what was kept. */
bool descriptor_is_ours(const struct descriptor *descriptor);

/* Closes it if it still is ours, and forgets it. */
void descriptor_close(struct descriptor *descriptor);

/*
 * write(2) as it has to be in somebody else's thread: it raises no SIGPIPE or SIGXFSZ, is no cancellation point, and does not
 * wait where there is no room now (EAGAIN). Gives what write gives, and sets errno.
 */
ssize_t descriptor_write(int number, const void *bytes, size_t length);

#endif
