/* Clients come with the tickets of a server that has ended. */
#include "handshake.h"

int main(void)
{
    SSL_CTX *client = client_context(), *server = server_context(TLS1_3_VERSION);
    SSL_SESSION *session = visit("first", client, server, NULL);
    SSL_CTX_free(server);
    server = server_context(TLS1_3_VERSION);
    for (int i = 0; i < 4; i++)
        revisit("again", client, server, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
