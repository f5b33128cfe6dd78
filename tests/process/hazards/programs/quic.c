/*
 * A QUIC server and its client, both in this process: three connections, of which two resume. With "elsewhere" the last
 * one goes to a second server that has the same certificate.
 */
#include "hazard.h"
#include <arpa/inet.h>
#include <openssl/quic.h>
#include <stdbool.h>
#include <sys/socket.h>

struct server {
    SSL_CTX *ctx;
    int file;
    struct sockaddr_in address;
};

static SSL_SESSION *saved;

static int select_protocol(SSL *ssl UNUSED, const unsigned char **chosen, unsigned char *length,
                           const unsigned char *offered, unsigned offered_length UNUSED,
                           void *argument UNUSED)
{
    *chosen = offered + 1;
    *length = offered[0];
    return SSL_TLSEXT_ERR_OK;
}

static int keep_session(SSL *ssl UNUSED, SSL_SESSION *session)
{
    SSL_SESSION_free(saved);
    saved = SSL_SESSION_dup(session);
    return 0;
}

static void ignore(SSL_CTX *ctx UNUSED, SSL_SESSION *session UNUSED)
{
}

static void *serve(void *argument)
{
    const struct server *server = argument;
    SSL *listener = SSL_new_listener(server->ctx, 0);
    if (listener == NULL || !SSL_set_fd(listener, server->file) || !SSL_listen(listener))
        abort();
    for (SSL *connection; (connection = SSL_accept_connection(listener, 0)) != NULL;) {
        char bytes[10];
        size_t length;
        if (SSL_read_ex(connection, bytes, sizeof(bytes), &length))
            SSL_write_ex(connection, "ok", 2, &length);
        while (SSL_read_ex(connection, bytes, sizeof(bytes), &length))
            continue;
        SSL_shutdown(connection);
        SSL_free(connection);
    }
    return NULL;
}

static int loopback(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int file = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(file, (struct sockaddr *)address, size) != 0 ||
        getsockname(file, (struct sockaddr *)address, &size) != 0)
        abort();
    return file;
}

static void visit_server(SSL_CTX *client, const struct server *server, int number)
{
    const struct sockaddr_in *address = &server->address;
    int file = socket(AF_INET, SOCK_DGRAM, 0);
    SSL *ssl = SSL_new(client);
    BIO_ADDR *peer = BIO_ADDR_new();
    size_t length;
    char bytes[10];
    SSL_set_fd(ssl, file);
    BIO_ADDR_rawmake(peer, AF_INET, &address->sin_addr, sizeof(address->sin_addr),
                     address->sin_port);
    SSL_set1_initial_peer_addr(ssl, peer);
    SSL_set_alpn_protos(ssl, (const unsigned char *)"\2hi", 3);
    if (saved != NULL)
        SSL_set_session(ssl, saved);
    if (SSL_connect(ssl) != 1)
        show_failure("client");
    SSL_write_ex(ssl, "hi", 2, &length);
    SSL_stream_conclude(ssl, 0);
    SSL_read_ex(ssl, bytes, sizeof(bytes), &length);
    for (int i = 0; i < 30; i++) {
        rest_ms(10);
        SSL_handle_events(ssl);
    }
    printf("connection %d: resumed %d; server: number %ld cb_hits %ld misses %ld hits %ld\n",
           number, SSL_session_reused(ssl), SSL_CTX_sess_number(server->ctx),
           SSL_CTX_sess_cb_hits(server->ctx), SSL_CTX_sess_misses(server->ctx),
           SSL_CTX_sess_hits(server->ctx));
    SSL_shutdown(ssl);
    SSL_free(ssl);
    BIO_ADDR_free(peer);
    close(file);
}

static void start_server(struct server *server, const char *way)
{
    server->file = loopback(&server->address);
    server->ctx = SSL_CTX_new(OSSL_QUIC_server_method());
    SSL_CTX_use_certificate(server->ctx, server_certificate);
    SSL_CTX_use_PrivateKey(server->ctx, server_key);
    SSL_CTX_set_alpn_select_cb(server->ctx, select_protocol, NULL);
    SSL_CTX_set_session_id_context(server->ctx, (const unsigned char *)"q", 1);
    if (strcmp(way, "stateful") == 0 || strcmp(way, "callback") == 0)
        SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    if (strcmp(way, "callback") == 0)
        SSL_CTX_sess_set_remove_cb(server->ctx, ignore);
    start_thread(serve, server);
}

int main(int count UNUSED, char **arguments)
{
    static struct server one, other;
    const char *way = arguments[1];
    bool goes_elsewhere = strcmp(way, "elsewhere") == 0;
    make_certificate();
    start_server(&one, way);
    if (goes_elsewhere)
        start_server(&other, way);
    SSL_CTX *client = SSL_CTX_new(OSSL_QUIC_client_method());
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, keep_session);
    for (int i = 0; i < 3; i++)
        visit_server(client, goes_elsewhere && i == 2 ? &other : &one, i);
    fflush(stdout);
    _exit(0);
}
