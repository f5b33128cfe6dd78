/* Early data: a server that guards against replay lets each ticket resume once. */
#include "handshake.h"

static SSL_CTX *early_server(uint64_t options)
{
    SSL_CTX *server = server_context(TLS1_3_VERSION);
    SSL_CTX_set_options(server, options);
    SSL_CTX_set_max_early_data(server, 1024);
    SSL_CTX_set_recv_max_early_data(server, 1024);
    SSL_CTX_set_num_tickets(server, 1);
    return server;
}

/* A server that takes the early data in, as it comes. */
static void read_early(SSL *server)
{
    char bytes[16];
    size_t length = 0;
    int state = SSL_read_early_data(server, bytes, sizeof(bytes), &length);
    printf("  early data: state %d, %zu bytes\n", state, length);
}

static SSL_SESSION *call(const char *title, SSL_CTX *client, SSL_CTX *server, SSL_SESSION *offered)
{
    struct connection connection = open_connection(client, server, offered);
    size_t written = 0;
    if (offered != NULL) {
        int sent = SSL_write_early_data(connection.client, "early", 5, &written);
        printf("  sent %d, %zu bytes\n", sent, written);
        ERR_clear_error();
    }
    read_early(connection.server);
    greet(title, connection);
    SHOW(SSL_get_early_data_status(connection.server));
    SSL_SESSION *session = SSL_get1_session(connection.client);
    part(connection);
    return session;
}

static void visits(const char *title, uint64_t options, long mode, int with_callback)
{
    printf("-- %s, mode %lx, remove_cb %d\n", title, mode, with_callback);
    SSL_CTX *client = client_context(), *server = early_server(options);
    SSL_CTX_set_session_cache_mode(server, mode);
    if (with_callback)
        SSL_CTX_sess_set_remove_cb(server, note_removal);
    SSL_SESSION *session = call("first", client, server, NULL);
    show("first", server);
    /* The client marks what it used, so each visit offers a duplicate. */
    for (int i = 0; i < 3; i++) {
        SSL_SESSION *offered = SSL_SESSION_dup(session);
        SSL_SESSION_free(call("again", client, server, offered));
        SSL_SESSION_free(offered);
        show("again", server);
    }
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

/* Each visit brings the ticket for the next. */
static void a_chain_of_visits(void)
{
    printf("-- a chain\n");
    SSL_CTX *client = client_context(), *server = early_server(0);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    SSL_SESSION *session = call("first", client, server, NULL);
    for (int i = 0; i < 3; i++) {
        SSL_SESSION *next = call("next", client, server, session);
        SSL_SESSION_free(session);
        session = next;
        show("next", server);
    }
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

/* Two connections with one ticket, at the same time: one of them resumes. */
static void two_at_once(void)
{
    printf("-- two at once\n");
    SSL_CTX *client = client_context(), *server = early_server(0);
    SSL_SESSION *session = call("first", client, server, NULL);
    SSL_SESSION *twin = SSL_SESSION_dup(session);
    struct connection left = open_connection(client, server, session);
    struct connection right = open_connection(client, server, twin);
    SSL_do_handshake(left.client);
    SSL_do_handshake(right.client);
    SSL_do_handshake(left.server);
    SSL_do_handshake(right.server);
    greet("left", left);
    greet("right", right);
    part(left);
    part(right);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_SESSION_free(twin);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

int main(void)
{
    for (int with_callback = 0; with_callback < 2; with_callback++) {
        visits("guarded", 0, SSL_SESS_CACHE_SERVER, with_callback);
        visits("guarded, stateful", SSL_OP_NO_TICKET, SSL_SESS_CACHE_SERVER, with_callback);
        visits("unguarded", SSL_OP_NO_ANTI_REPLAY, SSL_SESS_CACHE_SERVER, with_callback);
        visits("unguarded, stateful", SSL_OP_NO_ANTI_REPLAY | SSL_OP_NO_TICKET,
               SSL_SESS_CACHE_SERVER, with_callback);
        visits("guarded, no store", 0, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
               with_callback);
        visits("guarded, no lookup", 0, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
               with_callback);
        visits("guarded, off", 0, SSL_SESS_CACHE_OFF, with_callback);
    }
    a_chain_of_visits();
    two_at_once();
    return 0;
}
