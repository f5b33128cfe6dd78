#define _GNU_SOURCE
#include "cshim/process/lock_order.h"

#include <time.h>

bool lock_take_in_time(pthread_mutex_t *mutex, enum lock lock)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    if (pthread_mutex_timedlock(mutex, &until) != 0)
        return false;
    lock_order_note_taken(lock);
    return true;
}

void lock_make_free(pthread_mutex_t *mutex, enum lock lock)
{
    pthread_mutex_init(mutex, NULL);
    lock_order_note_released(lock);
}

#ifdef SSLCACHE_CHECK_LOCKS

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {
#define X(lock, name) [lock] = (name),
    LOCKS(X)
#undef X
};

/* A bit for each lock that this thread has. Who waits for whom is a matter of threads, so it can't be an argument. */
static _Thread_local unsigned held __attribute__((tls_model("initial-exec")));

static void put(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        abort();
}

void lock_order_check(enum lock lock)
{
    if (held >> lock == 0)
        return;
    enum lock later = lock;
    while ((held >> later & 1) == 0)
        later++;
    put("sslcache: the lock '");
    put(names[lock]);
    put("' is waited for while '");
    put(names[later]);
    put("' is held\n");
    abort();
}

void lock_order_note_taken(enum lock lock)
{
    held |= 1U << lock;
}

void lock_order_note_released(enum lock lock)
{
    held &= ~(1U << lock);
}

#endif
