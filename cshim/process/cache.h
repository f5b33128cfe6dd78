/*
 * cache.h - one cache of the core, as C calls it: past Go's scheduler where an operation can be done so,
 * else by a call of Go. The functions are those of capi/core.h.
 */
#ifndef SSLCACHE_CACHE_H
#define SSLCACHE_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "cshim/process/core.h"

struct cache {
    _Atomic core_handle handle; /* NULL: there is none */
    void *direct;               /* what the direct calls know it by */
};

static inline bool cache_is_made(struct cache *cache)
{
    return atomic_load_explicit(&cache->handle, memory_order_acquire) != NULL;
}

int cache_add(struct cache *cache, struct core_entry *entry, int64_t limit,
              struct core_answer *answer);
int cache_evict(struct cache *cache, int64_t limit, core_session newcomer,
                struct core_answer *answer);

/* retain is the host's: it takes the reference that the caller is given. */
core_session cache_lookup(struct cache *cache, struct core_entry *entry,
                          void (*retain)(core_session session));
bool cache_contains(struct cache *cache, struct core_entry *entry);
core_session cache_remove(struct cache *cache, struct core_entry *entry);
uint32_t cache_expire(struct cache *cache, int64_t now, uint64_t *cursor, core_session *sessions,
                      uint32_t room);

#endif
