/* A program that does all that the others do wrong, and does it right. */
#include "handshake.h"

static SSL_SESSION *kept; /* with a reference: the program's own cache */

static int keep(SSL *ssl UNUSED, SSL_SESSION *session)
{
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static SSL_SESSION *give(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED,
                         int *copy)
{
    *copy = 1;
    return kept;
}

static void own_cache(SSL_CTX *client)
{
    SSL_CTX *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(server, keep);
    SSL_CTX_sess_set_get_cb(server, give);
    SSL_SESSION *session = visit("own cache", client, server, NULL);
    revisit("own cache again", client, server, session);
    SSL_SESSION_free(session);
    SSL_SESSION_free(kept);
    SSL_CTX_free(server);
}

static void references(SSL_CTX *client, SSL_CTX *server)
{
    SSL_SESSION *session = visit("visit", client, server, NULL);
    SSL_SESSION_up_ref(session);
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    revisit("again", client, server, session);
    SSL_SESSION_free(copy);
    SSL_SESSION_free(session);
    SSL_SESSION_free(session);
}

static void by_hand(SSL_CTX *server)
{
    SSL_SESSION *session = simple_session("by hand", 1000, 2000000000);
    SSL_CTX_add_session(server, session);
    SSL_CTX_remove_session(server, session);
    SSL_SESSION_free(session);
}

static void through_a_file(SSL_CTX *client, SSL_CTX *server)
{
    BIO *file = BIO_new(BIO_s_mem());
    SSL_SESSION *session = visit("to a file", client, server, NULL);
    PEM_write_bio_SSL_SESSION(file, session);
    SSL_SESSION_free(session);
    session = PEM_read_bio_SSL_SESSION(file, NULL, NULL, NULL);
    revisit("from a file", client, server, session);
    SSL_SESSION_free(session);
    BIO_free(file);
}

/* Sessions without data of the program are never copied by its function: it could not copy nothing. */
static int copy_data(CRYPTO_EX_DATA *to UNUSED, const CRYPTO_EX_DATA *from UNUSED,
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
                     void **data UNUSED,
#else
                     void *data UNUSED,
#endif
                     int index UNUSED, long number UNUSED, void *argument UNUSED)
{
    abort();
}

int main(void)
{
    SSL_SESSION_get_ex_new_index(0, NULL, NULL, copy_data, NULL);
    SSL_CTX *client = client_context();
    int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (int i = 0; i < 2; i++) {
        SSL_CTX *server = stateful_context(versions[i]);
        references(client, server);
        by_hand(server);
        through_a_file(client, server);
        SSL_CTX_free(server);
    }
    own_cache(client);
    SSL_CTX_free(client);
    return 0;
}
