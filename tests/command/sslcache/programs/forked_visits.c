/* Eleven visits, and one more in each of four children, one after the other: both ends are in one process. */
#include <sys/wait.h>
#include <unistd.h>

#include "handshake.h"

static SSL_SESSION *quiet_visit(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *offered)
{
    struct connection connection = open_connection(client, server, offered);
    if (!handshake(connection) || !say_hello(connection))
        abort();
    SSL_SESSION *session = SSL_get1_session(connection.client);
    part(connection);
    SSL_SESSION_free(offered);
    return session;
}

int main(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 11; i++)
        session = quiet_visit(client, server, session);
    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            SSL_SESSION_free(quiet_visit(client, server, session));
            SSL_CTX_free(client);
            SSL_CTX_free(server);
            return 0;
        }
        if (wait(NULL) < 0)
            abort();
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
