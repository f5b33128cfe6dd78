/* Every 255 good handshakes the cache is rid of what has expired, if it may be. */
#include "handshake.h"

#define HANDSHAKES 300

static int flushed_at, handshakes;

static void note_when(SSL_CTX *ctx, SSL_SESSION *session)
{
    if (strcmp(name_of(session), "expired") == 0)
        flushed_at = handshakes;
    printf("  removed %s in handshake %d, held %ld\n", name_of(session), handshakes,
           SSL_CTX_sess_number(ctx));
}

static void visits(int version, long mode, int on_client)
{
    printf("-- version %x mode %lx on the %s\n", version, mode, on_client ? "client" : "server");
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_CTX *watched = on_client ? client : server;
    SSL_CTX_set_num_tickets(server, 1);
    SSL_CTX_set_session_cache_mode(watched, mode);
    SSL_CTX_sess_set_remove_cb(watched, note_when);
    SSL_SESSION *expired = simple_session("expired", 1000, 10);
    SSL_SESSION *endless = simple_session("endless", 1000, 1L << 40);
    SSL_CTX_add_session(watched, expired);
    SSL_CTX_add_session(watched, endless);
    SSL_SESSION_free(expired);
    SSL_SESSION_free(endless);
    flushed_at = 0;
    for (handshakes = 1; handshakes <= HANDSHAKES && flushed_at == 0; handshakes++) {
        struct connection connection = open_connection(client, server, NULL);
        if (!handshake(connection) || !say_hello(connection))
            abort();
        part(connection);
    }
    printf("flushed in handshake %d\n", flushed_at);
    show_counters("watched", watched);
    SSL_CTX_sess_set_remove_cb(watched, NULL);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    show("freed", NULL);
}

int main(void)
{
    visits(TLS1_2_VERSION, SSL_SESS_CACHE_SERVER, 0);
    visits(TLS1_3_VERSION, SSL_SESS_CACHE_SERVER, 0);
    visits(TLS1_2_VERSION, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR, 0);
    visits(TLS1_2_VERSION, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, 0);
    visits(TLS1_2_VERSION, SSL_SESS_CACHE_CLIENT, 1);
    visits(TLS1_3_VERSION, SSL_SESS_CACHE_CLIENT, 1);
    return 0;
}
