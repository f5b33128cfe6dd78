/* A second handshake on the same connection: looked up and counted like the first. */
#include "handshake.h"

static void renegotiate(const char *title, struct connection connection, int abbreviated)
{
    printf("%s: begun %d\n", title,
           abbreviated ? SSL_renegotiate_abbreviated(connection.client)
                       : SSL_renegotiate(connection.client));
    char byte;
    int client = SSL_do_handshake(connection.client);
    for (int round = 0; round < 10 && client != 1; round++) {
        SSL_read(connection.server, &byte, 1);
        client = SSL_do_handshake(connection.client);
    }
    SSL_read(connection.server, &byte, 1);
    printf("%s: done %d resumed %d\n", title, client, SSL_session_reused(connection.client));
    ERR_clear_error();
}

static void visits(uint64_t options)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_set_options(server, options);
#ifdef SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    SSL_CTX_set_options(server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
#endif
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    struct connection connection = open_connection(client, server, NULL);
    greet("first", connection);
    renegotiate("full", connection, 0);
    show("full", server);
    renegotiate("abbreviated", connection, 1);
    show("abbreviated", server);
    show_counters("server", server);
    show_counters("client", client);
    part(connection);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

int main(void)
{
    visits(0);
    visits(SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
    return 0;
}
