/* A client that keeps the session of each connection and gives none back. */
#include "handshake.h"

__attribute__((noinline)) static void remember(SSL *ssl)
{
    SSL_get1_session(ssl);
}

int main(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    for (int i = 0; i < 3; i++) {
        struct connection connection = open_connection(client, server, NULL);
        greet("visit", connection);
        remember(connection.client);
        part(connection);
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
