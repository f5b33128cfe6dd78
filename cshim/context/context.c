#define _GNU_SOURCE
#include "cshim/context/context.h"

#include <pthread.h>

#include "cshim/libssl/second_libssl.h"
#include "cshim/process/fork.h"
#include "cshim/process/lock_order.h"
#include "cshim/process/table.h"
#include "cshim/settings/config.h"

/* Guards the lists, and the fields of a struct context that change seldom. Never held while code of the program runs. */
static FORK_WRITES pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table contexts;           /* SSL_CTX to struct context; changed under lock */
static struct context *first;           /* those whose SSL_CTX is in use */
static struct context *going;           /* those whose SSL_CTX is being freed */
static uint32_t attached;               /* how many were attached so far; under lock */
static atomic_bool have_stored;         /* a cache was made, so a session was stored */
static struct sslcache_stats retired;   /* counters of contexts that are gone; under lock */
static struct sslcache_stats inherited; /* of a forked child: what its parent had counted */

/* Depth of contexts_suspend. An argument could not pass through libssl, which calls us back from there. */
static _Thread_local unsigned suspended __attribute__((tls_model("initial-exec")));

void contexts_lock(void)
{
    fork_enter();
    lock_take(&lock, LOCK_CONTEXTS);
}

void contexts_unlock(void)
{
    lock_release(&lock, LOCK_CONTEXTS);
    fork_leave();
}

/* ---- counters ---- */

static void add_stats(struct sslcache_stats *sum, const struct core_stats *stats)
{
#define X(name) sum->name += stats->name;
    CORE_COUNTERS(X)
#undef X
}

static void count_stats(struct context *context, struct sslcache_stats *sum)
{
    core_handle cache = context_cache(context);
    struct core_stats stats = {0};
    if (cache != NULL)
        cache_functions->stats(cache, &stats);
    /* The cache has not seen those that came before its first session. */
    stats.missed = (uint64_t)atomic_load(&context->misses);
    add_stats(sum, &stats);
}

/* ---- the list ---- */

bool contexts_link(struct context *context)
{
    if (!table_put(&contexts, context->ctx, context))
        return false;
    context->number = ++attached;
    context->next = first;
    if (first != NULL)
        first->previous = context;
    first = context;
    return true;
}

/* The contexts lock is held. */
static void unlink_context(struct context *context)
{
    if (context->previous != NULL)
        context->previous->next = context->next;
    else
        first = context->next;
    if (context->next != NULL)
        context->next->previous = context->previous;
}

void contexts_note_going(struct context *context, const void *freed_by)
{
    unlink_context(context);
    count_stats(context, &retired);
    atomic_store(&context->is_going, true);
    context->freed_by = freed_by;
    context->next_going = going;
    __atomic_store_n(&going, context, __ATOMIC_RELAXED); /* contexts_are_going has no lock */
}

bool contexts_are_going(void)
{
    return __atomic_load_n(&going, __ATOMIC_RELAXED) != NULL;
}

struct context *contexts_take_gone(const SSL_CTX *ctx, const void *freed_by)
{
    struct context **place = &going;
    for (; *place != NULL; place = &(*place)->next_going)
        if ((*place)->ctx == ctx || (freed_by != NULL && (*place)->freed_by == freed_by))
            break;
    struct context *gone = *place;
    if (gone == NULL)
        return NULL;
    __atomic_store_n(place, gone->next_going, __ATOMIC_RELAXED);
    if (table_find(&contexts, gone->ctx) == gone)
        table_remove(&contexts, gone->ctx);
    return gone;
}

void context_set_cache(struct context *context, core_handle cache)
{
    atomic_store(&have_stored, true);
    context->direct_cache = cache_direct_handle(cache);
    atomic_store_explicit(&context->cache, cache, memory_order_release);
}

/* ---- from an object of libssl to what is kept for it ---- */

void contexts_suspend(void)
{
    suspended++;
}

void contexts_resume(void)
{
    suspended--;
}

bool contexts_are_suspended(void)
{
    return suspended > 0;
}

struct context *context_find(const SSL_CTX *ctx)
{
    return table_find(&contexts, ctx);
}

bool contexts_know(const SSL_CTX *ctx)
{
    return context_find(ctx) != NULL;
}

bool context_is_left_to_libssl(const SSL_CTX *ctx)
{
    return ctx == NULL || suspended > 0 || !libssl_ready() || !libssl.complete ||
           (second_libssl_is_loaded() && !contexts_know(ctx));
}

struct context *context_attached(SSL_CTX *ctx)
{
    return context_is_left_to_libssl(ctx) ? NULL : context_find(ctx);
}

static SSL_CTX *made_with(const SSL *ssl)
{
    if (ssl == NULL || !libssl_ready() || !libssl.complete)
        return NULL;
    const struct connection *connection = connection_of(ssl);
    if (connection != NULL && connection->made_with != NULL)
        return connection->made_with;
    return libssl.SSL_get_SSL_CTX(ssl);
}

struct context *context_of_connection(const SSL *ssl)
{
    return context_attached(made_with(ssl));
}

void context_remember(SSL *ssl)
{
    if (ssl == NULL || !libssl_ready() || !libssl.complete)
        return;
    struct connection *connection = connection_make(ssl);
    if (connection != NULL && connection->made_with == NULL)
        connection->made_with = libssl.SSL_get_SSL_CTX(ssl);
}

SSL_CTX *context_new_own(struct ossl_lib_ctx_st *library, const char *properties)
{
    libssl.ERR_set_mark();
    contexts_suspend();
    SSL_CTX *ctx = library != NULL && libssl.SSL_CTX_new_ex != NULL
                       ? libssl.SSL_CTX_new_ex(library, properties, libssl.TLS_method())
                       : libssl.SSL_CTX_new(libssl.TLS_method());
    contexts_resume();
    libssl.ERR_pop_to_mark();
    return ctx;
}

/* ---- all contexts ---- */

void contexts_each(void (*use)(struct context *context, void *argument), void *argument)
{
    contexts_lock();
    for (struct context *context = first; context != NULL; context = context->next)
        if (context_cache(context) != NULL)
            use(context, argument);
    contexts_unlock();
}

/* The contexts lock is held. */
static void use_all(void (*use)(struct context *context, void *argument), void *argument)
{
    for (struct context *context = first; context != NULL; context = context->next)
        use(context, argument);
}

void contexts_all(void (*use)(struct context *context, void *argument), void *argument)
{
    contexts_lock();
    use_all(use, argument);
    contexts_unlock();
}

void contexts_try_all(void (*use)(struct context *context, void *argument), void *argument)
{
    fork_enter();
    bool is_locked = lock_try(&lock, LOCK_CONTEXTS);
    if (is_locked) {
        use_all(use, argument);
        lock_release(&lock, LOCK_CONTEXTS);
    }
    fork_leave();
}

void context_stats(struct context *context, struct sslcache_stats *stats)
{
    *stats = (struct sslcache_stats){0};
    count_stats(context, stats);
}

void contexts_stats(struct sslcache_stats *stats)
{
    contexts_lock();
    *stats = retired;
    for (struct context *context = first; context != NULL; context = context->next)
        count_stats(context, stats);
    contexts_unlock();
}

void contexts_stats_of_process(struct sslcache_stats *stats)
{
    contexts_stats(stats);
    uint64_t number = stats->number, peak = stats->peak;
#define X(name) stats->name -= inherited.name;
    CORE_COUNTERS(X)
#undef X
    stats->number = number;
    stats->peak = peak;
}

bool contexts_have_stored(void)
{
    return atomic_load(&have_stored);
}

/* ---- fork ---- */

static void each_context(void (*use)(struct context *context))
{
    for (struct context *context = first; context != NULL; context = context->next)
        if (context_cache(context) != NULL)
            use(context);
    for (struct context *context = going; context != NULL; context = context->next_going)
        if (context_cache(context) != NULL)
            use(context);
}

static void lock_cache(struct context *context)
{
    cache_functions->lock(context_cache(context));
}

static void unlock_cache(struct context *context)
{
    cache_functions->unlock(context_cache(context));
}

static void go_on_directly(struct context *context)
{
    atomic_store(&context->cache, context->direct_cache);
}

void contexts_fork_prepare(void)
{
    contexts_lock();
    lock_order_check(LOCK_CACHES);
    each_context(lock_cache);
    lock_order_note_taken(LOCK_CACHES);
    lock_order_check(LOCK_CACHES_MEMORY);
    cache_lock_memory();
    lock_order_note_taken(LOCK_CACHES_MEMORY);
}

void contexts_fork_done(void)
{
    lock_order_note_released(LOCK_CACHES_MEMORY);
    cache_unlock_memory();
    lock_order_note_released(LOCK_CACHES);
    each_context(unlock_cache);
    contexts_unlock();
}

void contexts_fork_child(void)
{
    if (cache_fork_child())
        each_context(go_on_directly);
    contexts_fork_done();
    if (config.settings.report[0] != '\0')
        contexts_stats(&inherited);
}
