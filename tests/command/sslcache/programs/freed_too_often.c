/* A server that frees what SSL_get_session gave it. It ends before libssl touches the session again. */
#include "handshake.h"

int main(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    struct connection connection = open_connection(client, server, NULL);
    greet("visit", connection);
    SSL_SESSION_free(SSL_get_session(connection.server));
    return 0;
}
