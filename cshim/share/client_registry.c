#define _GNU_SOURCE
#include "cshim/share/client_registry.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cshim/share/chain.h"

static _Atomic(struct registry *) registry;

struct registry *registry_of_process(void)
{
    struct registry *current = atomic_load(&registry);
    return current != NULL && current->process == getpid() ? current : NULL;
}

struct registry *registry_make(void)
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

/* ---- the list; its lock is held ---- */

void registry_link(struct registry *current, struct client *client)
{
    client->registry = current;
    client->next = current->first;
    if (current->first != NULL)
        current->first->previous = client;
    current->first = client;
}

void registry_unlink(struct client *client)
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

void registry_drop_sessions(struct client *client, struct leaving *leaving)
{
    while (client->count > 0)
        drop_oldest(client, leaving);
}

void registry_keep_session(struct client *client, SSL_SESSION *session, struct leaving *leaving)
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
 * A reference to the session to be offered next, or NULL. Each ticket is offered once, but the last one again and
 * again: there may come no other, and servers that want data connections to resume accept it.
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

void registry_let_go(struct leaving *leaving)
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

void registry_note_refused(struct registry *current, const struct endpoint *server)
{
    if (!is_refused(current, server))
        current->refused[current->refused_count++] = *server;
}

void registry_note_served(struct registry *current, const struct endpoint *server)
{
    for (struct client *client = current->first; client != NULL; client = client->next)
        if (client->has_refused && endpoint_is_same(&client->server, server))
            client->has_refused = false;
}

void registry_settle_refusal(struct client *client)
{
    if (client->has_refused)
        registry_note_refused(client->registry, &client->server);
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
    if (!clients_are_offered_sessions())
        return OBSTACLE_NOT_ASKED;
    return open->count == 0 ? OBSTACLE_NO_SESSION : CAUSE_NONE;
}

/*
 * Whether a server of FTP may have this port for data: not one of another service, unless it is that below its own (20,
 * 989).
 */
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
 * Which of two is likelier to be the control connection: one that is no data connection itself, then one of this
 * thread, then the one that has heard of its server last, since a program asks for a data connection just before it
 * makes it.
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

struct choice registry_choose(struct registry *current, struct client *client)
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
    registry_link(current, client);
    lock_release(&current->lock, LOCK_CLIENTS);
    registry_let_go(&leaving);
    return choice;
}

/* ---- what was offered ---- */

bool registry_has_offered(struct registry *current, const SSL_SESSION *session)
{
    lock_take(&current->lock, LOCK_CLIENTS);
    struct client *client = current->first;
    while (client != NULL && client->offered != session)
        client = client->next;
    lock_release(&current->lock, LOCK_CLIENTS);
    return client != NULL;
}
