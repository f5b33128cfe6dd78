/*
 * start.h - what this process was started with, noted before Go's runtime changes it; and the signals that a
 * process in front of another hands on.
 */
#ifndef SSLCACHE_START_H
#define SSLCACHE_START_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether a signal was ignored, and whether one of the descriptors 0 to 2 was closed. */
bool start_ignored(int signal);
bool start_closed(int descriptor);

/*
 * From now on what this process is sent is meant for its child; what a terminal sends to all in its foreground the
 * child has got already. Signals that come before forward_to are kept for it. After the child's end the
 * number of each signal is written to `after`, a byte each.
 */
void forward_signals(int after);
void forward_to(pid_t child);

/* waitpid(2) for any child that has ended or stopped; the one of forward_to gets no signal any more then. */
pid_t forward_wait(int *status);

#endif
