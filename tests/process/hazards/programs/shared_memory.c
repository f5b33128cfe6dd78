/*
 * Kamailio's way: libcrypto's memory is shared by processes (CRYPTO_set_mem_functions), a worker shakes hands and
 * another process frees the SSL. "late": the SSL_CTX, too, is made by another process.
 */
#include "hazard.h"
#include <stdatomic.h>

enum { SIZE = 256 << 20, HEAD = 16, CONNECTIONS = 20 };

static char *arena;
static _Atomic size_t *used;
static SSL_CTX *one, *two;

static void *allocate(size_t size, const char *file UNUSED, int line UNUSED)
{
    size_t at = atomic_fetch_add(used, (size + HEAD + 15) & ~(size_t)15);
    *(size_t *)(arena + at) = size;
    return arena + at + HEAD;
}

static void release(void *memory UNUSED, const char *file UNUSED, int line UNUSED)
{
}

static void *reallocate(void *memory, size_t size, const char *file, int line)
{
    void *larger = allocate(size, file, line);
    if (memory == NULL)
        return larger;
    size_t before = *(size_t *)((char *)memory - HEAD);
    return memcpy(larger, memory, before < size ? before : size);
}

static int choose(SSL *ssl, int *alert UNUSED, void *argument UNUSED)
{
    SSL_set_SSL_CTX(ssl, two);
    return SSL_TLSEXT_ERR_OK;
}

static void make_in_a_child(SSL_CTX **place)
{
    pid_t child = fork();
    if (child == 0) {
        *place = stateful_context(TLS1_2_VERSION);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void serve(SSL **served, int has_name)
{
    for (int i = 0; i < 4000; i++) /* a worker has a heap of its own */
        memset(malloc(100 + (size_t)i % 400), 'A', 100);
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection connection = open_connection(client_context(), one, NULL);
        if (has_name)
            SSL_set_tlsext_host_name(connection.client, "name.example");
        if (!handshake(connection))
            _exit(4);
        served[i] = connection.server;
        SSL_shutdown(connection.server);
    }
    _exit(0);
}

int main(int count UNUSED, char **arguments)
{
    int has_name = strcmp(arguments[1], "sni") == 0, is_late = strcmp(arguments[1], "late") == 0;
    arena = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    used = (_Atomic size_t *)arena;
    *used = 64;
    if (!CRYPTO_set_mem_functions(allocate, reallocate, release))
        return 3;
    void **shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_certificate();
    one = server_context(TLS1_2_VERSION);
    two = server_context(TLS1_2_VERSION);
    if (has_name)
        SSL_CTX_set_tlsext_servername_callback(one, choose);
    if (is_late)
        make_in_a_child((SSL_CTX **)&shared[100]);
    if (is_late)
        one = shared[100];
    pid_t worker = fork();
    if (worker == 0)
        serve((SSL **)shared, has_name);
    int status;
    waitpid(worker, &status, 0);
    printf("worker: %d\n", status);
    for (int i = 0; i < CONNECTIONS; i++)
        SSL_free(shared[i]);
    puts("freed");
    fflush(stdout);
    _exit(0);
}
