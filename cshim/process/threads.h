/*
 * threads.h - the threads of the Go runtime, made before it starts.
 *
 * Go ends the process where it wants a thread and gets none, and it wants them late: for a collection of
 * garbage, or when a call stays in C. So as many as it can want at once are made before the start, or
 * there is no start, and wait until the runtime asks. The build gives Go's calls of pthread_create and
 * pthread_attr_init the names below.
 */
#ifndef SSLCACHE_THREADS_H
#define SSLCACHE_THREADS_H

#include <pthread.h>
#include <stdbool.h>

/* Makes the threads. False where not all can be had; then none is left. */
bool threads_prepare(void);

/* How many there are. One beyond those made ahead counts on when it has ended. */
int threads_number(void);

/* For Go: pthread_create(3), by one of the threads that wait as long as there is one. */
int threads_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *),
                   void *argument);

/* For Go: pthread_attr_init(3), with a size of the stack that does not depend on RLIMIT_STACK. */
int threads_attributes(pthread_attr_t *attributes);

#endif
