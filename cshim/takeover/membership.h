/*
 * membership.h - in which caches a session may be: SSL_SESSION_set_timeout(3) changes its place there, and is called
 * with the session alone.
 *
 * The first few contexts that get a cache are simply asked one after the other. A process may have thousands: the
 * sessions of the later ones are marked, as ex_data, with the number of their context.
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
