/*
 * leak.c - a program that visits a server and keeps the session for the next visit, as many do. It
 * forgets to give back the session of the visit before. Server and client are in one process, and talk
 * through a pair of buffers. Built with -DFIXED it does give it back.
 */
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static SSL_SESSION *last; /* with a reference */

__attribute__((noinline)) void remember(SSL *client)
{
#ifdef FIXED
    SSL_SESSION_free(last);
#endif
    last = SSL_get1_session(client);
}

static SSL *end(SSL_CTX *ctx, BIO *wire)
{
    SSL *ssl = SSL_new(ctx);
    if (ssl == NULL)
        exit(1);
    SSL_set_bio(ssl, wire, wire);
    return ssl;
}

/* Answers whether the session of the visit before was resumed. */
static int visit(SSL_CTX *clients, SSL_CTX *servers)
{
    BIO *near, *far;
    if (!BIO_new_bio_pair(&near, 0, &far, 0))
        exit(1);
    SSL *client = end(clients, near), *server = end(servers, far);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    if (last != NULL)
        SSL_set_session(client, last);
    for (int round = 0; round < 10; round++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    remember(client);
    int resumed = SSL_session_reused(client);
    SSL_shutdown(client);
    SSL_shutdown(server);
    SSL_free(client);
    SSL_free(server);
    return resumed;
}

int main(void)
{
    SSL_CTX *clients = SSL_CTX_new(TLS_client_method()),
            *servers = SSL_CTX_new(TLS_server_method());
    if (clients == NULL || servers == NULL ||
        !SSL_CTX_set_max_proto_version(servers, TLS1_2_VERSION) ||
        SSL_CTX_use_certificate_file(servers, "certificate.pem", SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(servers, "key.pem", SSL_FILETYPE_PEM) != 1)
        return 1;
    SSL_CTX_set_options(servers, SSL_OP_NO_TICKET);
    int resumed = 0;
    for (int i = 0; i < 10; i++)
        resumed += visit(clients, servers);
    printf("%d of 10 visits resumed\n", resumed);
    fflush(
        stdout); /* also where it is a pipe: the report of sslcache run is written before the end */
    SSL_SESSION_free(last);
    SSL_CTX_free(clients);
    SSL_CTX_free(servers);
    return 0;
}
