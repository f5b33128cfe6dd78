/*
 * core.c - a process that has used the store and has no session left: what would a core dump have?
 *
 * usage: core [alone]
 *
 * alone: there is no store. The second context is the first, and the program serialises and parses the session as a
 * store does: libssl's parser gives memory back with the secret in it.
 * Printed: whether a second context got the session from the store, how often memory was given back with the master
 * secret in it, the secret itself, in hexadecimal, and then nothing more until the process is ended. The program and
 * libssl have wiped what they knew of it.
 */
#include "handshake.h"
#include <malloc.h>
#include <stdbool.h>
#include <unistd.h>

enum { SECRET_SIZE = 48 };

static unsigned char secret[SECRET_SIZE];
static bool is_known;
static int given_back; /* memory with the secret in it */

void __libc_free(void *memory);

void free(void *memory)
{
    if (is_known && memory != NULL &&
        memmem(memory, malloc_usable_size(memory), secret, SECRET_SIZE) != NULL)
        given_back++;
    __libc_free(memory);
}

/* Stores the same session by hand, as a server may. */
static void store_again(SSL_CTX *server, SSL_SESSION *session)
{
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    SSL_SESSION_set1_id_context(copy, (const unsigned char *)"tests", 5);
    printf("added %d\n", SSL_CTX_add_session(server, copy));
    SSL_SESSION_free(copy);
}

static void serialise_and_parse(SSL_SESSION *session)
{
    unsigned char *serialised;
    int length = i2d_SSL_SESSION(session, NULL);
    unsigned char *end = serialised = malloc((size_t)length);
    const unsigned char *start = serialised;
    i2d_SSL_SESSION(session, &end);
    SSL_SESSION_free(d2i_SSL_SESSION(NULL, &start, length));
    OPENSSL_cleanse(serialised, (size_t)length);
    free(serialised);
}

static void print_secret(void)
{
    printf("with it given back: %d\nsecret ", given_back);
    for (size_t i = 0; i < SECRET_SIZE; i++)
        printf("%02x", secret[i]);
    printf("\n");
    is_known = false;
    OPENSSL_cleanse(secret, sizeof(secret));
}

/* libssl leaves parts of a handshake's secrets on the stack. */
static void clear_stack(void)
{
    volatile unsigned char frame[256 * 1024];
    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = 0;
}

int main(int argc, char **argv)
{
    bool is_alone = argc > 1 && strcmp(argv[1], "alone") == 0;
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = visit("first", client, server, NULL);
    usleep(500000); /* the write is on its way */
    SSL_CTX *other = is_alone ? server : stateful_context(TLS1_2_VERSION);
    is_known = SSL_SESSION_get_master_key(session, secret, SECRET_SIZE) == SECRET_SIZE;
    revisit("other", client, other, session);
    if (is_alone)
        serialise_and_parse(session);
    store_again(server, session);
    print_secret();
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    if (!is_alone)
        SSL_CTX_free(other);
    clear_stack();
    printf("ready\n");
    fflush(stdout);
    pause();
    return 0;
}
