/*
 * connection.h - what we keep for one SSL, made where there is something to keep; it hangs on the SSL
 * as ex_data and goes with it.
 */
#ifndef SSLCACHE_CONNECTION_H
#define SSLCACHE_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cshim/takeover/libssl.h"

/* A session id context, as SSL_CTX_set_session_id_context(3) takes it. */
struct session_context {
    unsigned char bytes[SSL_MAX_SID_CTX_LENGTH];
    unsigned int length; /* 0: none */
};

struct connection {
    SSL_CTX *made_with; /* before the first SSL_set_SSL_CTX; NULL: SSL_get_SSL_CTX tells */
    _Atomic session_id_generator generator; /* the program's for this SSL; NULL: the context's */
    bool no_ticket; /* the program has set SSL_OP_NO_TICKET itself; kept where the user has too */
    struct session_context
        session_context; /* the program's for this SSL; noted for the store only */
};

/* Answers whether connections can be kept at all. To be called where an SSL_CTX is attached. */
bool connections_ready(void);

/* What is kept for ssl, or NULL. */
struct connection *connection_of(const SSL *ssl);

/* The same, made now if there is none. NULL where there is no memory. */
struct connection *connection_make(SSL *ssl);

#endif
