/*
 * release.h - sessions that leave a cache by a flush or by its limit: they are taken out, marked not resumable, called back
 * for and freed, in the order of the libssl that is loaded (release_order.h) and with no lock held.
 */
#ifndef SSLCACHE_RELEASE_H
#define SSLCACHE_RELEASE_H

#include "cshim/context/context.h"
#include "cshim/trace/trace.h"

/* Calls the program's remove_cb, if it has set one. */
void call_remove_callback(struct context *context, SSL_SESSION *session);

/* SSL_CTX_flush_sessions(3): all that have expired at now, or all if now is 0. */
void flush_sessions(struct context *context, int64_t now, struct origin origin);

/* The same from within a remove_cb that libssl calls, where it may hold the lock of the context. */
void flush_sessions_from_callback(struct context *context, int64_t now, struct origin origin);

/* The limit that the next add has to keep, as core_functions.add takes it. */
int64_t eviction_limit(struct context *context);

/* Releases what the add of newcomer has pushed out: the session in the answer, and where there are more of them those too. */
void evict_sessions(struct context *context, core_handle cache, int64_t limit,
                    core_session newcomer, struct core_answer *answer, enum event_cause cause);

/* The fault evict=random: releases any session but newcomer. */
void evict_random_session(struct context *context, core_handle cache, core_session newcomer);

/* In a forked child: forgets what other threads were releasing. Takes the contexts lock. */
void release_fork_child(void);

#endif
