#define _GNU_SOURCE
#include "cshim/takeover/attach.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cshim/context/policy.h"
#include "cshim/process/mapping.h"
#include "cshim/process/say.h"
#include "cshim/report/live.h"
#include "cshim/settings/config.h"
#include "cshim/share/store.h"
#include "cshim/share/tickets.h"
#include "cshim/takeover/flush_detection.h"
#include "cshim/takeover/generate.h"
#include "cshim/takeover/handshake.h"
#include "cshim/takeover/membership.h"
#include "cshim/takeover/release_order.h"
#include "cshim/takeover/session_table.h"
#include "cshim/takeover/sessions.h"
#include "cshim/takeover/unresumable.h"
#include "cshim/trace/references.h"
#include "cshim/trace/trace.h"

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
    libssl.SSL_SESSION_free(context->expired_marker);
    libssl.SSL_SESSION_free(context->eternal_marker);
    session_table_free(context);
    free(context->properties);
    free(context);
}

/* CRYPTO_EX_free: the SSL_CTX is being freed. Its context stays until libssl is through, for it may still be asked. */
static void note_going(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index, long argument,
                       void *pointer)
{
    (void)data, (void)ex_data, (void)index, (void)argument, (void)pointer;
    struct context *context = context_find(parent);
    if (context == NULL || atomic_load(&context->is_going))
        return;
    contexts_lock();
    if (tracing())
        trace_counters(context);
    contexts_note_going(context, scope_current(freeing) != NULL ? &freeing : NULL);
    contexts_unlock();
    if (tracing())
        trace_context(context, OUTCOME_FREED);
}

/* Releases the contexts that libssl is through with: those that this thread has freed, or whose address a new SSL_CTX has. */
static void release_gone(const SSL_CTX *ctx, const void *freed_by)
{
    for (;;) {
        contexts_lock();
        struct context *gone = contexts_take_gone(ctx, freed_by);
        if (gone != NULL)
            membership_end(gone);
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
    if (contexts_are_going() && scope_current(freeing) == NULL)
        release_gone(NULL, &freeing);
}

/* ---- the beginning ---- */

static int free_index = -1;

static void take_index(void)
{
    free_index =
        libssl.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, note_going);
}

/* Whether libssl tells us when an SSL_CTX or an SSL is freed: all that we use ex_data for. */
static bool is_told_of_ends(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_index);
    return free_index >= 0 && connections_ready();
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
    libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, policy_real_mode(context->mode), NULL);
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

/* The context of ctx, which is fresh unless another thread was quicker; NULL where there is no memory. */
static struct context *join(struct context *fresh, bool *is_fresh)
{
    contexts_lock();
    struct context *context = context_find(fresh->ctx);
    *is_fresh = context == NULL && contexts_link(fresh);
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
    if (session != context->expired_marker && session != context->eternal_marker)
        sessions_add(context, session, (struct origin){.cause = CAUSE_LIBSSL});
}

/*
 * The SSL_CTX was used before we were loaded. Its sessions stay in libssl's cache and are in ours too, so that each is
 * found, and dropped when libssl or the program drops it.
 */
static void copy_sessions(struct context *context)
{
    if (libssl.SSL_CTX_ctrl(context->ctx, SSL_CTRL_SESS_NUMBER, 0, NULL) == 0)
        return;
    /* Now, since it adds the markers (flush_detection.h): libssl's table must not change while it is walked. */
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
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    memory_allocate allocate = NULL;
    libssl.CRYPTO_get_mem_functions(&allocate, NULL, NULL);
    if ((void *)allocate == (void *)libssl.CRYPTO_malloc || !mapping_is_shared(ctx))
        return false;
    if (config.settings.verbose)
        say_once(&was_said,
                 "the program's OpenSSL objects are in memory that processes share: libssl "
                 "keeps the sessions itself");
    return true;
}

static struct context *attach(SSL_CTX *ctx, struct context_origin origin)
{
    if (config.settings.disable || !is_told_of_ends() || is_shared_with_processes(ctx))
        return NULL;
    release_gone(ctx, NULL);
    live_start_if_due();
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

void context_attach_new(SSL_CTX *ctx, struct context_origin origin)
{
    if (context_is_left_to_libssl(ctx))
        return;
    release_order_probe(ctx);
    attach(ctx, origin);
}

struct context *context_of(SSL_CTX *ctx, const void *caller)
{
    if (context_is_left_to_libssl(ctx))
        return NULL;
    struct context *context = context_find(ctx);
    if (context != NULL || libssl_contains(caller))
        return context;
    context = attach(ctx, (struct context_origin){NULL, NULL});
    if (context != NULL)
        copy_sessions(context);
    return context;
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
        membership_begin(context);
        context_set_cache(context, cache);
    }
    contexts_unlock();
    if (is_fresh)
        flush_detection_start(context);
    return cache;
}
