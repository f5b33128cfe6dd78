#define _GNU_SOURCE
#include "cshim/takeover/context.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cshim/process/fork.h"
#include "cshim/process/memory.h"
#include "cshim/process/say.h"
#include "cshim/process/scope.h"
#include "cshim/process/table.h"
#include "cshim/settings/config.h"
#include "cshim/share/store.h"
#include "cshim/share/tickets.h"
#include "cshim/takeover/generate.h"
#include "cshim/takeover/handshake.h"
#include "cshim/takeover/owner.h"
#include "cshim/takeover/policy.h"
#include "cshim/takeover/session_table.h"
#include "cshim/takeover/sessions.h"
#include "cshim/takeover/stranger.h"
#include "cshim/takeover/tripwire.h"
#include "cshim/takeover/unresumable.h"
#include "cshim/watch/live.h"
#include "cshim/watch/references.h"
#include "cshim/watch/trace.h"

/* Guards the list and all that is rare: attaching, making a cache, going. Never held while
 * code of the program runs. Taken before the locks of a cache. */
static FORK_WRITES pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table contexts;           /* SSL_CTX to struct context; changed under lock */
static struct context *first;           /* those whose SSL_CTX is in use */
static struct context *going;           /* those whose SSL_CTX is being freed */
static uint32_t attached;               /* how many there were; under lock */
static atomic_bool have_stored;         /* there was a cache */
static struct sslcache_stats retired;   /* counters of contexts that are gone; under lock */
static struct sslcache_stats inherited; /* of a forked child: what its parent had counted */

/* Depth of contexts_leave_alone. An argument could not pass through libssl, which calls us back from there. */
static _Thread_local unsigned left_alone __attribute__((tls_model("initial-exec")));

void contexts_lock(void)
{
    fork_enter();
    pthread_mutex_lock(&lock);
}

void contexts_unlock(void)
{
    pthread_mutex_unlock(&lock);
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

/* ---- the end of a context ---- */

/* The scope of contexts_enter_free on this thread: libssl frees between the two, and calls the program back. */
static SCOPE_KIND freeing;

/* libssl flushes before it frees the ex_data, so there is something left only where that did not
 * reach us, or what the program has added since. */
static void release_cache(struct context *context)
{
    core_handle cache = context_cache(context);
    core_session left;
    uint64_t cursor = 0;
    if (cache == NULL)
        return;
    while (cache_functions->drain(cache, &cursor, &left, 1) == 1)
        libssl.SSL_SESSION_free((SSL_SESSION *)left);
    cache_functions->cache_free(cache);
}

static void release(struct context *context)
{
    release_cache(context);
    generate_forget(context);
    tickets_forget(context);
    libssl.SSL_SESSION_free(context->expired_tripwire);
    libssl.SSL_SESSION_free(context->eternal_tripwire);
    session_table_free(context);
    free(context->properties);
    free(context);
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

/* CRYPTO_EX_free: the SSL_CTX goes. What we keep for it is asked until libssl is through. */
static void note_going(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index, long argument,
                       void *pointer)
{
    (void)data, (void)ex_data, (void)index, (void)argument, (void)pointer;
    struct context *context = table_find(&contexts, parent);
    if (context == NULL || atomic_load(&context->is_going))
        return;
    contexts_lock();
    if (tracing())
        trace_counters(context);
    unlink_context(context);
    count_stats(context, &retired);
    atomic_store(&context->is_going, true);
    context->freed_by = scope_current(freeing) != NULL ? &freeing : NULL;
    context->next_going = going;
    going = context;
    contexts_unlock();
    if (tracing())
        trace_context(context, OUTCOME_FREED);
}

/* Takes a context out of the going ones, whose SSL_CTX was at that address or was freed by that thread. */
static struct context *take_gone(const SSL_CTX *ctx, const void *freed_by)
{
    struct context **place = &going;
    for (; *place != NULL; place = &(*place)->next_going)
        if ((*place)->ctx == ctx || (freed_by != NULL && (*place)->freed_by == freed_by))
            break;
    struct context *gone = *place;
    if (gone == NULL)
        return NULL;
    *place = gone->next_going;
    owner_leave(gone);
    if (table_find(&contexts, gone->ctx) == gone)
        table_remove(&contexts, gone->ctx);
    return gone;
}

/* At the address of a new SSL_CTX, or freed by this thread: libssl is through with them. */
static void release_gone(const SSL_CTX *ctx, const void *freed_by)
{
    for (;;) {
        contexts_lock();
        struct context *gone = take_gone(ctx, freed_by);
        contexts_unlock();
        if (gone == NULL)
            return;
        unresumable_forget(gone->library);
        release(gone);
    }
}

void contexts_enter_free(struct scope *scope)
{
    scope_enter(&freeing, scope);
}

void contexts_leave_free(struct scope *scope)
{
    scope_leave(&freeing, scope);
    if (freeing == NULL && __atomic_load_n(&going, __ATOMIC_RELAXED) != NULL)
        release_gone(NULL, &freeing);
}

/* ---- the beginning ---- */

static int free_index = -1;

static void take_index(void)
{
    free_index =
        libssl.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, note_going);
}

/* Of ex_data we use only that libssl tells when an object goes. */
static bool is_told_of_ends(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_index);
    return free_index >= 0 && connections_ready();
}

/* libssl's own cache and look-up off; the bits that say when libssl calls us stay the program's. */
long context_real_mode(long mode)
{
    /* Without UPDATE_TIME: the real cache is added to where libssl alone would only look up. */
    return (policy_mode(mode) & ~(long)SSL_SESS_CACHE_UPDATE_TIME) | SSL_SESS_CACHE_NO_INTERNAL;
}

static void take_over(struct context *context)
{
    SSL_CTX *ctx = context->ctx;
    context->mode = libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0, NULL);
    context->cache_size = libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_SIZE, 0, NULL);
    context->new_callback = libssl.SSL_CTX_sess_get_new_cb(ctx);
    context->get_callback = libssl.SSL_CTX_sess_get_get_cb(ctx);
    context->remove_callback = libssl.SSL_CTX_sess_get_remove_cb(ctx);

    libssl.SSL_CTX_sess_set_new_cb(ctx, handshake_new_session);
    libssl.SSL_CTX_sess_set_get_cb(ctx, handshake_get_session);
    libssl.SSL_CTX_sess_set_remove_cb(ctx, handshake_remove_session);
    libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_SIZE, 0, NULL);
    libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, context_real_mode(context->mode), NULL);
    policy_attach(context);
}

static struct context *make_context(SSL_CTX *ctx, struct context_origin origin)
{
    struct context *context = calloc(1, sizeof(*context));
    if (context == NULL)
        return NULL;
    context->ctx = ctx;
    context->library = origin.library;
    if (origin.properties != NULL && (context->properties = strdup(origin.properties)) == NULL) {
        free(context);
        return NULL;
    }
    return context;
}

static void discard(struct context *context)
{
    if (context != NULL)
        free(context->properties);
    free(context);
}

/* The contexts lock is held. */
static bool link_context(struct context *context)
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

/* The context of ctx, which is fresh unless another thread was quicker; NULL where there is no memory. */
static struct context *join(struct context *fresh, bool *is_fresh)
{
    contexts_lock();
    struct context *context = table_find(&contexts, fresh->ctx);
    *is_fresh = context == NULL && link_context(fresh);
    if (*is_fresh) {
        take_over(fresh);
        context = fresh;
    }
    contexts_unlock();
    return context;
}

static void copy_session(void *session, void *argument)
{
    struct context *context = argument;
    if (session != context->expired_tripwire && session != context->eternal_tripwire)
        sessions_add(context, session, (struct origin){.cause = CAUSE_LIBSSL});
}

/* Of a context that was used before we were loaded: libssl keeps what it has, and we have it too,
 * so that each is found, and dropped when libssl or the program drops it. */
static void copy_sessions(struct context *context)
{
    if (libssl.SSL_CTX_ctrl(context->ctx, SSL_CTRL_SESS_NUMBER, 0, NULL) == 0)
        return;
    /* The tripwires go into the table before it is walked, not while it is. */
    if (context_make_cache(context) == NULL)
        return;
    libssl.OPENSSL_LH_doall_arg((OPENSSL_LHASH *)libssl.SSL_CTX_sessions(context->ctx),
                                copy_session, context);
}

/*
 * Objects in memory that other processes see are used and freed there, where nothing is known of what we keep.
 * libcrypto has such memory only from functions of the program's (CRYPTO_set_mem_functions(3)).
 */
static bool is_shared_with_processes(const SSL_CTX *ctx)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    memory_allocate allocate = NULL;
    libssl.CRYPTO_get_mem_functions(&allocate, NULL, NULL);
    if ((void *)allocate == (void *)libssl.CRYPTO_malloc || !memory_is_shared(ctx))
        return false;
    if (config.settings.verbose)
        say_once(&said, "the program's OpenSSL objects are in memory that processes share: libssl "
                        "keeps the sessions itself");
    return true;
}

static struct context *attach(SSL_CTX *ctx, struct context_origin origin)
{
    if (config.settings.disable || !is_told_of_ends() || is_shared_with_processes(ctx))
        return NULL;
    release_gone(ctx, NULL);
    live_look();
    if (tracing())
        references_watch();
    struct context *fresh = make_context(ctx, origin);
    bool is_fresh = false;
    struct context *context = fresh != NULL ? join(fresh, &is_fresh) : NULL;
    if (!is_fresh)
        discard(fresh);
    cache_prepare();
    store_prepare();
    if (is_fresh && tracing())
        trace_context(context, OUTCOME_MADE);
    return context;
}

void contexts_leave_alone(void)
{
    left_alone++;
}

void contexts_go_on(void)
{
    left_alone--;
}

bool contexts_left_alone(void)
{
    return left_alone > 0;
}

bool contexts_know(const SSL_CTX *ctx)
{
    return table_find(&contexts, ctx) != NULL;
}

static bool is_left_alone(SSL_CTX *ctx)
{
    return ctx == NULL || left_alone > 0 || !libssl_ready() || !libssl.complete ||
           (stranger_is_here() && !contexts_know(ctx));
}

void context_attach_new(SSL_CTX *ctx, struct context_origin origin)
{
    if (is_left_alone(ctx))
        return;
    release_order_probe(ctx);
    attach(ctx, origin);
}

struct context *context_attached(SSL_CTX *ctx)
{
    return is_left_alone(ctx) ? NULL : table_find(&contexts, ctx);
}

struct context *context_of(SSL_CTX *ctx, const void *caller)
{
    if (is_left_alone(ctx))
        return NULL;
    struct context *context = table_find(&contexts, ctx);
    if (context != NULL || libssl_contains(caller))
        return context;
    context = attach(ctx, (struct context_origin){NULL, NULL});
    if (context != NULL)
        copy_sessions(context);
    return context;
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

/* ---- the cache of a context ---- */

core_handle context_make_cache(struct context *context)
{
    core_handle cache = context_cache(context);
    if (cache != NULL)
        return cache;
    bool is_fresh = false;
    contexts_lock();
    cache = context_cache(context);
    if (cache == NULL && (cache = cache_new(&libssl.rules.cache)) != NULL) {
        is_fresh = true;
        atomic_store(&have_stored, true);
        owner_enter(context);
        context->direct_cache = cache_direct_handle(cache);
        atomic_store_explicit(&context->cache, cache, memory_order_release);
    }
    contexts_unlock();
    if (is_fresh)
        tripwire_lay(context);
    return cache;
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
    bool is_locked = pthread_mutex_trylock(&lock) == 0;
    if (is_locked) {
        use_all(use, argument);
        pthread_mutex_unlock(&lock);
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
    each_context(lock_cache);
    cache_lock_memory();
}

void contexts_fork_done(void)
{
    cache_unlock_memory();
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
