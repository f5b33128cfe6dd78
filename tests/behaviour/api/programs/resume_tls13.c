/* TLS 1.3 with stateful tickets: SSL_OP_NO_TICKET puts the sessions into the server's cache. */
#include "handshake.h"

static SSL_CTX *noting_server(void)
{
    SSL_CTX *server = stateful_context(TLS1_3_VERSION);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    return server;
}

static void each_number_of_tickets(SSL_CTX *client)
{
    for (size_t tickets = 0; tickets <= 3; tickets++) {
        SSL_CTX *server = noting_server();
        printf("-- tickets %zu\n", tickets);
        SSL_CTX_set_num_tickets(server, tickets);
        SSL_SESSION *session = visit("first", client, server, NULL);
        show("first", server);
        for (int i = 0; i < 2; i++) {
            revisit("again", client, server, session);
            show("again", server);
        }
        show_counters("server", server);
        SSL_SESSION_free(session);
        DO(NULL, SSL_CTX_free(server));
    }
}

static void a_chain_of_visits(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_SESSION *session = visit("first", client, server, NULL);
    for (int i = 0; i < 5; i++) {
        SSL_SESSION *next = visit("next", client, server, session);
        SSL_SESSION_free(session);
        session = next;
        show("next", server);
    }
    show_counters("server", server);
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
}

static void a_flushed_session_does_not_resume(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_SESSION *session = visit("first", client, server, NULL);
    DO(server, SSL_CTX_flush_sessions(server, 0));
    revisit("after the flush", client, server, session);
    show_counters("server", server);
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
}

static SSL_SESSION *stored[8];
static int stored_count;

static int keep(SSL *ssl UNUSED, SSL_SESSION *session)
{
    printf("  new_cb %s\n", name_of(session));
    if (stored_count == 8)
        return 0;
    stored[stored_count++] = session;
    return 1;
}

static void forget(void)
{
    while (stored_count > 0)
        SSL_SESSION_free(stored[--stored_count]);
}

/* In TLS 1.3 an expired session is refused and stays inside. */
static void an_expired_session_stays(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_CTX_sess_set_new_cb(server, keep);
    SSL_SESSION *session = visit("first", client, server, NULL);
    for (int i = 0; i < stored_count; i++)
        SSL_SESSION_set_time(stored[i], 1000);
    revisit("too late", client, server, session);
    show("too late", server);
    show_counters("server", server);
    DO(server, forget());
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
}

/* All tickets of a connection but the last live on when it breaks. */
static void removed_one_by_one(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_CTX_sess_set_new_cb(server, keep);
    SSL_SESSION *session = visit("first", client, server, NULL);
    for (int i = 0; i < stored_count; i++) {
        STEP(server, SSL_CTX_remove_session(server, stored[i]));
        struct connection connection = open_connection(client, server, session);
        greet("again", connection);
        part(connection);
        SSL_CTX_flush_sessions(server, 1);
    }
    show_counters("server", server);
    DO(server, forget());
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
}

/* A client offers its random compatibility id: to a TLS 1.2 server that is a miss. */
static void versions_are_kept_apart(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_CTX_set_min_proto_version(server, TLS1_2_VERSION);
    SSL_SESSION *modern = visit("1.3", client, server, NULL);
    SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
    SSL_SESSION *classic = visit("1.2", client, server, NULL);
    revisit("the session of 1.3 with 1.2", client, server, modern);
    revisit("the session of 1.2 with 1.2", client, server, classic);
    SSL_CTX_set_max_proto_version(server, TLS1_3_VERSION);
    revisit("the session of 1.2 with 1.3", client, server, classic);
    revisit("the session of 1.3 with 1.3", client, server, modern);
    show_counters("server", server);
    SSL_SESSION_free(modern);
    SSL_SESSION_free(classic);
    DO(NULL, SSL_CTX_free(server));
}

int main(void)
{
    SSL_CTX *client = client_context();
    each_number_of_tickets(client);
    a_chain_of_visits(client);
    a_flushed_session_does_not_resume(client);
    an_expired_session_stays(client);
    removed_one_by_one(client);
    versions_are_kept_apart(client);
    show_counters("client", client);
    SSL_CTX_free(client);
    show("end", NULL);
    return 0;
}
