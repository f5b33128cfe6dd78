/* The session id context: a session is for those who have the same one. */
#include "handshake.h"

static int accept_any(int verified UNUSED, X509_STORE_CTX *store UNUSED)
{
    return 1;
}

static void set_context(SSL_CTX *server, const char *name)
{
    SSL_CTX_set_session_id_context(server, (const unsigned char *)name, (unsigned)strlen(name));
}

static void another_context(int version)
{
    printf("-- another context, version %x\n", version);
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    SSL_SESSION *session = visit("first", client, server, NULL);
    set_context(server, "other");
    SSL_SESSION *duplicate = SSL_SESSION_dup(session);
    revisit("another", client, server, duplicate);
    SSL_SESSION_free(duplicate);
    show("another", server);
    set_context(server, "tests");
    revisit("the first one", client, server, session);
    show("the first one", server);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

/* A server that verifies its clients and has no context stores nothing and fails on resumption. */
static void no_context(int version)
{
    printf("-- no context, version %x\n", version);
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    set_context(server, "");
    SSL_SESSION *session = visit("first", client, server, NULL);
    show("first", server);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, accept_any);
    SSL_SESSION *duplicate = SSL_SESSION_dup(session);
    revisit("verifying", client, server, duplicate);
    SSL_SESSION_free(duplicate);
    show("verifying", server);
    revisit("a stranger", client, server, NULL);
    show("a stranger", server);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

int main(void)
{
    another_context(TLS1_2_VERSION);
    another_context(TLS1_3_VERSION);
    no_context(TLS1_2_VERSION);
    no_context(TLS1_3_VERSION);
    return 0;
}
