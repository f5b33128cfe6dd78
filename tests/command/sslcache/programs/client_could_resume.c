/* A client as one of FTP: a connection that stays open, and new ones to another port of its host. */
#include "handshake.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRANSFERS = 3 };

struct service {
    SSL_CTX *ctx;
    int socket;
    struct sockaddr_in name;
};

static void listen_on(struct service *service, SSL_CTX *ctx)
{
    socklen_t length = sizeof(service->name);
    service->ctx = ctx;
    service->name.sin_family = AF_INET;
    service->name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    service->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(service->socket, (struct sockaddr *)&service->name, length) != 0 ||
        listen(service->socket, 4) != 0 ||
        getsockname(service->socket, (struct sockaddr *)&service->name, &length) != 0)
        abort();
}

static SSL *attach(SSL_CTX *ctx, int descriptor)
{
    SSL *ssl = SSL_new(ctx);
    if (ssl == NULL || SSL_set_fd(ssl, descriptor) != 1)
        abort();
    return ssl;
}

/* One byte from the server, and the end that both wait for. */
static void finish(SSL *ssl)
{
    int descriptor = SSL_get_fd(ssl);
    if (SSL_shutdown(ssl) == 0)
        SSL_shutdown(ssl);
    SSL_free(ssl);
    close(descriptor);
}

static SSL *accept_one(struct service *service)
{
    SSL *ssl = attach(service->ctx, accept(service->socket, NULL, NULL));
    if (SSL_accept(ssl) != 1 || SSL_write(ssl, "h", 1) != 1)
        abort();
    return ssl;
}

static void *serve(void *argument)
{
    struct service *services = argument;
    SSL *control = accept_one(&services[0]);
    for (int i = 0; i < TRANSFERS; i++)
        finish(accept_one(&services[1]));
    finish(control);
    return NULL;
}

static SSL *connect_to(SSL_CTX *ctx, const struct service *service)
{
    char byte;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(descriptor, (const struct sockaddr *)&service->name, sizeof(service->name)) != 0)
        abort();
    SSL *ssl = attach(ctx, descriptor);
    if (SSL_connect(ssl) != 1 || SSL_read(ssl, &byte, 1) != 1)
        abort();
    return ssl;
}

int main(void)
{
    struct service services[2] = {{.socket = -1}, {.socket = -1}};
    SSL_CTX *client = client_context(), *server = server_context(TLS1_3_VERSION);
    pthread_t thread;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client), server_certificate);
    SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
    listen_on(&services[0], server);
    listen_on(&services[1], server);
    if (pthread_create(&thread, NULL, serve, services) != 0)
        abort();
    SSL *control = connect_to(client, &services[0]);
    for (int i = 0; i < TRANSFERS; i++)
        finish(connect_to(client, &services[1]));
    finish(control);
    pthread_join(thread, NULL);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
