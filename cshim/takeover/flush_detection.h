/*
 * flush_detection.h - how we notice that libssl flushes its own cache where its call does not come to us.
 *
 * A libssl linked with -Bsymbolic (OpenSSL's default, Debian since 3.6) calls its own
 * SSL_CTX_flush_sessions in a handshake (every 255th) and in SSL_CTX_free. Its cache, otherwise
 * empty, has two sessions of ours then, the markers: one long expired, which every flush drops, and one that
 * never expires, which only a flush of all drops. libssl tells us by calling remove_cb for them.
 */
#ifndef SSLCACHE_FLUSH_DETECTION_H
#define SSLCACHE_FLUSH_DETECTION_H

#include "cshim/context/context.h"

/* Adds both markers if this libssl needs them. To be called when a context gets its cache. */
void flush_detection_start(struct context *context);

/* Adds the expired marker again after a flush. To be called where libssl holds no lock of the context. */
void flush_detection_restore(struct context *context);

/* libssl drops session: if it is a marker, our cache is flushed as libssl flushes its own. Reports whether it was one. */
bool flush_detection_notice(struct context *context, const SSL_SESSION *session);

#endif
