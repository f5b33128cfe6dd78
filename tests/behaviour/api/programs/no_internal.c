/* NO_INTERNAL_STORE and NO_INTERNAL_LOOKUP: the program fills and asks the cache by hand. */
#include "handshake.h"

static SSL_SESSION *fresh; /* the last one that new_cb saw */

static int on_new(SSL *ssl UNUSED, SSL_SESSION *session)
{
    printf("  new_cb %s\n", name_of(session));
    SSL_SESSION_free(fresh);
    fresh = session;
    return 1;
}

static SSL_CTX *server_with(int version, long mode)
{
    SSL_CTX *server = stateful_context(version);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | mode);
    SSL_CTX_sess_set_new_cb(server, on_new);
    return server;
}

static void release(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *session)
{
    SSL_SESSION_free(session);
    SSL_SESSION_free(fresh);
    fresh = NULL;
    show_counters("server", server);
    show_counters("client", client);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

/* As the manual page puts it: nothing gets in by itself, and what the program adds is searched. */
static void no_store(int version)
{
    printf("-- no store, version %x\n", version);
    SSL_CTX *client = client_context();
    SSL_CTX *server = server_with(version, SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_SESSION *session = visit("first", client, server, NULL);
    show("first", server);
    revisit("not stored", client, server, session);
    SSL_SESSION_free(session);
    session = visit("anew", client, server, NULL);
    STEP(server, SSL_CTX_add_session(server, fresh));
    revisit("added", client, server, session);
    show("resumed", server);
    release(client, server, session);
}

static void no_lookup(int version)
{
    printf("-- no lookup, version %x\n", version);
    SSL_CTX *client = client_context();
    SSL_CTX *server = server_with(version, SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    SSL_SESSION *session = visit("first", client, server, NULL);
    show("first", server);
    revisit("not searched", client, server, session);
    show("not searched", server);
    STEP(server, SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER));
    revisit("searched", client, server, session);
    release(client, server, session);
}

static void neither(int version)
{
    printf("-- neither, version %x\n", version);
    SSL_CTX *client = client_context();
    SSL_CTX *server = server_with(version, SSL_SESS_CACHE_NO_INTERNAL);
    SSL_SESSION *session = visit("first", client, server, NULL);
    STEP(server, SSL_CTX_add_session(server, fresh));
    revisit("not searched", client, server, session);
    show("not searched", server);
    release(client, server, session);
}

int main(void)
{
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (int i = 0; i < 2; i++) {
        no_store(versions[i]);
        no_lookup(versions[i]);
        neither(versions[i]);
    }
    return 0;
}
