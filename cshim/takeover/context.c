#include "cshim/takeover/context.h"

#include <pthread.h>
#include <stdlib.h>

#include "cshim/process/fork.h"
#include "cshim/process/inheritance.h"
#include "cshim/process/say.h"
#include "cshim/settings/config.h"
#include "cshim/share/store.h"
#include "cshim/takeover/connection.h"
#include "cshim/takeover/generate.h"
#include "cshim/takeover/handshake.h"
#include "cshim/takeover/policy.h"
#include "cshim/takeover/sessions.h"
#include "cshim/takeover/stranger.h"
#include "cshim/takeover/tripwire.h"
#include "cshim/watch/live.h"
#include "cshim/watch/references.h"
#include "cshim/watch/trace.h"

/* Guards the list and all that is rare: making, adopting and giving back a cache. Never held while
 * code of the program runs. Taken before the core's own locks. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct context *first;
static pthread_mutex_t list =
    PTHREAD_MUTEX_INITIALIZER;        /* first and next: no other is taken within */
static uint32_t attached;             /* how many there were; under lock */
static struct sslcache_stats retired; /* counters of contexts that are gone; under lock */

static _Thread_local unsigned left_alone; /* depth of contexts_leave_alone */

static int context_index = -1; /* of a struct context among the ex_data of an SSL_CTX */

void contexts_lock(void)
{
    pthread_mutex_lock(&lock);
}

void contexts_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* ---- life ---- */

static void link_context(struct context *context)
{
    pthread_mutex_lock(&list);
    context->next = first;
    if (first != NULL)
        first->previous = context;
    first = context;
    pthread_mutex_unlock(&list);
}

static void unlink_context(struct context *context)
{
    pthread_mutex_lock(&list);
    if (context->previous != NULL)
        context->previous->next = context->next;
    else
        first = context->next;
    if (context->next != NULL)
        context->next->previous = context->previous;
    pthread_mutex_unlock(&list);
}

static void add_stats(struct sslcache_stats *sum, const struct core_stats *stats)
{
#define X(name) sum->name += stats->name;
    CORE_COUNTERS(X)
#undef X
}

static void count_stats(struct context *context, struct sslcache_stats *sum)
{
    const struct core_functions *functions = core_running();
    core_handle cache = atomic_load(&context->cache.handle);
    struct core_stats stats = {0};
    if (functions != NULL && cache != NULL)
        functions->stats(cache, &stats);
    /* The cache has not seen those that came before its first session. */
    stats.missed = (uint64_t)atomic_load(&context->misses);
    add_stats(sum, &stats);
}

/* libssl flushes before it frees the ex_data, so there is something left only where that did not
 * reach us. */
static void release_leftovers(struct context *context)
{
    const struct core_functions *functions = core_running();
    core_handle cache = atomic_load(&context->cache.handle);
    if (functions == NULL || cache == NULL)
        return;
    for (core_session left; functions->drain(cache, &left, 1) == 1;)
        libssl.SSL_SESSION_free((SSL_SESSION *)left);
    functions->cache_free(cache);
}

/* CRYPTO_EX_free: the SSL_CTX goes, and the context with it. */
static void destroy(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index, long argument,
                    void *pointer)
{
    (void)parent, (void)ex_data, (void)index, (void)argument, (void)pointer;
    struct context *context = data;
    if (context == NULL)
        return;
    contexts_lock();
    if (tracing())
        trace_counters(context);
    unlink_context(context);
    count_stats(context, &retired);
    contexts_unlock();
    if (tracing())
        trace_context(context, "freed");

    release_leftovers(context);
    if (context_is_ours(context))
        inheritance_free(&context->inherited);
    else
        inheritance_forget(&context->inherited);
    generate_forget(context);
    libssl.SSL_SESSION_free(context->expired_tripwire);
    libssl.SSL_SESSION_free(context->eternal_tripwire);
    if (context->walk != NULL)
        libssl.OPENSSL_LH_free(context->walk);
    free(context);
}

static void take_index(void)
{
    context_index =
        libssl.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, destroy);
}

static bool indices_taken(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_index);
    return context_index >= 0 && connections_ready();
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

static void copy_session(void *session, void *argument)
{
    struct context *context = argument;
    if (session != context->expired_tripwire && session != context->eternal_tripwire)
        sessions_add(context, session, (struct origin){.cause = "libssl"});
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

static struct context *attach(SSL_CTX *ctx)
{
    if (config.settings.disable || !indices_taken())
        return NULL;
    fork_watch();
    live_look();
    if (tracing())
        references_watch();
    contexts_lock();
    struct context *context = libssl.SSL_CTX_get_ex_data(ctx, context_index);
    bool is_new = context == NULL;
    if (is_new && (context = calloc(1, sizeof(*context))) != NULL) {
        context->ctx = ctx;
        if (libssl.SSL_CTX_set_ex_data(ctx, context_index, context) != 1) {
            free(context);
            context = NULL;
        } else {
            context->number = ++attached;
            take_over(context);
            link_context(context);
        }
    }
    contexts_unlock();
    store_prepare();
    if (context == NULL || !is_new)
        return context;
    if (tracing())
        trace_context(context, "made");
    copy_sessions(context);
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
    pthread_mutex_lock(&list);
    struct context *context = first;
    while (context != NULL && context->ctx != ctx)
        context = context->next;
    pthread_mutex_unlock(&list);
    return context != NULL;
}

static bool is_left_alone(SSL_CTX *ctx)
{
    return ctx == NULL || left_alone > 0 || !libssl_ready() || !libssl.complete ||
           (stranger_is_here() && !contexts_know(ctx));
}

struct context *context_attached(SSL_CTX *ctx)
{
    if (is_left_alone(ctx) || context_index < 0)
        return NULL;
    return libssl.SSL_CTX_get_ex_data(ctx, context_index);
}

bool context_is_ours(const struct context *context)
{
    return atomic_load_explicit(&context->keeper, memory_order_acquire) == KEPT_BY_US;
}

static struct context *if_ours(struct context *context)
{
    if (context == NULL)
        return NULL;
    /* Whoever has inherited sessions asks for its core before anything else: there may be none. */
    if (context_is_ours(context))
        context_cache(context);
    return context_is_ours(context) ? context : NULL;
}

struct context *context_of(SSL_CTX *ctx, const void *caller)
{
    struct context *context = context_attached(ctx);
    if (context == NULL && !is_left_alone(ctx) && !libssl_contains(caller))
        context = attach(ctx);
    return if_ours(context);
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
    return if_ours(context_attached(made_with(ssl)));
}

struct context *context_attached_to(const SSL *ssl)
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

/* Back to libssl, sessions and all. The contexts lock is held; libssl calls nobody while it is
 * done. */
static void give_back(struct context *context)
{
    SSL_CTX *ctx = context->ctx;
    if (tracing())
        trace_fallback(context, core_obstacle());
    tripwire_lift(context);
    generate_lift(context);
    libssl.SSL_CTX_sess_set_new_cb(ctx, context->new_callback);
    libssl.SSL_CTX_sess_set_get_cb(ctx, context->get_callback);
    libssl.SSL_CTX_sess_set_remove_cb(ctx, context->remove_callback);
    /* From here on libssl's own calls of its functions are not for us: adding asks for the number. */
    atomic_store_explicit(&context->keeper, KEPT_BY_LIBSSL, memory_order_release);
    inheritance_to_libssl(&context->inherited, ctx);
    libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_SIZE, policy_limit(context->cache_size), NULL);
    libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, policy_mode(context->mode), NULL);
    /* libssl has counted what our get_cb found: its count is added to the program's from here on. */
    atomic_fetch_sub(&context->callback_hits,
                     libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_CB_HIT, 0, NULL));
}

void context_retain(core_session session)
{
    libssl.SSL_SESSION_up_ref((SSL_SESSION *)session);
}

static void panicked(void)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    say_once(&said, "an error of our own was caught: this cache answers that it has no session");
}

static struct core_host host = {.retain = context_retain, .panicked = panicked};

/* The contexts lock is held. */
static struct cache *make_cache(struct context *context)
{
    const struct core_functions *functions = core();
    core_handle handle = NULL;
    if (functions != NULL)
        handle = functions->cache_new(&libssl.rules.cache, &host, &context->cache.direct);
    if (handle == NULL) {
        give_back(context);
        return NULL;
    }
    inheritance_to_core(&context->inherited, functions, handle);
    tripwire_lay(context);
    /* In this order: another thread must see the inheritance, the cache, or both. */
    atomic_store_explicit(&context->cache.handle, handle, memory_order_release);
    inheritance_forget(&context->inherited);
    return &context->cache;
}

struct cache *context_make_cache(struct context *context)
{
    struct cache *cache = &context->cache;
    if (cache_is_made(cache))
        return cache;
    contexts_lock();
    if (!cache_is_made(cache))
        cache = context_is_ours(context) ? make_cache(context) : NULL;
    contexts_unlock();
    return cache;
}

struct cache *context_cache(struct context *context)
{
    if (cache_is_made(&context->cache))
        return &context->cache;
    if (inheritance_waits(&context->inherited))
        return context_make_cache(context);
    return cache_is_made(&context->cache) ? &context->cache : NULL;
}

/* ---- all contexts ---- */

struct context *contexts_first(void)
{
    return first;
}

void contexts_each(void (*use)(struct context *context, void *argument), void *argument)
{
    contexts_lock();
    for (struct context *context = first; context != NULL; context = context->next)
        if (cache_is_made(&context->cache))
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
    if (pthread_mutex_trylock(&lock) != 0)
        return;
    use_all(use, argument);
    contexts_unlock();
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

/* ---- fork ---- */

void contexts_fork_prepare(void)
{
    contexts_lock();
}

void contexts_fork_parent(void)
{
    contexts_unlock();
}

void contexts_fork_child(void)
{
    for (struct context *context = first; context != NULL; context = context->next)
        atomic_store(&context->cache.handle, NULL);
    pthread_mutex_init(&lock, NULL);
    pthread_mutex_init(&list, NULL);
}
