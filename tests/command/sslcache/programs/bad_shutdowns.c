/* A server that frees its connections without a close-notify alert. */
#include "handshake.h"

int main(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    for (int i = 0; i < 4; i++) {
        struct connection connection = open_connection(client, server, NULL);
        greet("visit", connection);
        break_off(connection);
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
