/* A server that asks for a client certificate and has no session id context. */
#include "handshake.h"

static int accept_any(int verified UNUSED, X509_STORE_CTX *store UNUSED)
{
    return 1;
}

int main(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_set_session_id_context(server, (const unsigned char *)"", 0);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, accept_any);
    revisit("visit", client, server, NULL);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
