/*
 * context.h - what we keep for one SSL_CTX.
 *
 * The program's SSL_CTX is set to have no internal cache and to call us (handshake.h). What the
 * program asks of it - mode, limit, callbacks, counters - it asks the struct context here, which
 * is found by the address of the SSL_CTX and goes with it.
 *
 * The room context/ keeps what the higher rooms know of an SSL_CTX or an SSL, and gives it to whoever has the address. What
 * is to be done with it they say: it takes nothing over, and calls no code of the program.
 */
#ifndef SSLCACHE_CONTEXT_H
#define SSLCACHE_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "cshim/context/connection.h"
#include "cshim/context/counters.h"
#include "cshim/context/ticket_context.h"
#include "cshim/core/cache.h"
#include "cshim/libssl/libssl.h"
#include "cshim/process/scope.h"
#include "include/sslcache.h"

/* What is known of a context whose connections are made as a client: cshim/share/clients.h. */
struct client_context {
    atomic_bool
        seen_from_start; /* from SSL_CTX_new on: the program had set nothing before we looked */
    atomic_bool verifies_itself; /* its program verifies in a way that libssl does not tell of */
    atomic_bool program_offers;  /* the program offers sessions itself */
    atomic_bool hears_tickets; /* libssl tells of tickets that the program did not ask to hear of */
    _Atomic uint64_t protocols; /* a hash of what SSL_CTX_set_alpn_protos(3) was given */
};

struct context {
    SSL_CTX *ctx;
    uint32_t number;           /* 1, 2, ... in the order in which this process has attached them */
    _Atomic core_handle cache; /* made when the first session is stored; NULL until then */
    core_handle direct_cache;  /* how a forked child knows it */
    atomic_bool is_going;      /* its SSL_CTX is being freed, or is gone */

    /* What the SSL_CTX was made with, where it was made through us; else NULL. */
    struct ossl_lib_ctx_st *library;
    char *properties;

    bool marks_sessions; /* see membership.h */

    /* What the program set. */
    atomic_long mode;
    atomic_long cache_size;
    atomic_long timeout;   /* kept where the user asks for another */
    atomic_bool no_ticket; /* SSL_OP_NO_TICKET; kept where the user asks for it too */
    _Atomic new_session_callback new_callback;
    _Atomic get_session_callback get_callback;
    _Atomic remove_session_callback remove_callback;
    _Atomic session_id_generator generator; /* NULL: libssl's own, or libssl calls it itself */

    atomic_bool has_session_context; /* one was set for it or for one of its connections */
    struct counters shown;           /* what the trace has last; under the contexts lock */
    struct inherited_counters inherited_counters; /* set by a fork in the child */

    /* What libssl counts differently now that our get_cb stands where its own look-up was. */
    atomic_long callback_hits;
    atomic_long misses;
    atomic_long evictions;

    /* Sessions that a flush has taken out and not called back for yet: libssl still counts them. */
    atomic_long leaving;

    /* Sessions of our own in libssl's cache: see flush_detection.h. */
    SSL_SESSION *expired_marker;
    SSL_SESSION *eternal_marker;
    atomic_bool flush_detected; /* the expired one is to be added again */

    /* Sessions of our own in libssl's cache that answer for ours: see generate.h. */
    _Atomic(struct placeholder *) placeholders;

    struct client_context client;
    struct session_context session_context; /* noted where it is shared; under the contexts lock */
    struct ticket_context tickets;

    _Atomic(OPENSSL_LHASH *) table; /* what SSL_CTX_sessions gives: see session_table.h */
    struct context *next;           /* under the contexts lock */
    struct context *previous;
    struct context *next_going; /* under the contexts lock */
    const void *freed_by;       /* the thread that frees the SSL_CTX; under the contexts lock */
};

/* The context of ctx if it has one. Takes no lock. */
struct context *context_attached(SSL_CTX *ctx);

/* Whether ctx is attached, found without a look into ctx: it may be of another libssl. */
bool contexts_know(const SSL_CTX *ctx);

/*
 * Around a call of libssl whose own calls of functions that we stand before are not to be taken over: it makes an SSL_CTX,
 * which is not whole yet, or asks for its own cache. In between, context_of answers NULL on this thread. May be nested.
 */
void contexts_suspend(void);
void contexts_resume(void);
bool contexts_are_suspended(void);

/* The context whose cache ssl uses: the one that ssl was made with, whatever SSL_set_SSL_CTX did
 * since. */
struct context *context_of_connection(const SSL *ssl);

/* To be called before SSL_set_SSL_CTX: notes which context ssl was made with. */
void context_remember(SSL *ssl);

/*
 * An SSL_CTX of our own, of a library context or of the default one (NULL), which is attached to nothing. NULL: there is none
 * to be had. libssl's error queue is as it was.
 */
SSL_CTX *context_new_own(struct ossl_lib_ctx_st *library, const char *properties);

/* Its cache, or NULL as long as nothing was stored. */
static inline core_handle context_cache(struct context *context)
{
    return atomic_load_explicit(&context->cache, memory_order_acquire);
}

/* Calls use for every context that has a cache, under the contexts lock: use calls no program. */
void contexts_each(void (*use)(struct context *context, void *argument), void *argument);

/* Calls use for every context, under the contexts lock; the second not at all where the lock is held just now. */
void contexts_all(void (*use)(struct context *context, void *argument), void *argument);
void contexts_try_all(void (*use)(struct context *context, void *argument), void *argument);

/* The sum of the counters of all contexts that this process has had. */
void contexts_stats(struct sslcache_stats *stats);

/* The same without what a forked child has inherited: for SSLCACHE_REPORT. */
void contexts_stats_of_process(struct sslcache_stats *stats);

void context_stats(struct context *context, struct sslcache_stats *stats);

/* Whether this process has stored a session. */
bool contexts_have_stored(void);

/* The contexts lock, for fields of a struct context that are under it. */
void contexts_lock(void);
void contexts_unlock(void);

/*
 * For cshim/takeover/attach.h, which makes contexts and lets go of them; the contexts lock is held but for context_find,
 * contexts_are_going, and context_is_left_to_libssl.
 */

/* The context of ctx, also where it is being freed. Nothing is read from ctx. */
struct context *context_find(const SSL_CTX *ctx);

/* Whether libssl alone is to be asked for the sessions of ctx: ctx is NULL or of a second libssl, there is no libssl that we
 * can stand before, or this thread has suspended us. */
bool context_is_left_to_libssl(const SSL_CTX *ctx);

/* Takes a new context into the list. False: there is no memory. */
bool contexts_link(struct context *context);

/* The cache of the context, from now on. */
void context_set_cache(struct context *context, core_handle cache);

/* The SSL_CTX of the context is being freed, by the thread that freed_by stands for, or NULL. */
void contexts_note_going(struct context *context, const void *freed_by);

/* Whether there is one that is being freed. */
bool contexts_are_going(void);

/* One of them, out of the list: whose SSL_CTX was at that address, or was freed by that thread. NULL: there is none. */
struct context *contexts_take_gone(const SSL_CTX *ctx, const void *freed_by);

/* What is done around a fork: the contexts lock and the locks of all caches are taken. */
void contexts_fork_prepare(void);
void contexts_fork_done(void);
void contexts_fork_child(void);

#endif
