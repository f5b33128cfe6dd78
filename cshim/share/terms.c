#include "cshim/share/terms.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cshim/share/chain.h"

struct writing {
    char *text;
    size_t length;
    bool is_whole;
};

__attribute__((format(printf, 2, 3))) static void put(struct writing *writing, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = TERMS_SIZE - writing->length;
    int length = vsnprintf(writing->text + writing->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room)
        writing->is_whole = false;
    else
        writing->length += (size_t)length;
}

/* Each text has its length before it, so that two texts never read like two others. */
static void put_text(struct writing *writing, const char *name, const char *text)
{
    if (text != NULL)
        put(writing, " %s[%zu]=%s", name, strlen(text), text);
}

static uint64_t hash(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3;
    return hash;
}

static const uint64_t hash_start = 0xcbf29ce484222325;

uint64_t terms_hash_protocols(const unsigned char *protocols, unsigned int length)
{
    return protocols == NULL || length == 0 ? 0 : hash(hash_start, protocols, length);
}

/* Ciphers count, for a server resumes a session only if the client offers its cipher. */
static uint64_t hash_ciphers(const SSL *ssl)
{
    uint64_t sum = hash_start;
    const char *name;
    for (int i = 0; (name = libssl.SSL_get_cipher_list(ssl, i)) != NULL; i++)
        sum = hash(sum, name, strlen(name) + 1);
    return sum;
}

static void put_names(struct writing *writing, X509_VERIFY_PARAM *parameters)
{
    char *name;
    for (int i = 0; (name = libssl.X509_VERIFY_PARAM_get0_host(parameters, i)) != NULL; i++)
        put_text(writing, "host", name);
    put_text(writing, "email", libssl.X509_VERIFY_PARAM_get0_email(parameters));
    char *address = libssl.X509_VERIFY_PARAM_get1_ip_asc(parameters);
    put_text(writing, "address", address);
    libssl.CRYPTO_free(address, __FILE__, __LINE__);
}

static void put_verification(struct writing *writing, SSL *ssl, SSL_CTX *ctx)
{
    X509_VERIFY_PARAM *parameters = libssl.SSL_get0_param(ssl);
    put(writing, "verify=%d depth=%d level=%d store=%p", libssl.SSL_get_verify_mode(ssl),
        libssl.SSL_get_verify_depth(ssl), libssl.SSL_get_security_level(ssl),
        (void *)chain_store(ssl, ctx));
    put(writing, " flags=%lx inherit=%" PRIx32 " host_flags=%x time=%jd",
        libssl.X509_VERIFY_PARAM_get_flags(parameters),
        libssl.X509_VERIFY_PARAM_get_inh_flags(parameters),
        libssl.X509_VERIFY_PARAM_get_hostflags(parameters),
        (intmax_t)libssl.X509_VERIFY_PARAM_get_time(parameters));
    put_names(writing, parameters);
}

static void put_hello(struct writing *writing, SSL *ssl)
{
    const struct connection *connection = connection_of(ssl);
    put_text(writing, "sni", libssl.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    put(writing,
        " alpn=%" PRIx64 " ciphers=%" PRIx64 " options=%" PRIx64 " transparency=%d certificate=%p",
        connection != NULL ? connection->protocols : 0, hash_ciphers(ssl),
        (uint64_t)libssl.SSL_get_options(ssl), libssl.SSL_ct_is_enabled(ssl),
        (void *)libssl.SSL_get_certificate(ssl));
}

/* Whether a function of the program decides in the handshake. What it would decide can't be compared. */
static bool has_callbacks(SSL *ssl, const struct context *context)
{
    X509_STORE *store = chain_store(ssl, context->ctx);
    return libssl.SSL_get_verify_callback(ssl) != NULL ||
           libssl.SSL_CTX_get_client_cert_cb(context->ctx) != NULL ||
           (store != NULL && libssl.X509_STORE_get_verify_cb(store) != NULL);
}

/* The status of a certificate (OCSP) comes with the certificate, which is sent in a full handshake only. */
static bool wants_stapling(SSL *ssl)
{
    return libssl.SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE, 0, NULL) ==
           TLSEXT_STATUSTYPE_ocsp;
}

enum event_cause terms_read(SSL *ssl, const struct context *context, struct terms *terms)
{
    struct writing writing = {.text = terms->text, .length = 0, .is_whole = true};
    if (libssl.X509_VERIFY_PARAM_get0_host == NULL || libssl.X509_VERIFY_PARAM_get0_email == NULL ||
        libssl.X509_VERIFY_PARAM_get1_ip_asc == NULL)
        return OBSTACLE_OLD_LIBSSL;
    if (!atomic_load(&context->client.seen_from_start) ||
        atomic_load(&context->client.verifies_itself) ||
        libssl.SSL_get_SSL_CTX(ssl) != context->ctx)
        return OBSTACLE_OWN_VERIFICATION;
    if (has_callbacks(ssl, context))
        return OBSTACLE_CALLBACKS;
    if (wants_stapling(ssl))
        return OBSTACLE_STAPLING;
    put_verification(&writing, ssl, context->ctx);
    put_hello(&writing, ssl);
    return writing.is_whole ? CAUSE_NONE : OBSTACLE_LONG_TERMS;
}

bool terms_equal(const struct terms *left, const struct terms *right)
{
    return strcmp(left->text, right->text) == 0;
}
