/*
 * client.c - a client that resumes: it connects COUNT times, one after the other, and offers each
 * time the last session it got. It never runs under libsslcache: what it counts is what the server
 * did.
 *
 * usage: client [ADDRESS:]PORT VERSION COUNT SESSION REQUEST [postgres|smtp|name]
 *
 *   VERSION   1.2 or 1.3
 *   SESSION   a file: the session to begin with, if it exists, and the last one when the client
 * ends REQUEST   a file: what to send once the handshake is done; the answer is read to its end,
 * which is also when a TLS 1.3 server has sent its tickets
 *
 * With "name" it starts with TLS and asks for the server by its name, localhost.
 *
 * For each connection one line is printed: "new" (no session was at hand), "resumed", "refused"
 * (one was offered and not taken) or "failed", and the last line of the answer. It exits with 1 if
 * one failed.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 20, ANSWER_MAX = 65536, REQUEST_MAX = 4096 };

struct client {
    SSL_CTX *ctx;
    SSL_SESSION *session;
    const char *starttls;
    int port;
    size_t request_length;
    char request[REQUEST_MAX];
    char answer[ANSWER_MAX];
};

/* 127.0.0.1 where nothing else is said. */
static in_addr_t server_address = INADDR_LOOPBACK;

static int parse_server(char *text)
{
    char *colon = strchr(text, ':');
    if (colon == NULL)
        return atoi(text);
    *colon = '\0';
    server_address = ntohl(inet_addr(text));
    return atoi(colon + 1);
}

static int connect_to(int port)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    address.sin_addr.s_addr = htonl(server_address);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Sends one line, if there is one, and reads the answer, whose last line has a space after its
 * code. */
static int converse(int fd, const char *line, const char *code)
{
    char answer[1024];
    size_t length = 0;

    if (line != NULL && write(fd, line, strlen(line)) < 0)
        return 0;
    while (length + 1 < sizeof(answer) && read(fd, answer + length, 1) == 1) {
        if (answer[length++] != '\n')
            continue;
        if (length > 4 && answer[3] == ' ')
            return memcmp(answer, code, 3) == 0;
        length = 0;
    }
    return 0;
}

static int asks_by_name(const char *protocol)
{
    return protocol != NULL && strcmp(protocol, "name") == 0;
}

static int start_tls(int fd, const char *protocol)
{
    static const unsigned char ssl_request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
    char answer;

    if (protocol == NULL || asks_by_name(protocol))
        return 1;
    if (strcmp(protocol, "postgres") == 0)
        return write(fd, ssl_request, sizeof(ssl_request)) == (ssize_t)sizeof(ssl_request) &&
               read(fd, &answer, 1) == 1 && answer == 'S';
    return converse(fd, NULL, "220") && converse(fd, "EHLO localhost\r\n", "250") &&
           converse(fd, "STARTTLS\r\n", "220");
}

static size_t read_to_end(SSL *ssl, char *answer)
{
    size_t length = 0;
    int got;

    while (length < ANSWER_MAX - 1 &&
           (got = SSL_read(ssl, answer + length, (int)(ANSWER_MAX - 1 - length))) > 0)
        length += (size_t)got;
    return length;
}

/* Keeps the session for the next connection, if it is one that can be offered. */
static void keep_session(struct client *client, SSL *ssl)
{
    SSL_SESSION *session = SSL_get1_session(ssl);

    SSL_SESSION_free(client->session);
    client->session = NULL;
    if (session != NULL && SSL_SESSION_is_resumable(session))
        client->session = session;
    else
        SSL_SESSION_free(session);
}

static const char *outcome(const struct client *client, SSL *ssl)
{
    if (SSL_session_reused(ssl))
        return "resumed";
    return client->session != NULL ? "refused" : "new";
}

/* One connection on a connected socket; returns what became of it, or NULL if it failed. */
static const char *exchange(struct client *client, SSL *ssl, int fd)
{
    const char *what;
    size_t length;

    if (!SSL_set_fd(ssl, fd) || (client->session != NULL && !SSL_set_session(ssl, client->session)))
        return NULL;
    if (asks_by_name(client->starttls) && !SSL_set_tlsext_host_name(ssl, "localhost"))
        return NULL;
    if (SSL_connect(ssl) != 1)
        return NULL;
    what = outcome(client, ssl);
    if (SSL_write(ssl, client->request, (int)client->request_length) <= 0)
        return NULL;
    length = read_to_end(ssl, client->answer);
    client->answer[length] = '\0';
    SSL_shutdown(ssl);
    keep_session(client, ssl);
    return length > 0 ? what : NULL;
}

static const char *connect_once(struct client *client)
{
    const char *what = NULL;
    int fd = connect_to(client->port);
    SSL *ssl;

    if (fd < 0)
        return NULL;
    client->answer[0] = '\0';
    ssl = start_tls(fd, client->starttls) ? SSL_new(client->ctx) : NULL;
    if (ssl != NULL)
        what = exchange(client, ssl, fd);
    SSL_free(ssl);
    close(fd);
    return what;
}

/* The last line of the answer, without what does not print. */
static const char *last_line(char *answer)
{
    char *end = answer + strlen(answer);
    char *line;

    while (end > answer && (end[-1] == '\n' || end[-1] == '\r'))
        *--end = '\0';
    line = strrchr(answer, '\n');
    line = line != NULL ? line + 1 : answer;
    for (char *c = line; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return line;
}

static int read_request(struct client *client, const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return 0;
    client->request_length = fread(client->request, 1, sizeof(client->request), file);
    fclose(file);
    return client->request_length > 0;
}

static void read_session(struct client *client, const char *path)
{
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return;
    client->session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL);
    fclose(file);
}

static void write_session(const struct client *client, const char *path)
{
    FILE *file = client->session != NULL ? fopen(path, "w") : NULL;

    if (file == NULL)
        return;
    PEM_write_SSL_SESSION(file, client->session);
    fclose(file);
}

static SSL_CTX *make_context(const char *version)
{
    int number = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, number);
    SSL_CTX_set_max_proto_version(ctx, number);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    /* A server that just closes is common, and no reason to call the session bad. */
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    return ctx;
}

int main(int argc, char **argv)
{
    static struct client client;
    int failures = 0;

    if (argc < 6)
        return 2;
    client.port = parse_server(argv[1]);
    client.starttls = argv[6];
    client.ctx = make_context(argv[2]);
    if (client.ctx == NULL || !read_request(&client, argv[5]))
        return 2;
    read_session(&client, argv[4]);
    for (int count = atoi(argv[3]); count > 0; count--) {
        const char *what = connect_once(&client);

        if (what != NULL) {
            printf("%s %s\n", what, last_line(client.answer));
            continue;
        }
        printf("failed %s\n", last_line(client.answer));
        ERR_print_errors_fp(stderr);
        failures++;
    }
    write_session(&client, argv[4]);
    SSL_SESSION_free(client.session);
    SSL_CTX_free(client.ctx);
    return failures > 0;
}
