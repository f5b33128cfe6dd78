/*
 * handshakes.c - handshakes of one thread, both ends in one process over memory BIOs.
 *
 * usage: handshakes VERSION full|resumed COUNT
 *
 * VERSION is 1.2 or 1.3. The server resumes by session id or by stateful ticket. resumed: COUNT
 * connections, each with the session that the connection 64 before it left; so where the process's own
 * cache is small they are all in the store. Printed: handshakes a second, how many resumed, the bytes of
 * a serialised session.
 */
#include "handshake.h"
#include <time.h>

enum { CLIENTS = 64 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One connection. The caller has the session's reference; *resumed is counted up. */
static SSL_SESSION *connect_once(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *offered,
                                 int *resumed)
{
    struct connection connection = open_connection(client, server, offered);
    if (!handshake(connection) || !say_hello(connection))
        abort();
    *resumed += SSL_session_reused(connection.server);
    SSL_SESSION *session = SSL_get1_session(connection.client);
    part(connection);
    return session;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int version = strcmp(argv[1], "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    int is_resumed = strcmp(argv[2], "resumed") == 0, count = atoi(argv[3]), resumed = 0;
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_SESSION *sessions[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        sessions[i] = connect_once(client, server, NULL, &resumed);

    double begun = seconds();
    for (int i = 0; i < count; i++) {
        SSL_SESSION **session = &sessions[i % CLIENTS];
        SSL_SESSION *next = connect_once(client, server, is_resumed ? *session : NULL, &resumed);
        SSL_SESSION_free(*session);
        *session = next;
    }
    double took = seconds() - begun;
    printf("%.1f %d %d\n", count / took, resumed, i2d_SSL_SESSION(sessions[0], NULL));
    for (int i = 0; i < CLIENTS; i++)
        SSL_SESSION_free(sessions[i]);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
