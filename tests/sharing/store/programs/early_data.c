/*
 * early_data.c - two workers that accept early data, and a client that sends the same to both at once.
 *
 * usage: early_data TRIES CERTIFICATE KEY
 *
 * A try is a full handshake with the first worker, whose ticket allows early data, and then two
 * connections at the same time, one to each worker, that offer this ticket and send early data. Printed
 * at the end: how many tries there were, of how many the early data was accepted once, and of how many
 * twice; how many resumed in all, and how many connections failed.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 2, PATIENCE_SECONDS = 20 };

struct worker {
    int listener, port;
    pid_t pid;
};

static struct worker workers[WORKERS];
static SSL_CTX *client_ctx;

static void be_patient(int fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

/* ---- a worker ---- */

static SSL_CTX *server_context(const char *certificate, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_max_early_data(ctx, 1024);
    SSL_CTX_set_recv_max_early_data(ctx, 1024);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"early", 5);
    if (SSL_CTX_use_certificate_file(ctx, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        abort();
    return ctx;
}

/* Says in one byte what became of the early data: accepted, resumed without it, or new. */
static void serve(SSL *ssl)
{
    char bytes[64];
    size_t length;
    while (SSL_read_early_data(ssl, bytes, sizeof(bytes), &length) == SSL_READ_EARLY_DATA_SUCCESS)
        ;
    if (SSL_accept(ssl) != 1)
        return;
    char answer = SSL_session_reused(ssl) ? 'r' : 'n';
    if (SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED)
        answer = 'a';
    SSL_write(ssl, &answer, 1);
    SSL_shutdown(ssl);
    SSL_read(ssl, bytes, sizeof(bytes));
}

static void work(int listener, const char *certificate, const char *key)
{
    SSL_CTX *ctx = server_context(certificate, key);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        be_patient(fd);
        SSL *ssl = SSL_new(ctx);
        SSL_set_fd(ssl, fd);
        serve(ssl);
        SSL_free(ssl);
        ERR_clear_error();
        close(fd);
    }
}

static void start_worker(struct worker *worker, const char *certificate, const char *key)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    worker->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(worker->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(worker->listener, 16) != 0 ||
        getsockname(worker->listener, (struct sockaddr *)&address, &size) != 0)
        abort();
    worker->port = ntohs(address.sin_port);
    worker->pid = fork();
    if (worker->pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work(worker->listener, certificate, key);
}

/* ---- the client ---- */

struct call {
    const struct worker *worker;
    SSL_SESSION *offered; /* NULL: none */
    SSL_SESSION *got;     /* the ticket that came, a reference of its own */
    char answer;          /* the worker's, or 'f' */
};

static int reach(const struct worker *worker)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)worker->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    be_patient(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        abort();
    return fd;
}

static void *make_call(void *argument)
{
    struct call *call = argument;
    size_t written;
    int fd = reach(call->worker);
    SSL *ssl = SSL_new(client_ctx);
    SSL_set_fd(ssl, fd);
    call->answer = 'f';
    if (call->offered != NULL) {
        SSL_set_session(ssl, call->offered);
        SSL_write_early_data(ssl, "transfer", 8, &written);
    }
    if (SSL_connect(ssl) == 1 && SSL_read(ssl, &call->answer, 1) == 1) {
        call->got = SSL_get1_session(ssl);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    ERR_clear_error();
    close(fd);
    return NULL;
}

struct tally {
    int tries, once, twice, resumed, failed;
};

static void try_once(struct tally *tally)
{
    struct call first = {.worker = &workers[0]}, calls[WORKERS];
    pthread_t threads[WORKERS];
    make_call(&first);
    usleep(2000); /* the ticket is on its way to the store; where it is late, none resumes */
    for (int i = 0; i < WORKERS; i++) {
        calls[i] = (struct call){.worker = &workers[i], .offered = SSL_SESSION_dup(first.got)};
        pthread_create(&threads[i], NULL, make_call, &calls[i]);
    }
    int accepted = 0;
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        accepted += calls[i].answer == 'a';
        tally->resumed += calls[i].answer == 'a' || calls[i].answer == 'r';
        tally->failed += calls[i].answer == 'f';
        SSL_SESSION_free(calls[i].offered);
        SSL_SESSION_free(calls[i].got);
    }
    SSL_SESSION_free(first.got);
    tally->tries++;
    tally->once += accepted == 1;
    tally->twice += accepted == 2;
}

int main(int argc, char **argv)
{
    struct tally tally = {0};
    if (argc < 4)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < WORKERS; i++)
        start_worker(&workers[i], argv[2], argv[3]);
    client_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_OFF);
    for (int tries = atoi(argv[1]); tries > 0; tries--)
        try_once(&tally);
    printf("%d %d %d %d %d\n", tally.tries, tally.once, tally.twice, tally.resumed, tally.failed);
    for (int i = 0; i < WORKERS; i++) {
        kill(workers[i].pid, SIGKILL);
        waitpid(workers[i].pid, NULL, 0);
    }
    SSL_CTX_free(client_ctx);
    return 0;
}
