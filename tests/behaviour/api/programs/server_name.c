/* SNI: the handshake moves to another context, its sessions stay with the first. */
#include "handshake.h"

static SSL_CTX *named_context; /* where servername_cb or client_hello_cb moves the connection */

static int on_name(SSL *ssl, int *alert UNUSED, void *argument UNUSED)
{
    return SSL_set_SSL_CTX(ssl, named_context) == named_context ? SSL_TLSEXT_ERR_OK
                                                                : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_hello(SSL *ssl, int *alert UNUSED, void *argument UNUSED)
{
    return SSL_set_SSL_CTX(ssl, named_context) == named_context ? SSL_CLIENT_HELLO_SUCCESS
                                                                : SSL_CLIENT_HELLO_ERROR;
}

static int tell(SSL *ssl, SSL_SESSION *session)
{
    printf("  new_cb %s, the context is the %s\n", name_of(session),
           SSL_get_SSL_CTX(ssl) == named_context ? "named one" : "first");
    return 0;
}

static int tell_of_the_named(SSL *ssl UNUSED, SSL_SESSION *session)
{
    printf("  new_cb of the named context, %s\n", name_of(session));
    return 0;
}

static SSL_SESSION *ask(SSL *ssl, const unsigned char *id UNUSED, int length, int *copy UNUSED)
{
    printf("  get_cb, id of %d bytes, the context is the %s\n", length,
           SSL_get_SSL_CTX(ssl) == named_context ? "named one" : "first");
    return NULL;
}

static SSL_SESSION *call(const char *title, SSL_CTX *client, SSL_CTX *server, SSL_SESSION *offered)
{
    struct connection connection = open_connection(client, server, offered);
    SSL_set_tlsext_host_name(connection.client, "named");
    greet(title, connection);
    SSL_SESSION *session = SSL_get1_session(connection.client);
    part(connection);
    return session;
}

static void visits(int version, int by_hello, long first_mode, long named_mode)
{
    printf("-- version %x, by %s, modes %lx %lx\n", version, by_hello ? "client_hello_cb" : "name",
           first_mode, named_mode);
    SSL_CTX *client = client_context();
    SSL_CTX *first = stateful_context(version);
    named_context = stateful_context(version);
    SSL_CTX_set_session_cache_mode(first, first_mode);
    SSL_CTX_set_session_cache_mode(named_context, named_mode);
    SSL_CTX_sess_set_new_cb(first, tell);
    SSL_CTX_sess_set_get_cb(first, ask);
    SSL_CTX_sess_set_remove_cb(first, note_removal);
    SSL_CTX_sess_set_new_cb(named_context, tell_of_the_named);
    if (by_hello)
        SSL_CTX_set_client_hello_cb(first, on_hello, NULL);
    else
        SSL_CTX_set_tlsext_servername_callback(first, on_name);
    SSL_SESSION *session = call("first", client, first, NULL);
    show("first", first);
    SSL_SESSION *next = call("second", client, first, session);
    show("second", first);
    SSL_SESSION *direct = call("at the named context", client, named_context, next);
    show_counters("first context", first);
    show_counters("named context", named_context);
    SSL_SESSION_free(session);
    SSL_SESSION_free(next);
    SSL_SESSION_free(direct);
    SSL_CTX_free(client);
    DO(first, SSL_CTX_free(named_context));
    DO(NULL, SSL_CTX_free(first));
}

int main(void)
{
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (int version = 0; version < 2; version++) {
        for (int by_hello = 0; by_hello < 2; by_hello++) {
            visits(versions[version], by_hello, SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER);
            visits(versions[version], by_hello, SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_OFF);
            visits(versions[version], by_hello, SSL_SESS_CACHE_OFF, SSL_SESS_CACHE_SERVER);
        }
    }
    return 0;
}
