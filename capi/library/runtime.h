/*
 * runtime.h - what Go's runtime asks of libc, as a library in somebody else's process may have it. The runtime ends the
 * process where it can't have a thread or memory; here it waits until it can, and the program goes on meanwhile.
 *
 * The build gives the calls of Go's archive the names below (objcopy --redefine-sym): each is the function of libc that
 * is called so without runtime_, but for what stands beside it.
 */
#ifndef SSLCACHE_RUNTIME_H
#define SSLCACHE_RUNTIME_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

/* Waits until there is a thread to be had, and memory left for the program. */
int runtime_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                           void *(*routine)(void *), void *argument);

/* With a size of the stack that does not depend on RLIMIT_STACK. */
int runtime_pthread_attr_init(pthread_attr_t *attributes);

/* Waits until there is memory to be had, and some left for the program. */
void *runtime_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset);

/* What can't be unmapped stays: Go would end the process. */
int runtime_munmap(void *address, size_t length);

/* Sets no handler: with asyncpreemptoff=1 Go needs none, and the handlers of the process are the program's. */
int runtime_sigaction(int number, const struct sigaction *new, struct sigaction *old);

/* Ends nothing: the thread of Go that wanted it waits for ever. */
_Noreturn void runtime_abort(void);

/* What a thread of Go waits for now, "threads" or "memory", or NULL. */
const char *runtime_wants(void);

/*
 * Before the start. Go's threads let some signals through whatever mask they are born with, SIGCHLD and SIGPROF among
 * them; a signal that all threads of the program block, to take it with sigwait or signalfd, would be delivered to one
 * of Go's and be lost. Afterwards they let through what glibc keeps for itself only. Not NULL: Go's table of signals is
 * not as expected.
 */
const char *runtime_mask_signals(void);

#endif
