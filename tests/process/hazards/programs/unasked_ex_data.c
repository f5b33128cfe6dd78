/* FreeRADIUS's way: numbers of ex_data that were never asked for, on an SSL or an SSL_CTX, and freed as its own. */
#include "hazard.h"

enum { CONNECTIONS = 20 };

int main(int count UNUSED, char **arguments)
{
    int is_context = strcmp(arguments[1], "ctx") == 0, index = atoi(arguments[2]), kept = 0;
    SSL_CTX *server = stateful_context(TLS1_2_VERSION), *client = client_context();
    if (is_context)
        SSL_CTX_set_ex_data(server, index, malloc(64));
    int done = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection connection = open_connection(client, server, NULL);
        char *mine = malloc(64);
        strcpy(mine, "mine");
        if (!is_context)
            SSL_set_ex_data(connection.server, index, mine);
        SSL_set_SSL_CTX(connection.server, server);
        done += handshake(connection);
        char *found = is_context ? mine : SSL_get_ex_data(connection.server, index);
        kept += found == mine && strcmp(found, "mine") == 0;
        free(found);
        SSL_shutdown(connection.client);
        SSL_shutdown(connection.server);
        break_off(connection);
    }
    printf("done %d, kept %d, sessions %ld\n", done, kept, SSL_CTX_sess_number(server));
    if (is_context)
        free(SSL_CTX_get_ex_data(server, index));
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    return 0;
}
