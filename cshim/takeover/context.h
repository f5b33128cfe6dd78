/*
 * context.h - what we keep for one SSL_CTX.
 *
 * The program's SSL_CTX is set to have no internal cache and to call us (handshake.h). What the
 * program asks of it - mode, limit, callbacks, counters - it asks the struct context here, which
 * is found by the address of the SSL_CTX and goes with it.
 */
#ifndef SSLCACHE_CONTEXT_H
#define SSLCACHE_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "cshim/process/cache.h"
#include "cshim/process/scope.h"
#include "cshim/share/ticket_context.h"
#include "cshim/takeover/connection.h"
#include "cshim/takeover/libssl.h"
#include "cshim/watch/counters.h"
#include "include/sslcache.h"

/* What is known of a context whose connections are made as a client: cshim/share/clients.h. */
struct client_context {
    atomic_bool known_whole; /* we were there when it was made */
    atomic_bool doubtful;    /* it verifies by rules that can't be read */
    atomic_bool gives_up;    /* the program offers sessions itself */
    atomic_bool listens;     /* libssl tells of tickets that the program did not ask to hear of */
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

    bool marks_sessions; /* see owner.h */

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

    /* Sessions of our own in libssl's cache: see tripwire.h. */
    SSL_SESSION *expired_tripwire;
    SSL_SESSION *eternal_tripwire;
    atomic_bool tripwire_sprung;

    /* Sessions of our own in libssl's cache that answer for ours: see generate.h. */
    _Atomic(struct bait *) baits;

    struct client_context client;
    struct session_context session_context; /* noted where it is shared; under the contexts lock */
    struct ticket_context tickets;

    _Atomic(OPENSSL_LHASH *) table; /* what SSL_CTX_sessions gives: see session_table.h */
    struct context *next;           /* under the contexts lock */
    struct context *previous;
    struct context *next_going; /* under the contexts lock */
    const void *freed_by;       /* the thread that frees the SSL_CTX; under the contexts lock */
};

/* What an SSL_CTX is made with: the arguments of SSL_CTX_new_ex(3), NULL for SSL_CTX_new(3). */
struct context_origin {
    struct ossl_lib_ctx_st *library;
    const char *properties;
};

/* Attaches a context to an SSL_CTX that was made just now, unless it is to be left to libssl. */
void context_attach_new(SSL_CTX *ctx, struct context_origin origin);

/*
 * The context of ctx, attached now if it was not. NULL where libssl keeps the sessions of ctx: libssl
 * can't be found, ctx is NULL, there is no memory, or its memory is shared with other processes. Then libssl is to
 * be called. caller is where the call comes from: for libssl itself nothing is attached.
 */
struct context *context_of(SSL_CTX *ctx, const void *caller);

/* The context of ctx if it has one. Takes no lock. */
struct context *context_attached(SSL_CTX *ctx);

/* Whether ctx is attached, found without a look into ctx: it may be of another libssl. */
bool contexts_know(const SSL_CTX *ctx);

/*
 * Around the making of an SSL_CTX by libssl, which may call us with it before it is whole, and around
 * what is libssl's alone: in between, context_of answers NULL on this thread.
 */
void contexts_leave_alone(void);
void contexts_go_on(void);
bool contexts_left_alone(void);

/*
 * Around a call of libssl that may free an SSL_CTX. What we keep for it stays until libssl is through with it: the program's
 * own CRYPTO_EX_free functions may still ask for its sessions.
 */
void contexts_enter_free(struct scope *scope);
void contexts_leave_free(struct scope *scope);

/* The context whose cache ssl uses: the one that ssl was made with, whatever SSL_set_SSL_CTX did
 * since. */
struct context *context_of_connection(const SSL *ssl);

/* To be called before SSL_set_SSL_CTX: notes which context ssl was made with. */
void context_remember(SSL *ssl);

/* Its cache, or NULL as long as nothing was stored. */
static inline core_handle context_cache(struct context *context)
{
    return atomic_load_explicit(&context->cache, memory_order_acquire);
}

/* Its cache, made now if there is none. NULL where there is no memory. */
core_handle context_make_cache(struct context *context);

/* What the real SSL_CTX is to be told when the program sets its mode. */
long context_real_mode(long mode);

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

/* The contexts lock, for the little that is rare and belongs to one context. */
void contexts_lock(void);
void contexts_unlock(void);

/* What is done around a fork: the contexts lock and the locks of all caches are taken. */
void contexts_fork_prepare(void);
void contexts_fork_done(void);
void contexts_fork_child(void);

#endif
