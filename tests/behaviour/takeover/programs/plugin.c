/* A module that uses TLS, for a program that does not. */
#include "handshake.h"

#include "real_libssl.h"

void run_plugin(void);

void run_plugin(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = visit("first visit", client, server, NULL);
    revisit("second visit", client, server, session);
    printf("held %ld, by libssl %ld\n", SSL_CTX_sess_number(server), held_by_libssl(server));
    SSL_CTX_flush_sessions(server, 0);
    revisit("third visit", client, server, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}
