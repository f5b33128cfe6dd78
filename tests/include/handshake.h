/*
 * handshake.h - real handshakes inside one process, over a pair of memory BIOs.
 *
 * With the functions of OpenSSL 1.1.1 only, so that a program serves every libssl.
 */
#ifndef TESTS_HANDSHAKE_H
#define TESTS_HANDSHAKE_H

#include "session.h"
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

struct connection {
    SSL *client;
    SSL *server;
};

/* One key and one certificate for all contexts of the program. */
static EVP_PKEY *server_key;
static X509 *server_certificate;

static void release_certificate(void)
{
    X509_free(server_certificate);
    EVP_PKEY_free(server_key);
}

static void make_certificate(void)
{
    EVP_PKEY_CTX *generator = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    if (generator == NULL || EVP_PKEY_keygen_init(generator) <= 0 ||
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator, NID_X9_62_prime256v1) <= 0 ||
        EVP_PKEY_keygen(generator, &server_key) <= 0)
        abort();
    EVP_PKEY_CTX_free(generator);
    X509_NAME *name = X509_NAME_new();
    server_certificate = X509_new();
    if (name == NULL || server_certificate == NULL ||
        !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
                                    -1, -1, 0))
        abort();
    ASN1_INTEGER_set(X509_get_serialNumber(server_certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(server_certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(server_certificate), 3600);
    if (!X509_set_subject_name(server_certificate, name) ||
        !X509_set_issuer_name(server_certificate, name) ||
        !X509_set_pubkey(server_certificate, server_key) ||
        X509_sign(server_certificate, server_key, EVP_sha256()) <= 0)
        abort();
    X509_NAME_free(name);
    atexit(release_certificate);
}

/* A server of that one protocol version, with a session id context. */
UNUSED static SSL_CTX *server_context(int version)
{
    if (server_key == NULL)
        make_certificate();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL || !SSL_CTX_set_min_proto_version(ctx, version) ||
        !SSL_CTX_set_max_proto_version(ctx, version) ||
        SSL_CTX_use_certificate(ctx, server_certificate) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, server_key) != 1 ||
        !SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"tests", 5))
        abort();
    return ctx;
}

/* A server that keeps its sessions in its cache: no tickets but stateful ones. */
UNUSED static SSL_CTX *stateful_context(int version)
{
    SSL_CTX *ctx = server_context(version);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

UNUSED static SSL_CTX *client_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL)
        abort();
    return ctx;
}

/* Two ends that know each other and have not spoken yet. offered: the client's session, or NULL. */
static struct connection open_connection(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *offered)
{
    struct connection connection = {SSL_new(client), SSL_new(server)};
    BIO *near, *far;
    if (connection.client == NULL || connection.server == NULL ||
        !BIO_new_bio_pair(&near, 65536, &far, 65536))
        abort();
    SSL_set_bio(connection.client, near, near);
    SSL_set_bio(connection.server, far, far);
    SSL_set_connect_state(connection.client);
    SSL_set_accept_state(connection.server);
    if (offered != NULL && !SSL_set_session(connection.client, offered))
        abort();
    return connection;
}

/* 1: goes on, 0: done, -1: failed. */
static int advance(SSL *ssl)
{
    int result = SSL_do_handshake(ssl);
    if (result == 1)
        return 0;
    return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ ? 1 : -1;
}

static void show_failure(const char *side)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    printf("  the %s failed: %s\n", side, reason == NULL ? "without a reason" : reason);
    ERR_clear_error();
}

/* 1 when both ends are done; else the ends that failed have said so. */
static int handshake(struct connection connection)
{
    int client = 1, server = 1;
    for (int round = 0; round < 20 && (client > 0 || server > 0); round++) {
        if (client > 0 && (client = advance(connection.client)) < 0)
            show_failure("client");
        if (server > 0 && (server = advance(connection.server)) < 0)
            show_failure("server");
    }
    return client == 0 && server == 0;
}

/* One byte from the server: on its way the client takes in the tickets that came before it. */
static int say_hello(struct connection connection)
{
    char byte = 'h';
    return SSL_write(connection.server, &byte, 1) == 1 &&
           SSL_read(connection.client, &byte, 1) == 1;
}

/* Frees both ends without a word: for libssl a broken connection. */
UNUSED static void break_off(struct connection connection)
{
    SSL_free(connection.client);
    SSL_free(connection.server);
    ERR_clear_error();
}

/* Ends the connection as both sides should. */
UNUSED static void part(struct connection connection)
{
    SSL_shutdown(connection.client);
    SSL_shutdown(connection.server);
    break_off(connection);
}

/* Connects and says how that went. */
UNUSED static int greet(const char *title, struct connection connection)
{
    int done = handshake(connection);
    printf("%s: done %d resumed %d %d hello %d\n", title, done,
           SSL_session_reused(connection.client), SSL_session_reused(connection.server),
           done && say_hello(connection));
    return done;
}

/* A whole visit. Gives the client's session for the next one; the caller frees it. */
UNUSED static SSL_SESSION *visit(const char *title, SSL_CTX *client, SSL_CTX *server,
                                 SSL_SESSION *offered)
{
    struct connection connection = open_connection(client, server, offered);
    SSL_SESSION *session = NULL;
    if (greet(title, connection))
        session = SSL_get1_session(connection.client);
    part(connection);
    return session;
}

/* A visit whose session nobody wants afterwards. */
UNUSED static void revisit(const char *title, SSL_CTX *client, SSL_CTX *server,
                           SSL_SESSION *offered)
{
    SSL_SESSION_free(visit(title, client, server, offered));
}

#endif
