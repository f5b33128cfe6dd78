/*
 * memory.h - what kind of memory an object lies in.
 */
#ifndef SSLCACHE_MEMORY_H
#define SSLCACHE_MEMORY_H

#include <stdbool.h>

/* Whether other processes may see what is written there, also where that can't be told (no /proc). */
bool memory_is_shared(const void *address);

#endif
