/* A server whose cache is too small. */
#include "handshake.h"

int main(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_sess_set_cache_size(server, 2);
    for (int i = 0; i < 6; i++)
        revisit("visit", client, server, NULL);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
