/* A server that adds by hand what libssl has stored. */
#include "handshake.h"

int main(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    struct connection connection = open_connection(client, server, NULL);
    greet("visit", connection);
    SSL_CTX_add_session(server, SSL_get_session(connection.server));
    part(connection);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
