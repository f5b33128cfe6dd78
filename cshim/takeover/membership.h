/*
 * membership.h - in which caches a session may be: SSL_SESSION_set_timeout(3) moves it there, and the session alone is
 * given.
 *
 * A few contexts with a cache are simply asked one after the other. Where a process has more, the sessions of the later
 * ones bear the number of their context as ex_data, where the process may have thousands of contexts.
 */
#ifndef SSLCACHE_MEMBERSHIP_H
#define SSLCACHE_MEMBERSHIP_H

#include "cshim/context/context.h"

/* The context gets a cache, or goes. The contexts lock is held. */
void membership_begin(struct context *context);
void membership_end(struct context *context);

/* The session is about to be put into the cache of the context. */
void membership_note(const struct context *context, SSL_SESSION *session);

/* Calls use for every context that may have the session, under the contexts lock: use calls no program. */
void membership_each(const SSL_SESSION *session,
                     void (*use)(struct context *context, void *argument), void *argument);

#endif
