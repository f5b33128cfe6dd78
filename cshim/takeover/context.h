/*
 * context.h - what we keep for one SSL_CTX.
 *
 * The program's SSL_CTX is set to have no internal cache and to call us (handshake.h). What the
 * program asks of it - mode, limit, callbacks, counters - it asks the struct context here, which
 * hangs on the SSL_CTX as ex_data and goes with it.
 */
#ifndef SSLCACHE_CONTEXT_H
#define SSLCACHE_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cshim/process/cache.h"
#include "cshim/process/inheritance.h"
#include "cshim/takeover/connection.h"
#include "cshim/takeover/libssl.h"
#include "cshim/watch/counters.h"
#include "include/sslcache.h"

/* Who keeps the sessions of a context. It changes once at most, from us to libssl. */
enum keeper { KEPT_BY_US, KEPT_BY_LIBSSL };

struct context {
    SSL_CTX *ctx;
    uint32_t number; /* 1, 2, ... in the order in which this process has attached them */
    _Atomic enum keeper keeper;
    struct cache cache; /* made when the first session is stored in this process */

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

    struct session_context session_context; /* noted for the store only; under the contexts lock */

    struct inheritance inherited; /* under the contexts lock */
    OPENSSL_LHASH *walk;          /* what SSL_CTX_sessions gives; under the contexts lock */
    struct context *next;         /* under the contexts lock */
    struct context *previous;
};

/*
 * The context of ctx, attached now if it was not. NULL where libssl keeps the sessions of ctx: it
 * can't be found, ctx is NULL, there is no memory, or the context was given back. Then libssl is to
 * be called.
 */
struct context *context_of(SSL_CTX *ctx, const void *caller);

/* The same where the context was given back too: what it has counted stays in use. */
struct context *context_attached(SSL_CTX *ctx);
bool context_is_ours(const struct context *context);

/* Whether ctx is attached, found without a look into ctx: it may be of another libssl. */
bool contexts_know(const SSL_CTX *ctx);

/*
 * Around the making of an SSL_CTX by libssl, which may call us with it before it is whole, and around
 * what is libssl's alone: in between, context_of answers NULL on this thread.
 */
void contexts_leave_alone(void);
void contexts_go_on(void);
bool contexts_left_alone(void);

/* The context whose cache ssl uses: the one that ssl was made with, whatever SSL_set_SSL_CTX did
 * since. */
struct context *context_of_connection(const SSL *ssl);
struct context *context_attached_to(const SSL *ssl);

/* To be called before SSL_set_SSL_CTX: notes which context ssl was made with. */
void context_remember(SSL *ssl);

/* Its cache, or NULL as long as nothing was stored. Sessions inherited over a fork are in it. */
struct cache *context_cache(struct context *context);

/*
 * Its cache, made now if there is none. NULL where this process can have no core: then the context
 * was given back to libssl, sessions, mode and callbacks, and libssl is to be called.
 */
struct cache *context_make_cache(struct context *context);

/* The host's: takes one reference to a session. */
void context_retain(core_session session);

/* What the real SSL_CTX is to be told when the program sets its mode. */
long context_real_mode(long mode);

/* Calls use for every context that has a cache, under the contexts lock: use calls no program. */
void contexts_each(void (*use)(struct context *context, void *argument), void *argument);

/* Calls use for every context, under the contexts lock; the second not at all where the lock is held just now. */
void contexts_all(void (*use)(struct context *context, void *argument), void *argument);
void contexts_try_all(void (*use)(struct context *context, void *argument), void *argument);

/* The first of the list of contexts. The contexts lock is held. */
struct context *contexts_first(void);

/* The sum of the counters of all contexts that this process has had. */
void contexts_stats(struct sslcache_stats *stats);
void context_stats(struct context *context, struct sslcache_stats *stats);

/* The contexts lock, for the little that is rare and belongs to one context (walk). */
void contexts_lock(void);
void contexts_unlock(void);

void contexts_fork_prepare(void);
void contexts_fork_parent(void);
void contexts_fork_child(void);

#endif
