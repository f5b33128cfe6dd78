/*
 * lock_order.h - the mutexes of the library, and the order in which they are taken.
 *
 * A thread waits for a lock only while all that it holds stand before it in the list, so that no two threads wait for each
 * other. In a build with SSLCACHE_CHECK_LOCKS (`make asan`, `make debug`) whoever breaks the order ends the process, also
 * where nobody else wants the lock just then. What each lock guards is said in docs/architecture.md.
 */
#ifndef SSLCACHE_LOCK_ORDER_H
#define SSLCACHE_LOCK_ORDER_H

#include <pthread.h>
#include <stdbool.h>

/* In this order. The names are those of the table in docs/architecture.md. */
#define LOCKS(X)                                                                                   \
    X(LOCK_FORKING, "forking")                                                                     \
    X(LOCK_GATE, "the gate")                                                                       \
    X(LOCK_LIVE, "live")                                                                           \
    X(LOCK_CONTEXTS, "contexts")                                                                   \
    X(LOCK_CACHES, "shards of a cache")                                                            \
    X(LOCK_CACHES_MEMORY, "memory of the caches")                                                  \
    X(LOCK_CONNECTIONS, "connections")                                                             \
    X(LOCK_TICKET_KEYS, "ticket keys")                                                             \
    X(LOCK_MEMORY_STORE, "memory store")                                                           \
    X(LOCK_CLIENTS, "clients")                                                                     \
    X(LOCK_TRACE, "writing")

enum lock {
#define X(lock, name) lock,
    LOCKS(X)
#undef X
        LOCK_COUNT
};

#ifdef SSLCACHE_CHECK_LOCKS

/* This thread is about to wait for a lock: ends the process where it holds that or one that stands behind it. */
void lock_order_check(enum lock lock);

/* This thread has a lock now, or has it no more. A forked child has those of the thread that forked. */
void lock_order_note_taken(enum lock lock);
void lock_order_note_released(enum lock lock);

#else

static inline void lock_order_check(enum lock lock)
{
    (void)lock;
}

static inline void lock_order_note_taken(enum lock lock)
{
    (void)lock;
}

static inline void lock_order_note_released(enum lock lock)
{
    (void)lock;
}

#endif

static inline void lock_take(pthread_mutex_t *mutex, enum lock lock)
{
    lock_order_check(lock);
    pthread_mutex_lock(mutex);
    lock_order_note_taken(lock);
}

/* Without waiting, so out of the order too. False: another has it. */
static inline bool lock_try(pthread_mutex_t *mutex, enum lock lock)
{
    bool is_taken = pthread_mutex_trylock(mutex) == 0;
    if (is_taken)
        lock_order_note_taken(lock);
    return is_taken;
}

static inline void lock_release(pthread_mutex_t *mutex, enum lock lock)
{
    lock_order_note_released(lock);
    pthread_mutex_unlock(mutex);
}

/*
 * Waits for a second at most: a handler of the program may have interrupted whoever has it, on this very thread. False:
 * it was not to be had.
 */
bool lock_take_in_time(pthread_mutex_t *mutex, enum lock lock);

/* In a forked child: the lock is free, whoever had it in the parent. */
void lock_make_free(pthread_mutex_t *mutex, enum lock lock);

#endif
