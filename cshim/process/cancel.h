/*
 * cancel.h - a thread of the program is cancelled (pthread_cancel(3)) where it expects that, and not in a system call
 * of ours, where a descriptor would stay open or a lock taken.
 */
#ifndef SSLCACHE_CANCEL_H
#define SSLCACHE_CANCEL_H

#include <pthread.h>

/* Gives what cancel_allow takes. May be nested. */
static inline int cancel_forbid(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void cancel_allow(int before)
{
    pthread_setcancelstate(before, NULL);
}

#endif
