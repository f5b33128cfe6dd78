/*
 * tripwire.h - how we notice that libssl flushes its own cache where its call does not come to us.
 *
 * A libssl linked with -Bsymbolic (OpenSSL's default, Debian since 3.6) calls its own
 * SSL_CTX_flush_sessions in a handshake (every 255th) and in SSL_CTX_free. In its cache, otherwise
 * empty, lie then two sessions of ours: one long expired, which every flush drops, and one that
 * never expires, which only a flush of all drops. libssl tells us by calling remove_cb for them.
 */
#ifndef SSLCACHE_TRIPWIRE_H
#define SSLCACHE_TRIPWIRE_H

#include "cshim/context/context.h"

/* Lays both if this libssl needs them; call when a context gets its cache. */
void tripwire_lay(struct context *context);

/* Lays the first anew after a flush; call where libssl holds no lock of the context. */
void tripwire_mend(struct context *context);

/* If session is a tripwire: flushes what libssl flushes. Answers whether it was one. */
bool tripwire_sprung(struct context *context, const SSL_SESSION *session);

#endif
