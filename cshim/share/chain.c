#include "cshim/share/chain.h"

/* SSL_CTRL_GET_VERIFY_CERT_STORE: 3.0 and later. */
enum { GET_VERIFY_STORE = 137 };

STACK_OF(X509) * chain_copy(STACK_OF(X509) * chain)
{
    return chain != NULL ? libssl.X509_chain_up_ref(chain) : NULL;
}

STACK_OF(X509) * chain_of_peer(const SSL *ssl)
{
    return chain_copy(libssl.SSL_get_peer_cert_chain(ssl));
}

void chain_free(STACK_OF(X509) * chain)
{
    OPENSSL_STACK *stack = (OPENSSL_STACK *)chain;
    if (stack == NULL)
        return;
    for (int i = 0; i < libssl.OPENSSL_sk_num(stack); i++)
        libssl.X509_free(libssl.OPENSSL_sk_value(stack, i));
    libssl.OPENSSL_sk_free(stack);
}

X509_STORE *chain_store(SSL *ssl, SSL_CTX *ctx)
{
    X509_STORE *store = NULL;
    libssl.SSL_ctrl(ssl, GET_VERIFY_STORE, 0, &store);
    return store != NULL ? store : libssl.SSL_CTX_get_cert_store(ctx);
}

static bool verify(X509_STORE_CTX *context, STACK_OF(X509) * chain, SSL *ssl, SSL_CTX *ctx)
{
    X509 *certificate = libssl.OPENSSL_sk_value((OPENSSL_STACK *)chain, 0);
    if (certificate == NULL ||
        libssl.X509_STORE_CTX_init(context, chain_store(ssl, ctx), certificate, chain) != 1)
        return false;
    X509_VERIFY_PARAM *parameters = libssl.X509_STORE_CTX_get0_param(context);
    libssl.X509_VERIFY_PARAM_set_auth_level(parameters, libssl.SSL_get_security_level(ssl));
    return libssl.X509_STORE_CTX_set_default(context, "ssl_server") == 1 &&
           libssl.X509_VERIFY_PARAM_set1(parameters, libssl.SSL_get0_param(ssl)) == 1 &&
           libssl.X509_verify_cert(context) == 1;
}

bool chain_is_accepted(STACK_OF(X509) * chain, SSL *ssl, SSL_CTX *ctx)
{
    X509_STORE_CTX *context = libssl.X509_STORE_CTX_new();
    if (context == NULL)
        return false;
    bool accepted = verify(context, chain, ssl, ctx);
    libssl.X509_STORE_CTX_free(context);
    return accepted;
}
