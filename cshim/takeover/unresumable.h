/*
 * unresumable.h - sessions that leave a cache by a flush or by the limit can't be resumed any more.
 *
 * Only libssl can mark a session so, and it does where it removes one: it is asked to remove the session from its own
 * cache of the context, where it is not. The remove_cb that this leads to is ours, and ignores it. Where libssl may hold
 * the lock of the context (flush_detection.h), a context of our own serves.
 */
#ifndef SSLCACHE_UNRESUMABLE_H
#define SSLCACHE_UNRESUMABLE_H

#include "cshim/context/context.h"

/* Marks session not resumable. is_locked: libssl may hold the lock of the context. */
void unresumable_mark(struct context *context, SSL_SESSION *session, bool is_locked);

/* Whether this thread is marking session just now: then that libssl removes it means nothing. */
bool unresumable_is_marking(const SSL_SESSION *session);

/* A context goes. What was made of its library context goes with the last that has it. */
void unresumable_forget(struct ossl_lib_ctx_st *library);

#endif
