#include "handshake.h"

#include "measure.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    expect(X509_sign(certificate, key, EVP_sha256()) > 0, "the certificate can be signed");
    return certificate;
}

static void give_certificate(SSL_CTX *server)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate;

    expect(key != NULL, "a key can be made");
    certificate = self_signed(key);
    expect(SSL_CTX_use_certificate(server, certificate) == 1, "the server takes a certificate");
    expect(SSL_CTX_use_PrivateKey(server, key) == 1, "the server takes a key");
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static SSL_CTX *context_of_version(const SSL_METHOD *method, int version)
{
    SSL_CTX *context = SSL_CTX_new(method);

    expect(context != NULL, "a context can be made");
    expect(SSL_CTX_set_min_proto_version(context, version) == 1, "it takes the lowest version");
    expect(SSL_CTX_set_max_proto_version(context, version) == 1, "it takes the highest version");
    return context;
}

struct peers peers_new(int version)
{
    struct peers peers = {context_of_version(TLS_server_method(), version),
                          context_of_version(TLS_client_method(), version)};

    SSL_CTX_set_options(peers.server, SSL_OP_NO_TICKET);
    expect(SSL_CTX_set_session_id_context(peers.server, (const unsigned char *)"bench", 5) == 1,
           "the server takes a session id context");
    give_certificate(peers.server);
    return peers;
}

void peers_free(struct peers *peers)
{
    SSL_CTX_free(peers->server);
    SSL_CTX_free(peers->client);
}

static void connect_through_memory(SSL *client, SSL *server)
{
    BIO *to_server = BIO_new(BIO_s_mem());
    BIO *to_client = BIO_new(BIO_s_mem());

    expect(to_server != NULL && to_client != NULL, "memory BIOs can be made");
    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL_set_bio(client, to_client, to_server);
    SSL_set_bio(server, to_server, to_client);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
}

/* One step of a side that may be waiting for the other. */
static void step(SSL *side)
{
    int result = SSL_do_handshake(side);

    expect(result == 1 || SSL_get_error(side, result) == SSL_ERROR_WANT_READ,
           "the handshake goes on");
}

static void read_tickets(SSL *client)
{
    char byte;

    expect(SSL_read(client, &byte, 1) < 0, "the server has sent no data");
}

/* A connection that ends without close_notify would take its session along. */
static void end(SSL *side)
{
    SSL_set_shutdown(side, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(side);
}

bool shake_hands(const struct peers *peers, SSL_SESSION *session, SSL_SESSION **established,
                 double *looking_up)
{
    SSL *client = SSL_new(peers->client);
    SSL *server = SSL_new(peers->server);
    bool resumed;
    double start;

    expect(client != NULL && server != NULL, "connections can be made");
    connect_through_memory(client, server);
    if (session != NULL)
        expect(SSL_set_session(client, session) == 1, "the client takes the session");
    step(client);
    start = looking_up != NULL ? cpu_nanoseconds() : 0;
    step(server);
    if (looking_up != NULL)
        *looking_up = cpu_nanoseconds() - start;
    while (!SSL_is_init_finished(client) || !SSL_is_init_finished(server)) {
        step(client);
        step(server);
    }
    if (SSL_version(client) >= TLS1_3_VERSION)
        read_tickets(client);
    resumed = SSL_session_reused(server) == 1;
    if (established != NULL)
        *established = SSL_get1_session(client);
    end(client);
    end(server);
    return resumed;
}
