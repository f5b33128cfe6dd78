/* What is done with the sessions of a server. Arguments: its version, its cache mode, 1 for tickets. */
#include "handshake.h"

static SSL_SESSION *external;

static int keep(SSL *ssl UNUSED, SSL_SESSION *session)
{
    SSL_SESSION_free(external);
    external = session;
    return 1;
}

static SSL_SESSION *find(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED,
                         int *copy)
{
    *copy = 1;
    return external;
}

static void fill(SSL_CTX *ctx)
{
    for (int i = 0; i < 10; i++) {
        char name[8];
        snprintf(name, sizeof(name), "s%d", i);
        SSL_SESSION *session = simple_session(name, 1000000000, 2000000000);
        SSL_CTX_add_session(ctx, session);
        if (i == 0)
            printf("timeout of an added session: %ld\n", SSL_SESSION_get_timeout(session));
        SSL_SESSION_set_timeout(session, 1999999999);
        if (i == 0)
            printf("and set again: %ld\n", SSL_SESSION_get_timeout(session));
        SSL_SESSION_free(session);
    }
    printf("of ten sessions: %ld\n", SSL_CTX_sess_number(ctx));
}

/* The program takes the option back from one connection. */
static void clear_option(SSL_CTX *client, SSL_CTX *server)
{
    long before = SSL_CTX_sess_number(server);
    struct connection connection = open_connection(client, server, NULL);
    SSL_clear_options(connection.server, SSL_OP_NO_TICKET);
    handshake(connection);
    printf("stored after the option was cleared: %d\n", SSL_CTX_sess_number(server) > before);
    part(connection);
}

int main(int count UNUSED, char **arguments)
{
    int version = atoi(arguments[1]);
    SSL_CTX *client = client_context(), *server = server_context(version);
    SSL_CTX_set_session_cache_mode(server, atoi(arguments[2]));
    SSL_CTX_set_timeout(server, 4321);
    if (atoi(arguments[3]))
        SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
    else
        SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
    SSL_SESSION *session = visit("first", client, server, NULL);
    printf("timeout %ld ticket of %s\n", SSL_SESSION_get_timeout(session),
           version == TLS1_2_VERSION ? (SSL_SESSION_has_ticket(session) ? "some" : "none") : "1.3");
    revisit("second", client, server, session);
    SSL_SESSION_free(session);
    printf("held %ld\n", SSL_CTX_sess_number(server));

    clear_option(client, server);
    SSL_CTX_set_session_cache_mode(server, atoi(arguments[2]) | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(server, keep);
    SSL_CTX_sess_set_get_cb(server, find);
    session = visit("with an external cache", client, server, NULL);
    revisit("out of it", client, server, session);
    SSL_SESSION_free(session);
    printf("kept outside: %d, found: %ld\n", external != NULL, SSL_CTX_sess_cb_hits(server));
    SSL_CTX_flush_sessions(server, 0);
    fill(server);
    SSL_SESSION_free(external);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
