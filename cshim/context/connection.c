#include "cshim/context/connection.h"

#include <pthread.h>
#include <stdlib.h>

#include "cshim/process/fork.h"
#include "cshim/process/lock_order.h"
#include "cshim/process/table.h"

static FORK_WRITES pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table connections; /* SSL to struct connection; changed under lock */
static int free_index = -1;

static void lock_connections(void)
{
    fork_enter();
    lock_take(&lock, LOCK_CONNECTIONS);
}

static void unlock_connections(void)
{
    lock_release(&lock, LOCK_CONNECTIONS);
    fork_leave();
}

/* CRYPTO_EX_free: the SSL goes. */
static void note_freed(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index, long argument,
                       void *pointer)
{
    (void)data, (void)ex_data, (void)index, (void)argument, (void)pointer;
    struct connection *connection = table_find(&connections, parent);
    if (connection == NULL)
        return;
    lock_connections();
    table_remove(&connections, parent);
    unlock_connections();
    if (connection->client != NULL)
        connection->forget_client(connection);
    libssl_free(connection->ticket);
    free(connection);
}

static void take_index(void)
{
    free_index =
        libssl.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, note_freed);
}

bool connections_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_index);
    return free_index >= 0;
}

struct connection *connection_of(const SSL *ssl)
{
    return table_find(&connections, ssl);
}

struct connection *connection_make(SSL *ssl)
{
    struct connection *connection = connection_of(ssl);
    if (connection != NULL || !connections_ready())
        return connection;
    connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return NULL;
    lock_connections();
    bool is_kept = table_put(&connections, ssl, connection);
    unlock_connections();
    if (is_kept)
        return connection;
    free(connection);
    return NULL;
}

void connection_copy(const SSL *ssl, SSL *copy)
{
    const struct connection *model = connection_of(ssl);
    if (copy == NULL || copy == ssl || model == NULL ||
        (atomic_load(&model->generator) == NULL && !model->no_ticket))
        return;
    struct connection *connection = connection_make(copy);
    if (connection == NULL)
        return;
    atomic_store(&connection->generator, atomic_load(&model->generator));
    connection->no_ticket = model->no_ticket;
}

static bool is_quic(const SSL *ssl)
{
    return libssl.SSL_is_quic != NULL && libssl.SSL_is_quic(ssl) != 0;
}

int connection_version(const SSL *ssl)
{
    return is_quic(ssl) ? TLS1_3_VERSION : libssl.SSL_version(ssl);
}

uint64_t connection_options(const SSL *ssl)
{
    return is_quic(ssl) ? libssl.SSL_CTX_get_options(libssl.SSL_get_SSL_CTX(ssl))
                        : libssl.SSL_get_options(ssl);
}

void connections_fork_prepare(void)
{
    lock_take(&lock, LOCK_CONNECTIONS);
}

void connections_fork_done(void)
{
    lock_release(&lock, LOCK_CONNECTIONS);
}
