/* scarce_keys.c - the program has taken all keys of thread-specific data that libcrypto has left (pthread_key_create). */
#include "elsewhere.h"
#include <pthread.h>

/* libcrypto makes its keys. */
static void handshake_without_sessions(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
    struct connection connection = open_connection(client, server, NULL);
    if (!handshake(connection))
        abort();
    part(connection);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

int main(void)
{
    handshake_without_sessions();
    pthread_key_t key, last = 0;
    int number = 0;
    for (; pthread_key_create(&key, NULL) == 0; number++)
        last = key;
    pthread_setspecific(last, &number);
    store_session();
    show_elsewhere("elsewhere");
    printf("its own is still its own: %d\n", number > 0 && pthread_getspecific(last) == &number);
    leave();
    return 0;
}
