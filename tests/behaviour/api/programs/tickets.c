/* Tickets that hold the session themselves: what the cache stores beside them, and what is told. */
#include "handshake.h"

static int tell(SSL *ssl, SSL_SESSION *session)
{
    unsigned length;
    SSL_SESSION_get_id(session, &length);
    printf("  new_cb %s: id of %u bytes, ticket %d, on a %s, held %ld\n", name_of(session), length,
           SSL_SESSION_has_ticket(session), SSL_is_server(ssl) ? "server" : "client",
           SSL_CTX_sess_number(SSL_get_SSL_CTX(ssl)));
    return 0;
}

static void visits(const char *title, SSL_CTX *client, SSL_CTX *server)
{
    printf("-- %s\n", title);
    SSL_SESSION *session = visit("first", client, server, NULL);
    show("first", server);
    SSL_SESSION *next = visit("second", client, server, session);
    show("second", server);
    revisit("third", client, server, next);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_SESSION_free(next);
    SSL_CTX_free(server);
    show("freed", NULL);
}

static void with_every_callback(int version)
{
    SSL_CTX *client = client_context();
    SSL_CTX *server = server_context(version);
    visits("no callback", client, server);

    server = server_context(version);
    SSL_CTX_sess_set_new_cb(server, tell);
    visits("new_cb", client, server);

    server = server_context(version);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    visits("remove_cb", client, server);

    server = server_context(version);
    SSL_CTX_sess_set_new_cb(server, tell);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    SSL_CTX_set_session_cache_mode(server,
                                   SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    visits("both, nothing stored", client, server);

    server = server_context(version);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    SSL_CTX_sess_set_remove_cb(server, NULL);
    visits("remove_cb set and unset", client, server);

    server = server_context(version);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(server, tell);
    visits("cache off", client, server);
    show_counters("client", client);
    SSL_CTX_free(client);
}

int main(void)
{
    with_every_callback(TLS1_2_VERSION);
    with_every_callback(TLS1_3_VERSION);
    show("end", NULL);
    return 0;
}
