#include "cshim/takeover/session_table.h"

#include "cshim/takeover/sessions.h"

static unsigned long hash_pointer(const void *session)
{
    return (unsigned long)((uintptr_t)session >> 4);
}

static int compare_pointers(const void *left, const void *right)
{
    return left != right;
}

static unsigned long hash_thunk(const void *session, OPENSSL_LH_HASHFUNC hash)
{
    return hash(session);
}

static int compare_thunk(const void *left, const void *right, OPENSSL_LH_COMPFUNC compare)
{
    return compare(left, right);
}

static void doall_thunk(void *session, OPENSSL_LH_DOALL_FUNC use)
{
    use(session);
}

static void doall_argument_thunk(void *session, void *argument, OPENSSL_LH_DOALL_FUNCARG use)
{
    use(session, argument);
}

static OPENSSL_LHASH *new_table(void)
{
    OPENSSL_LHASH *table = libssl.OPENSSL_LH_new(hash_pointer, compare_pointers);
    if (table == NULL)
        return NULL;
    if (libssl.OPENSSL_LH_set_thunks != NULL)
        libssl.OPENSSL_LH_set_thunks(table, hash_thunk, compare_thunk, doall_thunk,
                                     doall_argument_thunk);
    libssl.OPENSSL_LH_set_down_load(table, 0); /* a program may remove what it walks over */
    return table;
}

/* The contexts lock is held. */
static void fill(OPENSSL_LHASH *table, core_handle cache)
{
    struct core_entry entries[64];
    uint64_t cursor = 0;
    do {
        uint64_t count = cache_functions->entries(cache, &cursor, entries, 64);
        for (uint64_t i = 0; i < count; i++)
            libssl.OPENSSL_LH_insert(table, (void *)entries[i].session);
    } while (cursor != 0);
}

/* The contexts lock is held. Published before it is filled: what changes meanwhile waits for the lock, and updates. */
static OPENSSL_LHASH *make_table(struct context *context)
{
    OPENSSL_LHASH *table = new_table();
    core_handle cache = context_cache(context);
    if (table == NULL)
        return NULL;
    atomic_store_explicit(&context->table, table, memory_order_seq_cst);
    if (cache != NULL)
        fill(table, cache);
    return table;
}

session_hash session_table_of(struct context *context)
{
    contexts_lock();
    OPENSSL_LHASH *table = atomic_load(&context->table);
    if (table == NULL)
        table = make_table(context);
    contexts_unlock();
    return (session_hash)table;
}

/* Two threads may come here for one session. Each asks the cache what holds now, so their order does not matter. */
void session_table_update(struct context *context, SSL_SESSION *session)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (!session_table_exists(context))
        return;
    contexts_lock();
    OPENSSL_LHASH *table = atomic_load(&context->table);
    if (sessions_hold(context, session))
        libssl.OPENSSL_LH_insert(table, session);
    else
        libssl.OPENSSL_LH_delete(table, session);
    contexts_unlock();
}

void session_table_free(struct context *context)
{
    OPENSSL_LHASH *table = atomic_load(&context->table);
    if (table != NULL)
        libssl.OPENSSL_LH_free(table);
}
