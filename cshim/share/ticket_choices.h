/*
 * ticket_choices.h - which identity a program has chosen for a server name.
 *
 * A ticket is sealed when the program has chosen the SSL_CTX, and opened before its server-name callback was
 * called: then what was chosen for that name before is taken for what will be. What is noted is kept with the SSL_CTX that
 * the connection was made with, under the lock of the keys.
 */
#ifndef SSLCACHE_TICKET_CHOICES_H
#define SSLCACHE_TICKET_CHOICES_H

#include "cshim/context/context.h"
#include "cshim/share/ticket_keys.h"

/* Notes what was chosen for the server name of the label; `first` is what the connection was made with. */
void ticket_choices_note(struct context *first, const SSL *ssl, const struct ticket_label *label);

/*
 * Writes identity and verify mode that a connection will have when the program has chosen. False: nobody can
 * tell.
 */
bool ticket_choices_predict(struct context *first, const SSL *ssl, struct ticket_label *label);

/* The SSL_CTX goes. */
void ticket_choices_forget(struct context *context);

#endif
