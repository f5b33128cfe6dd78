/*
 * background.h - threads of our own: they take no signal of the program, need little, and end with the
 * process. A process that was forked has none of its parent's.
 */
#ifndef SSLCACHE_BACKGROUND_H
#define SSLCACHE_BACKGROUND_H

#include <stdbool.h>

/* Starts one. False where no thread can be had. errno stays as it was. */
bool background_start(void *(*work)(void *unused));

/* How many there are in this process. */
int background_number(void);

/* Fork handler. */
void background_fork_child(void);

#endif
