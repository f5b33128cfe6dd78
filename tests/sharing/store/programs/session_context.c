/*
 * session_context.c - servers that set no session id context, and what SSLCACHE_SESSION_CONTEXT makes of them.
 *
 * A session is made with one SSL_CTX and offered to another one of the same process, which shares it through the
 * store if it is to be shared. Printed: whether it is resumed, for SSL_CTXs that are alike and for those that differ in
 * what decides about who may connect.
 */
#include "handshake.h"

enum { VERSION = TLS1_2_VERSION };

static SSL_CTX *client;

static int accept_all(int preverified, X509_STORE_CTX *store)
{
    (void)preverified, (void)store;
    return 1;
}

/* Without a session id context, and with the certificate of all. */
static SSL_CTX *bare_server(void)
{
    SSL_CTX *ctx = stateful_context(VERSION);
    SSL_CTX_set_session_id_context(ctx, NULL, 0);
    SSL_CTX_free(ctx);
    ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_max_proto_version(ctx, VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (SSL_CTX_use_certificate(ctx, server_certificate) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, server_key) != 1)
        abort();
    return ctx;
}

static SSL_CTX *verifying_server(int mode)
{
    SSL_CTX *ctx = bare_server();
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), server_certificate);
    SSL_CTX_set_verify(ctx, mode, NULL);
    return ctx;
}

static void offer(const char *title, SSL_CTX *maker, SSL_CTX *other)
{
    SSL_SESSION *session = visit("  made", client, maker, NULL);
    printf("%s\n", title);
    if (session != NULL)
        revisit("  offered", client, other, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(maker);
    SSL_CTX_free(other);
}

static SSL_CTX *with_another_certificate(void)
{
    X509 *certificate = server_certificate;
    EVP_PKEY *key = server_key;
    server_certificate = NULL;
    server_key = NULL;
    make_certificate();
    SSL_CTX *ctx = bare_server();
    X509_free(server_certificate);
    EVP_PKEY_free(server_key);
    server_certificate = certificate;
    server_key = key;
    X509_up_ref(certificate); /* both are released at the end, once for each that was made */
    EVP_PKEY_up_ref(key);
    return ctx;
}

static SSL_CTX *with_name(int mode)
{
    SSL_CTX *ctx = verifying_server(mode);
    SSL_CTX_add_client_CA(ctx, server_certificate);
    return ctx;
}

static SSL_CTX *with_callback(void)
{
    SSL_CTX *ctx = verifying_server(SSL_VERIFY_PEER);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_all);
    return ctx;
}

static SSL_CTX *with_its_own(void)
{
    SSL_CTX *ctx = bare_server();
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"own", 3);
    return ctx;
}

/* The rules of one connection are others than those of its SSL_CTX. */
static void show_connection(const char *title, int mode, SSL_verify_cb callback)
{
    SSL_CTX *server = verifying_server(SSL_VERIFY_NONE);
    SSL_SESSION *session = visit("  made", client, server, NULL);
    printf("%s\n", title);
    struct connection connection = open_connection(client, server, session);
    SSL_set_verify(connection.server, mode, callback);
    greet("  offered", connection);
    SSL_SESSION_free(session);
    session = SSL_get1_session(connection.client);
    part(connection);
    connection = open_connection(client, server, session);
    SSL_set_verify(connection.server, mode, callback);
    greet("  offered again", connection);
    part(connection);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* A client of a method that could serve too, with a certificate, and a session of another process. */
static void show_client(void)
{
    SSL_CTX *server = with_its_own(), *both = bare_server();
    SSL_SESSION *session = visit("  made", both, server, NULL);
    unsigned char *serialised = NULL;
    int length = i2d_SSL_SESSION(session, &serialised);
    SSL_SESSION_free(session);
    const unsigned char *start = serialised;
    session = d2i_SSL_SESSION(NULL, &start, length);
    SSL_SESSION_set1_id_context(session, (const unsigned char *)"", 0);
    printf("a client\n");
    revisit("  offered", both, server, session);
    SSL_SESSION_free(session);
    OPENSSL_free(serialised);
    SSL_CTX_free(server);
    SSL_CTX_free(both);
}

int main(void)
{
    client = client_context();
    SSL_CTX_free(stateful_context(VERSION)); /* makes the certificate */
    SSL_CTX_use_certificate(client, server_certificate);
    SSL_CTX_use_PrivateKey(client, server_key);
    offer("alike", bare_server(), bare_server());
    offer("alike, with certificates", verifying_server(SSL_VERIFY_PEER),
          verifying_server(SSL_VERIFY_PEER));
    offer("another certificate", bare_server(), with_another_certificate());
    offer("none asked for, then one", verifying_server(SSL_VERIFY_NONE),
          verifying_server(SSL_VERIFY_PEER));
    offer("asked for, then required", verifying_server(SSL_VERIFY_PEER),
          verifying_server(SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT));
    offer("another name is trusted", verifying_server(SSL_VERIFY_PEER), with_name(SSL_VERIFY_PEER));
    offer("a callback of its own", verifying_server(SSL_VERIFY_PEER), with_callback());
    offer("two callbacks of their own", with_callback(), with_callback());
    offer("the program's own context", bare_server(), with_its_own());
    show_connection("the connection alone requires one", SSL_VERIFY_PEER, NULL);
    show_connection("the connection has a callback of its own", SSL_VERIFY_PEER, accept_all);
    show_client();
    SSL_CTX_free(client);
    return 0;
}
