/*
 * ticket_context.h - what is kept of tickets for one SSL_CTX, as a part of its struct context. All of it is 0 at
 * first.
 */
#ifndef SSLCACHE_TICKET_CONTEXT_H
#define SSLCACHE_TICKET_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cshim/libssl/libssl.h"

/* What can happen to a ticket: name, as trace and counters have it. */
#define TICKET_EVENTS(X)                                                                           \
    X(issued)                                                                                      \
    X(opened)                                                                                      \
    X(renewed)                                                                                     \
    X(unknown)                                                                                     \
    X(old)                                                                                         \
    X(elsewhere)                                                                                   \
    X(damaged)

enum ticket_event {
#define X(name) TICKET_EVENT_##name,
    TICKET_EVENTS(X)
#undef X
        TICKET_EVENT_COUNT
};

struct ticket_context {
    atomic_bool is_sealed_by_us; /* its tickets are sealed by us */
    bool seen_from_start; /* from SSL_CTX_new on: the program had set nothing before we looked */

    /* What the program set. The getters of libssl give back no callback, so it is noted here. */
    atomic_bool
        has_keys; /* it has set keys, or asked for those of libssl, to give them to others */
    atomic_bool
        chooses_by_name; /* a server-name callback, or certificates of connections: the name may choose */
    _Atomic hmac_ticket_callback hmac_callback;
    _Atomic evp_ticket_callback evp_callback;
    SSL_CTX_generate_session_ticket_fn generate_callback;
    SSL_CTX_decrypt_session_ticket_fn decrypt_callback;
    void *callback_argument;

    /* Under the lock of the keys; see ticket_identity.h. */
    struct ticket_identity *identity;
    struct ticket_names *names;

    atomic_long counted[TICKET_EVENT_COUNT];
};

#endif
