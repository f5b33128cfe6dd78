#include "cshim/takeover/connection.h"

#include <pthread.h>
#include <stdlib.h>

static int connection_index = -1; /* of a struct connection among the ex_data of an SSL */

/* CRYPTO_EX_free: the SSL goes. */
static void destroy(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index, long argument,
                    void *pointer)
{
    (void)parent, (void)ex_data, (void)index, (void)argument, (void)pointer;
    free(data);
}

/* CRYPTO_EX_dup: SSL_dup makes an SSL anew, with the context that SSL_get_SSL_CTX gives, and keeps
 * the generator and the options. */
static int duplicate(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **data, int index,
                     long argument, void *pointer)
{
    (void)from, (void)argument, (void)pointer;
    struct connection *model = *data;
    *data = NULL;
    free(libssl.CRYPTO_get_ex_data(to, index)); /* SSL_new may have come to us */
    if (model == NULL || (atomic_load(&model->generator) == NULL && !model->no_ticket))
        return 1;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return 0;
    atomic_store(&connection->generator, atomic_load(&model->generator));
    connection->no_ticket = model->no_ticket;
    *data = connection;
    return 1;
}

static void take_index(void)
{
    connection_index =
        libssl.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, duplicate, destroy);
}

bool connections_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_index);
    return connection_index >= 0;
}

struct connection *connection_of(const SSL *ssl)
{
    return connection_index >= 0 ? libssl.SSL_get_ex_data(ssl, connection_index) : NULL;
}

struct connection *connection_make(SSL *ssl)
{
    if (!connections_ready())
        return NULL;
    struct connection *connection = connection_of(ssl);
    if (connection != NULL)
        return connection;
    connection = calloc(1, sizeof(*connection));
    if (connection != NULL && libssl.SSL_set_ex_data(ssl, connection_index, connection) == 1)
        return connection;
    free(connection);
    return NULL;
}
