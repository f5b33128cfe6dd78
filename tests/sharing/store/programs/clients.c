/*
 * clients.c - many clients, each with the session of its last connection. They never run under
 * libsslcache: what they count is what the servers did.
 *
 * usage: clients PORT VERSION COUNT FOLDER
 *
 * Each of COUNT clients connects once with TLS VERSION (1.2 or 1.3) and asks for a page. It offers the
 * session that FOLDER keeps for it, if there is one, and leaves its newest there. It prints how many
 * connections were new (no session was at hand), resumed, refused (one was offered and not taken) and
 * failed, and how many different answers came: a server may answer with its process id.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 20, PARALLEL = 4, ANSWER_MAX = 65536, WORKERS_MAX = 64 };

static const char request[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
static SSL_CTX *ctx;
static int port, count;
static const char *folder;
static atomic_int next_client, fresh, resumed, refused, failed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char workers[WORKERS_MAX][64]; /* answers; under lock */
static int workers_known;

static void note_worker(const char *answer)
{
    pthread_mutex_lock(&lock);
    int i = 0;
    while (i < workers_known && strcmp(workers[i], answer) != 0)
        i++;
    if (i == workers_known && i < WORKERS_MAX)
        snprintf(workers[workers_known++], sizeof(workers[0]), "%s", answer);
    pthread_mutex_unlock(&lock);
}

static int connect_to_port(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static SSL_SESSION *load(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    SSL_SESSION *session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL);
    fclose(file);
    return session;
}

static void save(const char *path, SSL *ssl)
{
    SSL_SESSION *session = SSL_get1_session(ssl);
    FILE *file = session != NULL && SSL_SESSION_is_resumable(session) ? fopen(path, "w") : NULL;
    if (file != NULL) {
        PEM_write_SSL_SESSION(file, session);
        fclose(file);
    }
    SSL_SESSION_free(session);
}

/* Reads to the end, past the tickets; keeps the last line. */
static int read_answer(SSL *ssl)
{
    char answer[ANSWER_MAX];
    int length = 0, got;
    while (length < ANSWER_MAX - 1 &&
           (got = SSL_read(ssl, answer + length, ANSWER_MAX - 1 - length)) > 0)
        length += got;
    answer[length] = '\0';
    char *end = strrchr(answer, '\n');
    if (end != NULL)
        *end = '\0';
    char *line = strrchr(answer, '\n');
    note_worker(line != NULL ? line + 1 : answer);
    return length > 0;
}

static int converse(SSL *ssl, int fd, SSL_SESSION *offered)
{
    return SSL_set_fd(ssl, fd) && (offered == NULL || SSL_set_session(ssl, offered)) &&
           SSL_connect(ssl) == 1 && SSL_write(ssl, request, sizeof(request) - 1) > 0 &&
           read_answer(ssl);
}

static void visit(int client)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%d.pem", folder, client);
    SSL_SESSION *offered = load(path);
    SSL *ssl = SSL_new(ctx);
    int fd = connect_to_port();
    if (fd < 0 || !converse(ssl, fd, offered)) {
        failed++;
        ERR_print_errors_fp(stderr);
    } else {
        atomic_int *outcome = offered == NULL ? &fresh : &refused;
        (*(SSL_session_reused(ssl) ? &resumed : outcome))++;
        SSL_shutdown(ssl);
        save(path, ssl);
    }
    SSL_free(ssl);
    SSL_SESSION_free(offered);
    if (fd >= 0)
        close(fd);
    ERR_clear_error();
}

static void *visit_in_turn(void *unused)
{
    for (int client; (client = next_client++) < count;)
        visit(client);
    return unused;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    port = atoi(argv[1]);
    int version = strcmp(argv[2], "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    count = atoi(argv[3]);
    folder = argv[4];
    ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);

    pthread_t threads[PARALLEL];
    for (int i = 0; i < PARALLEL; i++)
        pthread_create(&threads[i], NULL, visit_in_turn, NULL);
    for (int i = 0; i < PARALLEL; i++)
        pthread_join(threads[i], NULL);
    printf("%d %d %d %d %d\n", fresh, resumed, refused, failed, workers_known);
    SSL_CTX_free(ctx);
    return 0;
}
