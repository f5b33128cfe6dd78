/*
 * connection.h - what we keep for one SSL, made where there is something to keep. It is found by the address of
 * the SSL and goes with it. And what may be asked of an SSL in a callback, also of one of QUIC.
 */
#ifndef SSLCACHE_CONNECTION_H
#define SSLCACHE_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cshim/libssl/libssl.h"

/* A session id context, as SSL_CTX_set_session_id_context(3) takes it. */
struct session_context {
    unsigned char bytes[SSL_MAX_SID_CTX_LENGTH];
    unsigned int length; /* 0: none */
};

struct client;
struct ticket_label;

struct connection {
    SSL_CTX
    *made_with; /* its first SSL_CTX; NULL: it has had no other, and SSL_get_SSL_CTX tells */
    _Atomic session_id_generator generator; /* the program's for this SSL; NULL: the context's */
    bool
        no_ticket; /* the program has set SSL_OP_NO_TICKET itself; noted where the user asks for it too */
    struct session_context
        session_context; /* the program's for this SSL; noted where sessions or tickets are shared */
    uint64_t
        protocols; /* a hash of what SSL_set_alpn_protos(3) was given; noted for clients only */
    struct client *client; /* of a connection that is made as a client: cshim/share/clients.h */
    void (*forget_client)(struct connection *connection); /* whoever sets client sets it too */
    bool has_our_context;        /* its session id context is that of SSLCACHE_SESSION_CONTEXT */
    struct ticket_label *ticket; /* what the ticket that it resumed with was good for, or NULL */
};

/* Reports whether connections can be kept at all. To be called where an SSL_CTX is attached. */
bool connections_ready(void);

/* What is kept for ssl, or NULL. */
struct connection *connection_of(const SSL *ssl);

/* The same, made now if there is none. NULL where there is no memory. */
struct connection *connection_make(SSL *ssl);

/* SSL_dup(3) has made copy of ssl: it keeps the generator and the options. */
void connection_copy(const SSL *ssl, SSL *copy);

/*
 * In a callback libssl may hold the lock of a QUIC connection, which SSL_get_options(3) and others would wait for. These
 * ask for nothing that needs it. The version is the one under which the sessions of ssl are kept; the options of a
 * QUIC connection are those of its SSL_CTX.
 */
int connection_version(const SSL *ssl);
uint64_t connection_options(const SSL *ssl);

/* Around a fork: the lock of what is kept for connections. */
void connections_fork_prepare(void);
void connections_fork_done(void);

#endif
