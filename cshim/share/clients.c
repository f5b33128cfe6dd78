#define _GNU_SOURCE
#include "cshim/share/clients.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "cshim/context/policy.h"
#include "cshim/process/lock_order.h"
#include "cshim/share/chain.h"
#include "cshim/share/client_registry.h"
#include "cshim/share/endpoint.h"
#include "cshim/share/terms.h"

static struct client *client_of(const SSL *ssl)
{
    const struct connection *connection = connection_of(ssl);
    return connection != NULL ? connection->client : NULL;
}

/* ---- offering it ---- */

/*
 * libssl may drop the session that a connection resumes, or mark it. So the connection gets a copy, which allows no
 * early data.
 */
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
    client->offered = copy; /* before SSL_set_session, in which libssl may call remove_cb for it */
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
    struct choice choice = registry_choose(current, client);
    if (choice.session != NULL && !offer(ssl, client, &choice) && client->offered != NULL)
        withdraw(client);
    libssl.SSL_SESSION_free(choice.session);
    chain_free(choice.chain);
}

/* ---- the life of a connection ---- */

/* Whether it is of this process, and we have not seen the end of its handshake yet. */
static bool is_shaking(const struct client *client)
{
    return client != NULL && client->registry != NULL &&
           client->registry == registry_of_process() && client->phase == SHAKING;
}

/* Whether it is a connection over a TCP socket whose handshake begins now. */
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
    registry_link(current, client);
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

/* From now on libssl calls our new_cb for the tickets of clients too. The program's is called only if it asked for that. */
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
    } while (mode != atomic_load(&context->mode)); /* the program has set another mode meanwhile */
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
        registry_note_served(current, &client->server);
}

/* Its own copy of a session that is known when the handshake is done: in TLS 1.3 tickets come later. */
static SSL_SESSION *first_session(SSL *ssl, const struct client *client)
{
    SSL_SESSION *session = libssl.SSL_get_session(ssl);
    bool is_known = session != NULL && client->count == 0 && clients_are_offered_sessions() &&
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
        registry_keep_session(client, session, &leaving);
    if (obstacle != CAUSE_NONE)
        registry_drop_sessions(client, &leaving);
    note_outcome(client, is_reused);
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    registry_let_go(&leaving);
    withdraw(client);
    if (obstacle == CAUSE_NONE && clients_are_offered_sessions())
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
        registry_note_refused(client->registry, &client->server);
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
    registry_settle_refusal(client);
    registry_drop_sessions(client, &leaving);
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    registry_let_go(&leaving);
}

void clients_clear(SSL *ssl)
{
    struct client *client = ssl != NULL ? client_of(ssl) : NULL;
    /* libssl itself clears an SSL at the beginning of its handshake, before anything is sent: that is no end. */
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
        registry_settle_refusal(client);
        registry_unlink(client);
        lock_release(&current->lock, LOCK_CLIENTS);
    }
    struct leaving leaving = {.count = 0};
    registry_drop_sessions(client, &leaving);
    registry_let_go(&leaving);
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
    registry_keep_session(client, copy, &leaving);
    lock_release(&client->registry->lock, LOCK_CLIENTS);
    registry_let_go(&leaving);
}

bool clients_take_ticket(struct context *context, SSL *ssl, SSL_SESSION *session)
{
    if (!clients_are_offered_sessions())
        return false;
    struct client *client = client_of(ssl);
    if (client != NULL)
        take_ticket(ssl, client, session);
    return is_called_for_us(context) && !libssl.SSL_is_server(ssl);
}

bool clients_have_offered(struct context *context, const SSL_SESSION *session)
{
    if (!clients_are_offered_sessions() || !is_called_for_us(context))
        return false;
    struct registry *current = registry_of_process();
    return current != NULL && registry_has_offered(current, session);
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
 * With SSL_SESS_CACHE_CLIENT, which we have set, libssl marks the session that a client resumes as not resumable: the
 * program could not offer its own again.
 */
void clients_stop_offering(struct context *context)
{
    if (context == NULL || !clients_are_offered_sessions() ||
        atomic_exchange(&context->client.program_offers, true) ||
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
