/*
 * core.c - a process that has used the store and has no session left: what would a core dump have?
 *
 * Printed: whether a second context got the session from the store, then the master secret, in hexadecimal, and then
 * nothing more until the process is ended. The program and libssl have wiped what they knew of it.
 */
#include "handshake.h"
#include <unistd.h>

enum { SECRET_SIZE = 48 };

static void print_secret(const SSL_SESSION *session)
{
    unsigned char secret[SECRET_SIZE];
    size_t length = SSL_SESSION_get_master_key(session, secret, sizeof(secret));
    printf("secret ");
    for (size_t i = 0; i < length; i++)
        printf("%02x", secret[i]);
    printf("\n");
    OPENSSL_cleanse(secret, sizeof(secret));
}

/* libssl leaves parts of a handshake's secrets on the stack. */
static void clear_stack(void)
{
    volatile unsigned char frame[256 * 1024];
    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = 0;
}

int main(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = visit("first", client, server, NULL);
    usleep(500000); /* the write is on its way */
    SSL_CTX *other = stateful_context(TLS1_2_VERSION);
    revisit("other", client, other, session);
    print_secret(session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    SSL_CTX_free(other);
    clear_stack();
    printf("ready\n");
    fflush(stdout);
    pause();
    return 0;
}
