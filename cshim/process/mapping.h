/*
 * mapping.h - the kinds of memory: whether other processes see what lies in it, and memory for what nobody else may see.
 */
#ifndef SSLCACHE_MAPPING_H
#define SSLCACHE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

/* Whether other processes may see what is written there, also where that can't be told (no /proc). */
bool mapping_is_shared(const void *address);

/*
 * Pages for secrets, all 0: never in a core dump, and never on a disk where that can be had. Forked children have them.
 * NULL: there is no memory. munmap(2) gives them back.
 */
void *mapping_make_secret(size_t size);

#endif
