/*
 * tickets.h - stateless tickets that all processes of an application open (SSLCACHE_TICKETS=shared), and what
 * becomes of the tickets of any process that is traced.
 *
 * The callbacks of SSL_CTX_set_tlsext_ticket_key_evp_cb(3) and SSL_CTX_set_session_ticket_cb(3) are ours then,
 * on each SSL_CTX that we have seen from SSL_CTX_new on and whose program has set none. Where a ticket can't be shared
 * it is sealed as libssl alone would.
 */
#ifndef SSLCACHE_TICKETS_H
#define SSLCACHE_TICKETS_H

#include "cshim/context/context.h"
#include "cshim/context/ticket_context.h"

/* An SSL_CTX was made by the program; NULL context: it is not attached. */
void tickets_begin(struct context *context);

/* The context of ctx where its tickets concern us, or NULL: then libssl is to be called. */
struct context *tickets_context(SSL_CTX *ctx);

/* A connection was made with the context, or has got it. NULL: it is not attached. */
void tickets_connect(const SSL *ssl, struct context *context);

/* SSL_CTX_callback_ctrl(3). */
long tickets_callback_ctrl(struct context *context, int command, any_callback callback);

/* To be told of SSL_CTX_ctrl(3) before libssl is: its own keys are set, or asked for. */
void tickets_note_ctrl(struct context *context, int command, const void *pointer);

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3) and SSL_CTX_set_session_ticket_cb(3). */
int tickets_set_evp_callback(struct context *context, evp_ticket_callback callback);
int tickets_set_session_callbacks(struct context *context,
                                  SSL_CTX_generate_session_ticket_fn generate,
                                  SSL_CTX_decrypt_session_ticket_fn decrypt, void *argument);

/* The SSL_CTX goes. */
void tickets_forget(struct context *context);

#endif
