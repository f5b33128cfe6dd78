/*
 * direct.h - the calls of the running core that go past Go's scheduler.
 */
#ifndef SSLCACHE_DIRECT_H
#define SSLCACHE_DIRECT_H

#include "capi/core.h"

/*
 * Filled when a core starts. Until then, and on an architecture that has none, each leaves all as it was
 * and answers CORE_NOT_DONE.
 */
extern struct core_direct directly;

#endif
