/*
 * ticket_label.h - what the ticket of a connection is good for: the label of its key (ticket_keys.h), from what libssl tells
 * of the connection. False: it tells too little, or something can't be written down; then no ticket of it is shared.
 */
#ifndef SSLCACHE_TICKET_LABEL_H
#define SSLCACHE_TICKET_LABEL_H

#include "cshim/context/context.h"
#include "cshim/share/ticket_keys.h"

/* What the ticket that is made now is good for. */
bool ticket_label_of_new(struct context *context, const SSL *ssl, int version,
                         struct ticket_label *label);

/* What a ticket must be good for that the client has sent. */
bool ticket_label_of_offered(struct context *context, SSL *ssl, int version,
                             struct ticket_label *label);

/* Keeps the label of the ticket that was opened, for its renewal: ticket_label_of_new finds it. */
bool ticket_label_keep(SSL *ssl, const struct ticket_label *label);

#endif
