/*
 * client_registry.h - the connections that this process has made as a client, the sessions that are kept of them, and which
 * of them may be offered to another. For clients.c.
 */
#ifndef SSLCACHE_CLIENT_REGISTRY_H
#define SSLCACHE_CLIENT_REGISTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cshim/context/context.h"
#include "cshim/process/lock_order.h"
#include "cshim/settings/config.h"
#include "cshim/share/endpoint.h"
#include "cshim/share/terms.h"
#include "cshim/trace/event.h"

enum {
    MAX_SESSIONS = 8, /* that are kept of one connection */
    MAX_REFUSED = 64, /* servers that are known to refuse; with more nothing is offered at all */
};

enum phase {
    SHAKING, /* the handshake is not done */
    OPEN,    /* it is */
    CLOSED,  /* closed by the program, or never open: nothing of it is offered */
};

/* What is kept for an SSL that is a client's. Owned by the struct connection. */
struct client {
    struct registry *registry; /* whose list it is in; NULL: in none */
    struct client *next;
    struct client *previous;

    struct context *context;
    pthread_t thread; /* that has begun the handshake */
    struct endpoints ends;
    struct terms terms;
    bool has_own_session; /* the program has offered one */

    /* Under the registry's lock. */
    enum phase phase;
    enum event_cause obstacle; /* why its sessions may not be offered */
    bool is_data_connection;   /* probably: another one was open to that host when it was made */
    STACK_OF(X509) * chain;
    SSL_SESSION *sessions[MAX_SESSIONS]; /* copies of our own, the oldest first */
    size_t count;

    /* What was offered to it, until that is accepted or refused; written under the registry's lock. */
    SSL_SESSION *offered;
    struct endpoint server; /* the peer that has made that session */
    bool is_certain;        /* there was only one connection whose session could be offered */
    bool has_refused;       /* it has made a full handshake instead */

    enum event_cause obstacle_to_offer; /* why it was offered no session of one that is open */
};

/*
 * The clients of one process. A forked child makes its own and leaves its parent's alone, lock and all: it
 * may have been held. Under its lock only the kernel is called, and libcrypto for references and
 * memory. What is to be freed leaves it first: a session may have functions of the program.
 */
struct registry {
    pid_t process;
    pthread_mutex_t lock;
    struct client *first;
    struct endpoint refused[MAX_REFUSED];
    size_t refused_count;
    struct registry *of_parent;
};

/* References that go when the lock is left. */
struct leaving {
    SSL_SESSION *sessions[MAX_SESSIONS];
    size_t count;
};

/* Whether the user asks for sessions to be offered, and sessions are kept at all. */
static inline bool clients_are_offered_sessions(void)
{
    return config.settings.client != CLIENT_OFF && config.settings.mode != MODE_OFF &&
           config.settings.mode != MODE_NO_LOOKUP;
}

/* A session with a reference, and the chain of its peer; or neither. */
struct choice {
    SSL_SESSION *session;
    STACK_OF(X509) * chain;
    struct endpoint server;
};

/* That of this process, or NULL: there was none yet. */
struct registry *registry_of_process(void);

/* The same, made now if there is none. NULL: there is no memory. */
struct registry *registry_make(void);

/* For all that follow but the last three the lock is held. */
void registry_link(struct registry *current, struct client *client);
void registry_unlink(struct client *client);

/* Keeps the caller's reference to the session; the oldest one goes where there are many. */
void registry_keep_session(struct client *client, SSL_SESSION *session, struct leaving *leaving);
void registry_drop_sessions(struct client *client, struct leaving *leaving);

/* The server does not resume, or breaks the connection off: no session is offered to it any more. */
void registry_note_refused(struct registry *current, const struct endpoint *server);

/* The server has resumed a session of its own: a connection that has refused one is another server's at that host. */
void registry_note_served(struct registry *current, const struct endpoint *server);

/*
 * Whoever has refused a session is gone: it was a data connection, and its server does not resume. As long as
 * it is open it may be the control connection of another server at that host.
 */
void registry_settle_refusal(struct client *client);

/* Gives the references up. */
void registry_let_go(struct leaving *leaving);

/* Puts the client into the list, and gives what may be offered to it; the caller owns both references. */
struct choice registry_choose(struct registry *current, struct client *client);

/* Whether session is offered to a client of the registry just now. */
bool registry_has_offered(struct registry *current, const SSL_SESSION *session);

#endif
