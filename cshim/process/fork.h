/*
 * fork.h - what a fork must find at rest.
 *
 * A child gets a copy of every lock in the state of that moment. libssl's own lock on a context is
 * taken by the functions that we call of it; a thread that is inside one of them when another
 * thread forks would leave it locked in the child for ever. So those calls pass a gate that a fork
 * closes.
 */
#ifndef SSLCACHE_FORK_H
#define SSLCACHE_FORK_H

/* Registers the fork handlers, once. */
void fork_watch(void);

/* Around a call of libssl that takes a lock of a context. May be nested. */
void gate_enter(void);
void gate_leave(void);

/*
 * Around code of the program that is called back from within such a call, where libssl holds no
 * lock: the program may fork there, or wait for a thread that forks. gate_open gives what
 * gate_close takes.
 */
unsigned gate_open(void);
void gate_close(unsigned depth);

#endif
