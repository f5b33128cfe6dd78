/*
 * memory.c - what processes that are forked from one another see of the memory store.
 *
 * usage: memory
 *
 * The sessions are made by the parent. Printed: whether a child resumes them, and who still does when one of the
 * two has removed them.
 */
#include "handshake.h"
#include <sys/wait.h>
#include <unistd.h>

static SSL_CTX *client;

static void in_child(void (*work)(SSL_CTX *server, SSL_SESSION *session), SSL_CTX *server,
                     SSL_SESSION *session)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work(server, session);
        fflush(stdout);
        _exit(0); /* what the parent has is no leak of ours */
    }
    waitpid(child, NULL, 0);
}

/* A context of its own, with nothing in its cache. */
static void resume_elsewhere(SSL_CTX *server, SSL_SESSION *session)
{
    SSL_CTX *fresh = stateful_context(SSL_SESSION_get_protocol_version(session));
    (void)server;
    revisit("elsewhere in a child", client, fresh, session);
    SSL_CTX_free(fresh);
}

/* The connection is broken off: libssl removes its session. */
static void break_in(SSL_CTX *server, SSL_SESSION *session)
{
    SSL_CTX *fresh = stateful_context(SSL_SESSION_get_protocol_version(session));
    struct connection connection = open_connection(client, fresh, session);
    (void)server;
    greet("resumed in a child and broken off", connection);
    SSL_SESSION *kept = SSL_get1_session(connection.server);
    break_off(connection);
    SSL_CTX_remove_session(fresh, kept);
    SSL_SESSION_free(kept);
    SSL_CTX_free(fresh);
}

static void try_version(const char *title, int version)
{
    printf("%s\n", title);
    SSL_CTX *server = stateful_context(version);
    SSL_SESSION *session = visit("first", client, server, NULL);
    in_child(resume_elsewhere, server, session);
    revisit("own cache", client, server, session);
    in_child(break_in, server, session);
    revisit("own cache after a child's removal", client, server, session);
    in_child(resume_elsewhere, server, session);

    SSL_SESSION *second = visit("second", client, server, NULL);
    struct connection connection = open_connection(client, server, second);
    greet("resumed", connection);
    SSL_SESSION *kept = SSL_get1_session(connection.server);
    part(connection);
    SSL_CTX_remove_session(server, kept);
    in_child(resume_elsewhere, server, second);
    SSL_SESSION_free(kept);
    SSL_SESSION_free(second);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

int main(void)
{
    client = client_context();
    try_version("TLS 1.2", TLS1_2_VERSION);
    SSL_CTX_free(client);
    return 0;
}
