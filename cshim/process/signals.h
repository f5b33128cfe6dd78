/*
 * signals.h - the program's signal handlers, safe beside a Go runtime.
 *
 * C that calls Go runs on a goroutine's small stack, which a handler of the program would overrun
 * unless it was installed with SA_ONSTACK (Go gives each thread that enters it an alternate stack).
 * So from the start of the core on, every handler carries SA_ONSTACK; what the program reads back
 * is what it set. Go's own handlers are taken out again: with async preemption off the runtime
 * needs none of them.
 */
#ifndef SSLCACHE_SIGNALS_H
#define SSLCACHE_SIGNALS_H

#include <stdbool.h>

/* The actions of all signals at one time. Points to static memory: one start of a core at a time.
 */
struct signals_snapshot;

struct signals_snapshot *signals_snapshot(void);

/*
 * Puts back what stood before, wherever the runtime has put a handler of its own (runtime: any
 * address in the library that holds it), and gives SA_ONSTACK to all handlers of the program, from
 * now on too.
 */
void signals_restore(const struct signals_snapshot *before, const void *runtime);

/*
 * To be called before a thread calls Go for the first time: gives it an alternate stack as large as
 * handlers may expect that were installed without SA_ONSTACK. Go's own, which it would set where
 * there is none, has 32 KB. The program goes on seeing the one that it set itself, or none.
 */
void signals_enter_thread(void);

/* Whether this thread is in a handler, once the core has started: they all run on the alternate stack. */
bool signals_in_handler(void);

#endif
