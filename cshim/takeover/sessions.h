/*
 * sessions.h - what is done with the sessions of one context: SSL_CTX_add_session(3) and the rest.
 *
 * No lock is held while the program is called back or a reference to a session is given up. What leaves by a flush or a
 * limit is in release.h.
 *
 * The room takeover/ stands where libssl's cache was: it is called by the program through cshim.c and by libssl in a
 * handshake, and does what libssl would have done.
 */
#ifndef SSLCACHE_SESSIONS_H
#define SSLCACHE_SESSIONS_H

#include "cshim/context/context.h"
#include "cshim/trace/trace.h"

/* SSL_CTX_add_session(3): takes one reference and answers 1, or 0 if this object was cached
 * already. */
int sessions_add(struct context *context, SSL_SESSION *session, struct origin origin);

/* SSL_CTX_remove_session(3): answers 1 if something was cached under the session's id. */
int sessions_remove(struct context *context, SSL_SESSION *session, struct origin origin);

/*
 * libssl is through with session (its remove_cb): takes out what we keep under its key, calls the
 * program's remove_cb, and gives the cache's reference back.
 */
void sessions_dropped(struct context *context, SSL_SESSION *session);

/* The context of ctx if this thread is removing a session from it just now, else NULL. */
struct context *sessions_removing_from(const SSL_CTX *ctx);

/* The session of that id, with one reference for the caller, or NULL. */
SSL_SESSION *sessions_find(struct context *context, int version, const unsigned char *id,
                           unsigned int length);

/* Takes session out. Reports whether this caller has done it: of several at once, one has. */
bool sessions_take(struct context *context, SSL_SESSION *session);

/* The fault expire=now: changes the time of session, so that it has expired for libssl and for every cache that it is in. */
void sessions_make_expired(const struct context *context, SSL_SESSION *session);

/*
 * For the trace only. Around a call in which libssl drops the session of a connection that was not shut down; and to
 * note that the next removal of session on this thread is that of a session that resumes once.
 */
void sessions_enter_shutdown(struct scope *scope);
void sessions_leave_shutdown(struct scope *scope);
void sessions_note_single_use(const SSL_SESSION *session);

/* Whether the time and timeout of session are over now. */
bool session_has_expired(const SSL_SESSION *session);

/* Whether that very object is cached, for session_table.h. */
bool sessions_hold(struct context *context, const SSL_SESSION *session);

/* Whether a session of that id is cached; counts nothing. */
bool sessions_have(struct context *context, int version, const unsigned char *id,
                   unsigned int length);

long sessions_number(struct context *context);

/* The time or timeout of session has changed: its place in whatever cache holds it does too. */
void sessions_reschedule(SSL_SESSION *session);

#endif
