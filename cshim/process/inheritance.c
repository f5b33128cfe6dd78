#include "cshim/process/inheritance.h"

#include <stdlib.h>
#include <string.h>

#include "cshim/process/core.h"
#include "cshim/takeover/context.h"

bool inheritance_waits(const struct inheritance *inheritance)
{
    return atomic_load(&inheritance->count) > 0;
}

static bool is_same_key(const struct core_entry *one, const struct core_entry *other)
{
    return one->version == other->version && one->id_length == other->id_length &&
           memcmp(one->id, other->id, CORE_ID_MAX) == 0;
}

static struct core_entry *entry_under(const struct inheritance *inheritance,
                                      const struct core_entry *key)
{
    for (size_t i = 0; i < inheritance->count; i++)
        if (is_same_key(&inheritance->entries[i], key))
            return &inheritance->entries[i];
    return NULL;
}

SSL_SESSION *inheritance_find(const struct inheritance *inheritance, const struct core_entry *key)
{
    const struct core_entry *entry = entry_under(inheritance, key);
    if (entry == NULL)
        return NULL;
    libssl.SSL_SESSION_up_ref((SSL_SESSION *)entry->session);
    return (SSL_SESSION *)entry->session;
}

SSL_SESSION *inheritance_take(struct inheritance *inheritance, const struct core_entry *key)
{
    struct core_entry *entry = entry_under(inheritance, key);
    if (entry == NULL)
        return NULL;
    SSL_SESSION *session = (SSL_SESSION *)entry->session;
    *entry = inheritance->entries[--inheritance->count];
    return session;
}

void inheritance_to_core(const struct inheritance *inheritance,
                         const struct core_functions *functions, core_handle cache)
{
    struct core_answer answer;
    for (size_t i = 0; i < inheritance->count; i++)
        if (functions->add(cache, &inheritance->entries[i], 0, &answer) ==
            0) /* there is no memory */
            libssl.SSL_SESSION_free((SSL_SESSION *)inheritance->entries[i].session);
}

void inheritance_to_libssl(const struct inheritance *inheritance, SSL_CTX *ctx)
{
    for (size_t i = 0; i < inheritance->count; i++) {
        SSL_SESSION *session = (SSL_SESSION *)inheritance->entries[i].session;
        libssl.SSL_CTX_add_session(ctx, session);
        libssl.SSL_SESSION_free(session); /* libssl has taken one of its own */
    }
}

void inheritance_forget(struct inheritance *inheritance)
{
    atomic_store(&inheritance->count, 0);
    free(inheritance->entries);
    inheritance->entries = NULL;
}

void inheritance_free(struct inheritance *inheritance)
{
    for (size_t i = 0; i < inheritance->count; i++)
        libssl.SSL_SESSION_free((SSL_SESSION *)inheritance->entries[i].session);
    inheritance_forget(inheritance);
}

/* ---- fork ---- */

static int by_sequence(const void *one, const void *other)
{
    const struct core_entry *a = one, *b = other;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* Notes what the cache holds, in the order in which it went in. */
static void list_sessions(struct inheritance *inheritance, const struct core_functions *functions,
                          core_handle cache)
{
    size_t room = (size_t)functions->number(cache);
    struct core_entry *entries = calloc(room > 0 ? room : 1, sizeof(*entries));
    if (entries == NULL)
        return; /* the child starts without them */
    uint64_t cursor = 0;
    size_t count = 0;
    do {
        count += functions->entries(cache, &cursor, entries + count, (uint32_t)(room - count));
    } while (cursor != 0 && count < room);
    qsort(entries, count, sizeof(*entries), by_sequence);
    inheritance->entries = entries;
    atomic_store(&inheritance->count, count);
}

void inheritance_fork_prepare(void)
{
    const struct core_functions *functions = core_running();
    if (functions == NULL)
        return;
    functions->freeze();
    for (struct context *context = contexts_first(); context != NULL; context = context->next)
        if (cache_is_made(&context->cache))
            list_sessions(&context->inherited, functions, atomic_load(&context->cache.handle));
}

void inheritance_fork_parent(void)
{
    const struct core_functions *functions = core_running();
    if (functions == NULL)
        return;
    functions->thaw();
    /* A context without a cache has what this process inherited itself. */
    for (struct context *context = contexts_first(); context != NULL; context = context->next)
        if (cache_is_made(&context->cache))
            inheritance_forget(&context->inherited);
}
