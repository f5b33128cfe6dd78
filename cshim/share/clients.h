/*
 * clients.h - SSLCACHE_CLIENT: which connections this process has open as a client, and which session may be
 * offered to a new one for which the program offers none.
 *
 * FTP servers want a data connection to resume the session of its control connection. So a connection is
 * offered the session of one that is open to another port of the same host, if both are of one SSL_CTX, ask
 * for the same (terms.h), the first has verified its peer in a full handshake, and the second would accept
 * that peer's certificates too (chain.h). In doubt nothing is offered, and the handshake is a full one.
 *
 * What is offered is a copy: whatever libssl does to it, the session of the first connection stays as it is.
 * Nothing of this survives a fork. In a trace it is also noted where a session could have been offered.
 */
#ifndef SSLCACHE_CLIENTS_H
#define SSLCACHE_CLIENTS_H

#include "cshim/context/context.h"
#include "cshim/settings/config.h"
#include "cshim/trace/trace.h"

/* Whether connections are looked at at all. Where they are not, nothing else here is to be called. */
static inline bool clients_watched(void)
{
    return __builtin_expect(config.settings.client != CLIENT_OFF || tracing(), 0);
}

/* Around each call of the program that does a handshake. done: what libssl answered. */
void clients_begin(SSL *ssl, bool as_client);
void clients_end(SSL *ssl, int done);

/* The program closes or frees ssl, or clears it for another handshake: its session is offered no more. */
void clients_close(SSL *ssl);
void clients_clear(SSL *ssl);

/* The SSL goes, and what is kept for it. */
void clients_forget(struct connection *connection);

/*
 * Within new_cb: keeps a copy of a session that a client has got. Answers whether that is all there is to
 * do: libssl would not have called if it were not for us.
 */
bool clients_take_ticket(struct context *context, SSL *ssl, SSL_SESSION *session);

/* Within remove_cb: whether session is one that we have offered, and the program asks for no such call. */
bool clients_have_offered(struct context *context, const SSL_SESSION *session);

/* The bits that are set in the mode of the real SSL_CTX beside the program's. */
long clients_mode(const struct context *context);

/* To be told what the program does that decides about what may be offered. NULL context: it is not attached. */
void clients_note_created(struct context *context);
void clients_note_own_verification(struct context *context);
void clients_stop_offering(struct context *context);
void clients_note_context_protocols(struct context *context, const unsigned char *protocols,
                                    unsigned int length);
void clients_note_protocols(SSL *ssl, const unsigned char *protocols, unsigned int length);
void clients_inherit(SSL *ssl, const struct context *context);

#endif
