/*
 * cancel.h - pthread_cancel(3) meets a thread only where the program expects it: not in what we open, read and wait for
 * in between, least of all under a lock.
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
