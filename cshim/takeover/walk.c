#include "cshim/takeover/walk.h"

static unsigned long hash_pointer(const void *session)
{
    return (unsigned long)((uintptr_t)session >> 4);
}

static int compare_pointers(const void *one, const void *other)
{
    return one != other;
}

static unsigned long hash_thunk(const void *session, OPENSSL_LH_HASHFUNC hash)
{
    return hash(session);
}

static int compare_thunk(const void *one, const void *other, OPENSSL_LH_COMPFUNC compare)
{
    return compare(one, other);
}

static void doall_thunk(void *session, OPENSSL_LH_DOALL_FUNC use)
{
    use(session);
}

static void doall_argument_thunk(void *session, void *argument, OPENSSL_LH_DOALL_FUNCARG use)
{
    use(session, argument);
}

static OPENSSL_LHASH *new_walk(void)
{
    OPENSSL_LHASH *walk = libssl.OPENSSL_LH_new(hash_pointer, compare_pointers);
    if (walk == NULL)
        return NULL;
    if (libssl.OPENSSL_LH_set_thunks != NULL)
        libssl.OPENSSL_LH_set_thunks(walk, hash_thunk, compare_thunk, doall_thunk,
                                     doall_argument_thunk);
    libssl.OPENSSL_LH_set_down_load(walk, 0); /* so that it can be emptied while it is walked */
    return walk;
}

static void drop_from_walk(void *session, void *walk)
{
    libssl.OPENSSL_LH_delete(walk, session);
}

static void fill_walk(struct context *context, struct cache *cache)
{
    struct core_entry entries[64];
    uint64_t cursor = 0;
    do {
        uint32_t count = core()->entries(cache->handle, &cursor, entries, 64);
        for (uint32_t i = 0; i < count; i++)
            libssl.OPENSSL_LH_insert(context->walk, (void *)entries[i].session);
    } while (cursor != 0);
}

session_hash walk_sessions(struct context *context)
{
    struct cache *cache = context_cache(context);
    contexts_lock();
    if (context->walk == NULL)
        context->walk = new_walk();
    if (context->walk != NULL) {
        libssl.OPENSSL_LH_doall_arg(context->walk, drop_from_walk, context->walk);
        if (cache != NULL)
            fill_walk(context, cache);
    }
    contexts_unlock();
    return (session_hash)context->walk;
}
