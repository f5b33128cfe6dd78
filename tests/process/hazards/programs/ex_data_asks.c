/* A CRYPTO_EX_free function of the program asks the SSL_CTX that goes, and uses its cache. */
#include "hazard.h"

static void look_back(void *parent, void *data, CRYPTO_EX_DATA *ex_data UNUSED, int index UNUSED,
                      long number UNUSED, void *pointer UNUSED)
{
    SSL_CTX *ctx = parent;
    if (data == NULL)
        return;
    printf("%s: number %ld size %ld mode %ld full %ld misses %ld callbacks %d%d%d\n",
           (const char *)data, SSL_CTX_sess_number(ctx), SSL_CTX_sess_get_cache_size(ctx),
           SSL_CTX_get_session_cache_mode(ctx), SSL_CTX_sess_cache_full(ctx),
           SSL_CTX_sess_misses(ctx), SSL_CTX_sess_get_new_cb(ctx) != NULL,
           SSL_CTX_sess_get_get_cb(ctx) != NULL, SSL_CTX_sess_get_remove_cb(ctx) != NULL);
    SSL_SESSION *session = numbered_session(77);
    SHOW(SSL_CTX_add_session(ctx, session));
    SHOW(SSL_CTX_remove_session(ctx, session));
    SHOW(SSL_CTX_remove_session(ctx, session));
    SSL_SESSION_free(session);
}

static void ignore(SSL_CTX *ctx UNUSED, SSL_SESSION *session UNUSED)
{
}

int main(void)
{
    SSL_CTX *first =
        unlimited_context(); /* the index of the program is later than any of the library's */
    int index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, look_back);
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_ex_data(ctx, index, "freed by SSL_CTX_free");
    SSL_CTX_sess_set_remove_cb(ctx, ignore);
    SSL_CTX_sess_set_cache_size(ctx, 5);
    add_numbered(ctx, 0, 10);
    SSL_CTX_free(ctx);

    SSL_CTX *server = stateful_context(TLS1_2_VERSION), *client = client_context();
    SSL_CTX_set_ex_data(server, index, "freed by SSL_free");
    connect_often(client, server, 2);
    struct connection connection = open_connection(client, server, NULL);
    SSL_CTX_free(server);
    handshake(connection);
    part(connection);
    SSL_CTX_free(client);
    SSL_CTX_free(first);
    return 0;
}
