/*
 * fork.h - what a fork must find at rest.
 *
 * One of the lowest room, process/: what it means to live in somebody else's process, with its forks, threads, signals,
 * descriptors and its dynamic linker. Nothing in the room knows OpenSSL, the cache or the user's settings.
 *
 * A child gets a copy of every lock in the state of that moment, and none of the threads that would release
 * them. So our own locks are taken before a fork and released after it, on both sides. libssl's lock on a
 * context is taken by the functions that we call of it; those calls pass a gate that a fork closes.
 */
#ifndef SSLCACHE_FORK_H
#define SSLCACHE_FORK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Of a variable that is written around every fork: all stand side by side. A page that is written after a fork is copied, in
 * the parent and in the child, which takes longer than all that the handlers do.
 */
#define FORK_WRITES __attribute__((section("fork_writes")))

/* What one part of the library does around a fork. Each function may be NULL. */
struct fork_part {
    void (*prepare)(void);
    void (*parent)(void);
    void (*child)(void);
    /* In the child of a fork out of a signal handler that interrupted us: nothing was prepared, and the interrupted
     * code goes on when the handler returns. */
    void (*child_unprepared)(void);
};

/*
 * Registers the parts, to be prepared in their order. To be called when the library is loaded: the program's own
 * prepare handlers, which are registered later, then run before ours and find no lock of ours held.
 */
void fork_watch(const struct fork_part *parts, size_t count);

/*
 * Whether this process was forked from one that had other threads: one of them may have been in the dynamic linker, whose
 * lock then stays taken for ever.
 */
bool fork_has_locked_linker(void);

/*
 * Around whatever holds a lock of ours: a signal handler that interrupts this thread there may fork. Such a fork
 * waits for nothing. May be nested.
 */
extern _Thread_local unsigned fork_busy __attribute__((tls_model("initial-exec")));

static inline void fork_enter(void)
{
    fork_busy++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void fork_leave(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    fork_busy--;
}

/* Around a call of libssl that takes a lock of a context. May be nested. */
void gate_enter(void);
void gate_leave(void);

/*
 * Around code of the program that is called back from within such a call, where libssl holds no
 * lock: the program may fork there, wait for a thread that forks, or leave by longjmp. gate_open gives what
 * gate_close takes.
 */
unsigned gate_open(void);
void gate_close(unsigned depth);

/* What the gate does around a fork. */
void gate_fork_prepare(void);
void gate_fork_parent(void);
void gate_fork_child(void);

#endif
