/* A module that brings the libssl along that it was linked with. */
#include "tenant.h"

void use_tls(const char *name);

static SSL_CTX *client, *server;

static int refuse_nothing(SSL *ssl, unsigned char *id, unsigned *length)
{
    memset(id, 'm', *length);
    id[1] = (unsigned char)SSL_has_matching_session_id(ssl, id, *length);
    return 1;
}

void use_tls(const char *name)
{
    if (server == NULL) {
        client = client_context();
        server = tenant_server(name);
        SSL_CTX_set_generate_session_id(server, refuse_nothing);
    }
    live(name, client, server);
    SSL_CTX_flush_sessions(server, 0);
}
