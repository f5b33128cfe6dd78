#include "cshim/process/direct.h"

static int leave_add(void *cache, const struct core_entry *entry, int64_t limit,
                     struct core_answer *answer)
{
    (void)cache, (void)entry, (void)limit, (void)answer;
    return CORE_NOT_DONE;
}

static int leave_evict(void *cache, int64_t limit, core_session newcomer,
                       struct core_answer *answer)
{
    (void)cache, (void)limit, (void)newcomer, (void)answer;
    return CORE_NOT_DONE;
}

static int leave_lookup(void *cache, const struct core_entry *entry, struct core_found *found)
{
    (void)cache, (void)entry, (void)found;
    return CORE_NOT_DONE;
}

static int leave_contains(void *cache, const struct core_entry *entry)
{
    (void)cache, (void)entry;
    return CORE_NOT_DONE;
}

static int leave_remove(void *cache, const struct core_entry *entry, core_session *removed)
{
    (void)cache, (void)entry, (void)removed;
    return CORE_NOT_DONE;
}

static int leave_expired(void *cache, int64_t now)
{
    (void)cache, (void)now;
    return CORE_NOT_DONE;
}

struct core_direct directly = {
    .add = leave_add,
    .evict = leave_evict,
    .lookup = leave_lookup,
    .contains = leave_contains,
    .remove = leave_remove,
    .expired = leave_expired,
};
