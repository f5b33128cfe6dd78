/*
 * mapping.h - what kind of memory an object lies in.
 */
#ifndef SSLCACHE_MAPPING_H
#define SSLCACHE_MAPPING_H

#include <stdbool.h>

/* Whether other processes may see what is written there, also where that can't be told (no /proc). */
bool mapping_is_shared(const void *address);

#endif
