#define _GNU_SOURCE
#include "cshim/share/clients.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cshim/context/policy.h"
#include "cshim/process/lock_order.h"
#include "cshim/share/chain.h"
#include "cshim/share/endpoint.h"
#include "cshim/share/terms.h"

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
    enum event_cause obstacle; /* to offering anything of it */
    bool is_data_connection;   /* probably: another one was open to that host when it was made */
    STACK_OF(X509) * chain;
    SSL_SESSION *sessions[MAX_SESSIONS]; /* copies of our own, the oldest first */
    size_t count;

    /* What was offered to it, until that is accepted or refused; written under the registry's lock. */
    SSL_SESSION *offered;
    struct endpoint server; /* whose session that is */
    bool is_certain;        /* no other connection could have been meant */
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

static _Atomic(struct registry *) registry;

/* NULL: there was none of this process yet. */
static struct registry *registry_of_process(void)
{
    struct registry *current = atomic_load(&registry);
    return current != NULL && current->process == getpid() ? current : NULL;
}

/* NULL: there is no memory. */
static struct registry *registry_make(void)
{
    struct registry *current = registry_of_process();
    if (current != NULL)
        return current;
    struct registry *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL)
        return NULL;
    fresh->process = getpid();
    fresh->of_parent = atomic_load(&registry);
    pthread_mutex_init(&fresh->lock, NULL);
    if (atomic_compare_exchange_strong(&registry, &fresh->of_parent, fresh))
        return fresh;
    free(fresh); /* another thread was first */
    return registry_of_process();
}

static bool is_asked(void)
{
    return config.settings.client != CLIENT_OFF && config.settings.mode != MODE_OFF &&
           config.settings.mode != MODE_NO_LOOKUP;
}

static struct client *client_of(const SSL *ssl)
{
    const struct connection *connection = connection_of(ssl);
    return connection != NULL ? connection->client : NULL;
}

/* ---- the list; its lock is held ---- */

static void link_client(struct registry *current, struct client *client)
{
    client->registry = current;
    client->next = current->first;
    if (current->first != NULL)
        current->first->previous = client;
    current->first = client;
}

static void unlink_client(struct client *client)
{
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        client->registry->first = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    client->registry = NULL;
}

static void drop_oldest(struct client *client, struct leaving *leaving)
{
    leaving->sessions[leaving->count++] = client->sessions[0];
    client->count--;
    memmove(client->sessions, client->sessions + 1, client->count * sizeof(client->sessions[0]));
}

static void drop_sessions(struct client *client, struct leaving *leaving)
{
    while (client->count > 0)
        drop_oldest(client, leaving);
}

static void keep_session(struct client *client, SSL_SESSION *session, struct leaving *leaving)
{
    if (client->count == MAX_SESSIONS)
        drop_oldest(client, leaving);
    client->sessions[client->count++] = session;
}

static bool has_expired(const SSL_SESSION *session)
{
    return (int64_t)time(NULL) >=
           (int64_t)libssl.SSL_SESSION_get_time(session) + libssl.SSL_SESSION_get_timeout(session);
}

/*
 * A reference to the session to be offered next, or NULL. A ticket is used once, but the last of them again
 * and again: there may be no more, and servers that want data connections to resume accept it.
 */
static SSL_SESSION *take_session(struct client *client, struct leaving *leaving)
{
    while (client->count > 0 && has_expired(client->sessions[0]))
        drop_oldest(client, leaving);
    if (client->count == 0)
        return NULL;
    SSL_SESSION *session = client->sessions[0];
    libssl.SSL_SESSION_up_ref(session);
    if (client->count > 1)
        drop_oldest(client, leaving);
    return session;
}

/* The lock is not held. */
static void let_go(struct leaving *leaving)
{
    while (leaving->count > 0)
        libssl.SSL_SESSION_free(leaving->sessions[--leaving->count]);
}

static bool is_refused(const struct registry *current, const struct endpoint *server)
{
    for (size_t i = 0; i < current->refused_count; i++)
        if (endpoint_is_same(&current->refused[i], server))
            return true;
    return current->refused_count == MAX_REFUSED;
}

static void note_refused(struct registry *current, const struct endpoint *server)
{
    if (!is_refused(current, server))
        current->refused[current->refused_count++] = *server;
}

/* It resumes: who has refused a session of it is somebody else at that host. */
static void note_served(struct registry *current, const struct endpoint *server)
{
    for (struct client *client = current->first; client != NULL; client = client->next)
        if (client->has_refused && endpoint_is_same(&client->server, server))
            client->has_refused = false;
}

/*
 * Whoever has refused a session is gone: it was a data connection, and its server does not resume. As long as
 * it is open it may be the control connection of another server at that host.
 */
static void settle_refusal(struct client *client)
{
    if (client->has_refused)
        note_refused(client->registry, &client->server);
    client->has_refused = false;
}

/* ---- which session ---- */

static enum event_cause obstacle_between(const struct registry *current, const struct client *open,
                                         const struct client *client)
{
    if (open->context != client->context)
        return OBSTACLE_OTHER_CONTEXT;
    if (open->obstacle != CAUSE_NONE)
        return open->obstacle;
    if (client->obstacle != CAUSE_NONE)
        return client->obstacle;
    if (!terms_equal(&open->terms, &client->terms))
        return OBSTACLE_OTHER_TERMS;
    if (is_refused(current, &open->ends.peer))
        return OBSTACLE_REFUSED_BEFORE;
    if (!is_asked())
        return OBSTACLE_NOT_ASKED;
    return open->count == 0 ? OBSTACLE_NO_SESSION : CAUSE_NONE;
}

/* What a server of FTP uses for data: no port of another service, but the one below its own (20, 989). */
static bool is_data_port(uint16_t port, uint16_t control)
{
    return port != control && (port >= IPPORT_RESERVED || port == 20 || port == control - 1);
}

static bool is_to_same_host(const struct client *open, const struct client *client)
{
    return open != client && open->phase == OPEN &&
           endpoint_is_same_host(&open->ends.peer, &client->ends.peer) &&
           is_data_port(client->ends.peer.port, open->ends.peer.port) &&
           endpoints_are_open(&open->ends);
}

/*
 * Of two that both could be meant: the one that is no data connection, the one of this thread, the one that
 * has heard of its server last. A program asks for a data connection just before it makes it.
 */
static bool is_nearer(const struct client *candidate, const struct client *chosen)
{
    if (candidate->is_data_connection != chosen->is_data_connection)
        return chosen->is_data_connection;
    bool is_own = pthread_equal(candidate->thread, pthread_self()) != 0;
    bool is_chosens_own = pthread_equal(chosen->thread, pthread_self()) != 0;
    if (is_own != is_chosens_own)
        return is_own;
    return endpoints_silence(&candidate->ends) < endpoints_silence(&chosen->ends);
}

/* The lock is held. Sets is_certain, and obstacle_to_offer where it gives NULL. */
static struct client *choose(const struct registry *current, struct client *client)
{
    struct client *chosen = NULL;
    client->is_certain = true;
    for (struct client *open = current->first; open != NULL; open = open->next) {
        if (!is_to_same_host(open, client))
            continue;
        enum event_cause obstacle = obstacle_between(current, open, client);
        if (obstacle != CAUSE_NONE) {
            client->obstacle_to_offer =
                obstacle > client->obstacle_to_offer ? obstacle : client->obstacle_to_offer;
            continue;
        }
        if (chosen != NULL)
            client->is_certain = false;
        if (chosen == NULL || is_nearer(open, chosen))
            chosen = open;
    }
    if (chosen != NULL)
        client->obstacle_to_offer = CAUSE_NONE;
    return chosen;
}

/* A session with a reference, and the chain of its peer; or neither. */
struct choice {
    SSL_SESSION *session;
    STACK_OF(X509) * chain;
    struct endpoint server;
};

static struct choice find(struct registry *current, struct client *client)
{
    struct choice choice = {.session = NULL};
    struct leaving leaving = {.count = 0};
    lock_take(&current->lock, LOCK_CLIENTS);
    struct client *chosen = choose(current, client);
    if (chosen != NULL && (choice.chain = chain_copy(chosen->chain)) != NULL) {
        choice.session = take_session(chosen, &leaving);
        choice.server = chosen->ends.peer;
        client->obstacle_to_offer = choice.session == NULL ? OBSTACLE_NO_SESSION : CAUSE_NONE;
    }
    link_client(current, client);
    lock_release(&current->lock, LOCK_CLIENTS);
    let_go(&leaving);
    return choice;
}

/* ---- offering it ---- */

/* libssl drops what a connection has resumed from, or marks it: it gets a copy, without early data. */
static SSL_SESSION *copy_of(SSL_SESSION *session)
{
    SSL_SESSION *copy = libssl.SSL_SESSION_dup(session);
    if (copy != NULL && libssl.SSL_SESSION_is_resumable(copy) &&
        libssl.SSL_SESSION_set_max_early_data(copy, 0) == 1)
        return copy;
    libssl.SSL_SESSION_free(copy);
    return NULL;
}

static bool offer(SSL *ssl, struct client *client, const struct choice *choice)
{
    if (!chain_is_accepted(choice->chain, ssl, client->context->ctx)) {
        client->obstacle_to_offer = OBSTACLE_UNVERIFIED;
        return false;
    }
    SSL_SESSION *copy = copy_of(choice->session);
    if (copy == NULL)
        return false;
    lock_take(&client->registry->lock, LOCK_CLIENTS);
    client->offered = copy; /* before libssl has it: it may be called back for */
    client->server = choice->server;
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    return libssl.SSL_set_session(ssl, copy) == 1;
}

/* The lock is not held. */
static void withdraw(struct client *client)
{
    lock_take(&client->registry->lock, LOCK_CLIENTS);
    SSL_SESSION *offered = client->offered;
    client->offered = NULL;
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    libssl.SSL_SESSION_free(offered);
}

static void look_for_session(SSL *ssl, struct registry *current, struct client *client)
{
    struct choice choice = find(current, client);
    if (choice.session != NULL && !offer(ssl, client, &choice) && client->offered != NULL)
        withdraw(client);
    libssl.SSL_SESSION_free(choice.session);
    chain_free(choice.chain);
}

/* ---- the life of a connection ---- */

/* Of this process, and its handshake not yet known to be done. */
static bool is_shaking(const struct client *client)
{
    return client != NULL && client->registry != NULL &&
           client->registry == registry_of_process() && client->phase == SHAKING;
}

/* A connection that nothing is known of yet, over a TCP socket. */
static bool is_new(SSL *ssl, struct context *context, struct endpoints *ends)
{
    int descriptor = libssl.SSL_get_rfd(ssl);
    return libssl.SSL_in_before(ssl) && !libssl.SSL_is_dtls(ssl) && context != NULL &&
           descriptor == libssl.SSL_get_wfd(ssl) && endpoints_read(descriptor, ends);
}

static struct client *make(SSL *ssl, struct context *context, const struct endpoints *ends)
{
    struct connection *connection = connection_make(ssl);
    if (connection == NULL)
        return NULL;
    clients_forget(connection); /* an SSL that is used again */
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return NULL;
    client->context = context;
    client->thread = pthread_self();
    client->ends = *ends;
    client->has_own_session = libssl.SSL_get_session(ssl) != NULL;
    client->obstacle = terms_read(ssl, context, &client->terms);
    connection->client = client;
    connection->forget_client = clients_forget;
    return client;
}

static void begin(SSL *ssl, bool as_client)
{
    struct endpoints ends;
    if (libssl.SSL_is_quic != NULL && libssl.SSL_is_quic(ssl))
        return;
    if (is_shaking(client_of(ssl)))
        return; /* SSL_connect calls SSL_do_handshake, by name in some builds */
    struct context *context = context_of_connection(ssl);
    if ((!as_client && libssl.SSL_is_server(ssl)) || !is_new(ssl, context, &ends))
        return;
    struct registry *current = registry_make();
    struct client *client = current != NULL ? make(ssl, context, &ends) : NULL;
    if (client == NULL)
        return;
    if (!client->has_own_session) {
        look_for_session(ssl, current, client);
        return;
    }
    clients_stop_offering(context);
    lock_take(&current->lock, LOCK_CLIENTS);
    link_client(current, client);
    lock_release(&current->lock, LOCK_CLIENTS);
}

/* Neither errno nor the errors of libssl are to show that we were here. */
void clients_begin(SSL *ssl, bool as_client)
{
    int number = errno;
    libssl.ERR_set_mark();
    begin(ssl, as_client);
    libssl.ERR_pop_to_mark();
    errno = number;
}

/* From now on libssl calls new_cb for the tickets of clients too, and we for the program where it asked for it. */
static void ask_for_tickets(struct context *context)
{
    long mode;
    if (atomic_load(&context->client.program_offers) ||
        atomic_exchange(&context->client.hears_tickets, true))
        return;
    do {
        mode = atomic_load(&context->mode);
        libssl.SSL_CTX_ctrl(context->ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
                            policy_real_mode(mode) | clients_mode(context), NULL);
    } while (mode != atomic_load(&context->mode)); /* the program sets it just now */
}

/* What stands in the way of offering a session of a connection whose handshake is done. */
static enum event_cause obstacle_after(SSL *ssl, const struct client *client)
{
    struct terms terms;
    if (client->obstacle != CAUSE_NONE)
        return client->obstacle;
    if (libssl.SSL_session_reused(ssl))
        return OBSTACLE_RESUMED;
    if (libssl.SSL_get_verify_result(ssl) != X509_V_OK)
        return OBSTACLE_UNVERIFIED;
    if (terms_read(ssl, client->context, &terms) != CAUSE_NONE ||
        !terms_equal(&terms, &client->terms))
        return OBSTACLE_OTHER_TERMS;
    return CAUSE_NONE;
}

static void tell(SSL *ssl, const struct client *client, bool is_reused)
{
    const SSL_SESSION *session = libssl.SSL_get_session(ssl);
    if (client->offered != NULL)
        trace_client(client->context, session, is_reused ? OUTCOME_RESUMED : OUTCOME_REFUSED,
                     CAUSE_NONE);
    else if (client->obstacle_to_offer != CAUSE_NONE && !is_reused && !client->has_own_session)
        trace_client(client->context, session, OUTCOME_COULD_RESUME, client->obstacle_to_offer);
}

/* The lock is held. */
static void note_outcome(struct client *client, bool is_reused)
{
    struct registry *current = client->registry;
    if (client->offered == NULL)
        return;
    client->has_refused = !is_reused && client->is_certain;
    if (is_reused)
        note_served(current, &client->server);
}

/* Its own copy of a session that is known when the handshake is done: in TLS 1.3 tickets come later. */
static SSL_SESSION *first_session(SSL *ssl, const struct client *client)
{
    SSL_SESSION *session = libssl.SSL_get_session(ssl);
    bool is_known = session != NULL && client->count == 0 && is_asked() &&
                    libssl.SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION;
    return is_known ? copy_of(session) : NULL;
}

static void complete(SSL *ssl, struct client *client)
{
    bool is_reused = libssl.SSL_session_reused(ssl) != 0;
    struct leaving leaving = {.count = 0};
    enum event_cause obstacle = obstacle_after(ssl, client);
    STACK_OF(X509) *chain = obstacle == CAUSE_NONE ? chain_of_peer(ssl) : NULL;
    SSL_SESSION *session = chain != NULL ? first_session(ssl, client) : NULL;
    if (obstacle == CAUSE_NONE && chain == NULL)
        obstacle = OBSTACLE_UNVERIFIED;
    if (tracing())
        tell(ssl, client, is_reused);

    lock_take(&client->registry->lock, LOCK_CLIENTS);
    client->phase = OPEN;
    client->obstacle = obstacle;
    client->is_data_connection = client->obstacle_to_offer > OBSTACLE_OTHER_CONTEXT;
    client->chain = chain;
    if (session != NULL)
        keep_session(client, session, &leaving);
    if (obstacle != CAUSE_NONE)
        drop_sessions(client, &leaving);
    note_outcome(client, is_reused);
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    let_go(&leaving);
    withdraw(client);
    if (obstacle == CAUSE_NONE && is_asked())
        ask_for_tickets(client->context);
}

/* The handshake has failed, or was left undone. */
static void break_off(struct client *client)
{
    if (client->offered != NULL && tracing())
        trace_client(client->context, client->offered, OUTCOME_FAILED, CAUSE_NONE);
    lock_take(&client->registry->lock, LOCK_CLIENTS);
    client->phase = CLOSED;
    if (client->offered != NULL)
        note_refused(client->registry, &client->server);
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    withdraw(client);
}

static bool has_failed(const SSL *ssl, int done)
{
    int reason = libssl.SSL_get_error(ssl, done);
    return reason == SSL_ERROR_SSL || reason == SSL_ERROR_SYSCALL ||
           reason == SSL_ERROR_ZERO_RETURN;
}

static void end(SSL *ssl, int done)
{
    struct client *client = client_of(ssl);
    if (!is_shaking(client))
        return;
    if (done == 1)
        complete(ssl, client);
    else if (has_failed(ssl, done))
        break_off(client);
}

void clients_end(SSL *ssl, int done)
{
    int number = errno;
    libssl.ERR_set_mark();
    end(ssl, done);
    libssl.ERR_pop_to_mark();
    errno = number;
}

void clients_close(SSL *ssl)
{
    struct client *client = ssl != NULL ? client_of(ssl) : NULL;
    if (is_shaking(client) && libssl.SSL_is_init_finished(ssl))
        complete(ssl, client); /* it went on by SSL_read or SSL_write */
    if (client == NULL || client->registry == NULL || client->registry != registry_of_process() ||
        client->phase != OPEN)
        return;
    struct leaving leaving = {.count = 0};
    lock_take(&client->registry->lock, LOCK_CLIENTS);
    client->phase = CLOSED;
    settle_refusal(client);
    drop_sessions(client, &leaving);
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    let_go(&leaving);
}

void clients_clear(SSL *ssl)
{
    struct client *client = ssl != NULL ? client_of(ssl) : NULL;
    /* libssl itself clears an SSL that has said nothing yet, at the beginning of its handshake. */
    if (is_shaking(client) && !libssl.SSL_in_before(ssl) && !libssl.SSL_is_init_finished(ssl))
        break_off(client);
    else
        clients_close(ssl);
}

void clients_forget(struct connection *connection)
{
    struct client *client = connection->client;
    if (client == NULL)
        return;
    connection->client = NULL;
    if (is_shaking(client))
        break_off(client);
    if (client->registry != NULL && client->registry == registry_of_process()) {
        struct registry *current = client->registry;
        lock_take(&current->lock, LOCK_CLIENTS);
        settle_refusal(client);
        unlink_client(client);
        lock_release(&current->lock, LOCK_CLIENTS);
    }
    struct leaving leaving = {.count = 0};
    drop_sessions(client, &leaving);
    let_go(&leaving);
    libssl.SSL_SESSION_free(client->offered);
    chain_free(client->chain);
    free(client);
}

/* ---- callbacks ---- */

/* Whether libssl calls for clients only because we asked it to. */
static bool is_called_for_us(const struct context *context)
{
    return atomic_load_explicit(&context->client.hears_tickets, memory_order_relaxed) &&
           (policy_mode(atomic_load(&context->mode)) & SSL_SESS_CACHE_CLIENT) == 0;
}

static void take_ticket(SSL *ssl, struct client *client, SSL_SESSION *session)
{
    if (is_shaking(client) && libssl.SSL_is_init_finished(ssl))
        complete(ssl, client); /* it went on by SSL_read or SSL_write */
    if (client->registry == NULL || client->registry != registry_of_process() ||
        client->phase == CLOSED || client->obstacle != CAUSE_NONE)
        return;
    SSL_SESSION *copy = copy_of(session);
    if (copy == NULL)
        return;
    struct leaving leaving = {.count = 0};
    lock_take(&client->registry->lock, LOCK_CLIENTS);
    keep_session(client, copy, &leaving);
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    let_go(&leaving);
}

bool clients_take_ticket(struct context *context, SSL *ssl, SSL_SESSION *session)
{
    if (!is_asked())
        return false;
    struct client *client = client_of(ssl);
    if (client != NULL)
        take_ticket(ssl, client, session);
    return is_called_for_us(context) && !libssl.SSL_is_server(ssl);
}

static bool is_among_offered(struct registry *current, const SSL_SESSION *session)
{
    lock_take(&current->lock, LOCK_CLIENTS);
    struct client *client = current->first;
    while (client != NULL && client->offered != session)
        client = client->next;
    lock_release(&current->lock, LOCK_CLIENTS);
    return client != NULL;
}

bool clients_have_offered(struct context *context, const SSL_SESSION *session)
{
    if (!is_asked() || !is_called_for_us(context))
        return false;
    struct registry *current = registry_of_process();
    return current != NULL && is_among_offered(current, session);
}

/* ---- contexts and what the program sets ---- */

long clients_mode(const struct context *context)
{
    return atomic_load(&context->client.hears_tickets) &&
                   !atomic_load(&context->client.program_offers)
               ? SSL_SESS_CACHE_CLIENT
               : 0;
}

void clients_note_created(struct context *context)
{
    if (context != NULL)
        atomic_store(&context->client.seen_from_start, true);
}

void clients_note_own_verification(struct context *context)
{
    if (context != NULL)
        atomic_store(&context->client.verifies_itself, true);
}

/*
 * libssl marks the session that a client of such a mode has resumed: the program could not offer its own
 * again.
 */
void clients_stop_offering(struct context *context)
{
    if (context == NULL || !is_asked() || atomic_exchange(&context->client.program_offers, true) ||
        !atomic_load(&context->client.hears_tickets))
        return;
    libssl.SSL_CTX_ctrl(context->ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
                        policy_real_mode(atomic_load(&context->mode)), NULL);
}

void clients_note_context_protocols(struct context *context, const unsigned char *protocols,
                                    unsigned int length)
{
    if (context != NULL)
        atomic_store(&context->client.protocols, terms_hash_protocols(protocols, length));
}

void clients_note_protocols(SSL *ssl, const unsigned char *protocols, unsigned int length)
{
    struct connection *connection = connection_make(ssl);
    if (connection != NULL)
        connection->protocols = terms_hash_protocols(protocols, length);
}

void clients_inherit(SSL *ssl, const struct context *context)
{
    uint64_t protocols = atomic_load(&context->client.protocols);
    struct connection *connection = protocols != 0 ? connection_make(ssl) : NULL;
    if (connection != NULL)
        connection->protocols = protocols;
}
