/* pure-ftpd's way: each child has RLIMIT_DATA, makes a handshake whose session is kept, and then needs 16 MB at once. */
#include "hazard.h"
#include <sys/resource.h>

static int serve(SSL_CTX *client, SSL_CTX *server, rlim_t megabytes)
{
    const struct rlimit limit = {megabytes << 20, megabytes << 20};
    setrlimit(RLIMIT_DATA, &limit);
    if (connect_often(client, server, 1) != 1)
        return 3;
    char *memory = malloc(16 << 20);
    if (memory == NULL)
        return 1;
    memset(memory, 1, 16 << 20);
    return 0;
}

int main(int count UNUSED, char **arguments)
{
    int ends[256] = {0}, crashed = 0, status;
    SSL_CTX *server = stateful_context(TLS1_2_VERSION), *client = client_context();
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(serve(client, server, (rlim_t)atoi(arguments[1])));
        waitpid(child, &status, 0);
        if (WIFEXITED(status))
            ends[WEXITSTATUS(status)]++;
        else
            crashed++;
    }
    printf("got the memory %d, refused %d, no handshake %d, crashed %d\n", ends[0], ends[1],
           ends[3], crashed);
    return 0;
}
