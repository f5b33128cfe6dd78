/* A server that resumes by tickets, so that its cache is of no use. */
#include "handshake.h"

int main(void)
{
    SSL_CTX *client = client_context(), *server = server_context(TLS1_3_VERSION);
    SSL_SESSION *session = visit("first", client, server, NULL);
    for (int i = 0; i < 6; i++) {
        SSL_SESSION *next = visit("again", client, server, session);
        SSL_SESSION_free(session);
        session = next;
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
