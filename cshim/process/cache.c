#include "cshim/process/cache.h"

#include "cshim/process/direct.h"

int cache_add(struct cache *cache, struct core_entry *entry, int64_t limit,
              struct core_answer *answer)
{
    int added = directly.add(cache->direct, entry, limit, answer);
    return added != CORE_NOT_DONE ? added : core()->add(cache->handle, entry, limit, answer);
}

int cache_evict(struct cache *cache, int64_t limit, core_session newcomer,
                struct core_answer *answer)
{
    int evicted = directly.evict(cache->direct, limit, newcomer, answer);
    return evicted != CORE_NOT_DONE ? evicted
                                    : core()->evict(cache->handle, limit, newcomer, answer);
}

core_session cache_lookup(struct cache *cache, struct core_entry *entry,
                          void (*retain)(core_session session))
{
    struct core_found found;
    switch (directly.lookup(cache->direct, entry, &found)) {
    case 0:
        return 0;
    case 1:
        retain(found.session);
        directly.release(found.held);
        return found.session;
    default:
        return core()->lookup(cache->handle, entry);
    }
}

bool cache_contains(struct cache *cache, struct core_entry *entry)
{
    int contained = directly.contains(cache->direct, entry);
    return (contained != CORE_NOT_DONE ? contained : core()->contains(cache->handle, entry)) != 0;
}

core_session cache_remove(struct cache *cache, struct core_entry *entry)
{
    core_session removed = 0;
    if (directly.remove(cache->direct, entry, &removed) != CORE_NOT_DONE)
        return removed;
    return core()->remove(cache->handle, entry);
}

/* Most flushes find nothing: the one that libssl makes every 255 handshakes. */
uint32_t cache_expire(struct cache *cache, int64_t now, uint64_t *cursor, core_session *sessions,
                      uint32_t room)
{
    if (directly.expired(cache->direct, now) == 0)
        return 0;
    return core()->expire(cache->handle, now, cursor, sessions, room);
}
