/*
 * atfork.h - what is registered with pthread_atfork(3) in this process, to be run around a fork that is
 * not the whole fork(3) of glibc.
 */
#ifndef SSLCACHE_ATFORK_H
#define SSLCACHE_ATFORK_H

enum atfork_phase { ATFORK_PREPARE, ATFORK_PARENT, ATFORK_CHILD, ATFORK_PHASES };

/* Runs the functions of a phase, in the order of pthread_atfork(3). */
void atfork_run(enum atfork_phase phase);

/* Fork handler, but not in a handler, which may have interrupted a registration of this very thread. */
void atfork_fork_child(void);

#endif
