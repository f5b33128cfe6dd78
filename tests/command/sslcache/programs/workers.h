/*
 * workers.h - a server of two processes, each with a cache of its own: what a client got from the first
 * it offers to the second.
 */
#ifndef TESTS_WORKERS_H
#define TESTS_WORKERS_H

#include "handshake.h"
#include <sys/wait.h>
#include <unistd.h>

enum { VISITS = 4 };

/* A client's session on its way to another process. */
static void send_session(int pipe, SSL_SESSION *session)
{
    unsigned char text[4096], *end = text;
    int length = i2d_SSL_SESSION(session, NULL);
    if (length <= 0 || length > (int)sizeof(text) || i2d_SSL_SESSION(session, &end) != length ||
        write(pipe, &length, sizeof(length)) != sizeof(length) ||
        write(pipe, text, (size_t)length) != length)
        abort();
}

/* The caller frees it. */
static SSL_SESSION *receive_session(int pipe)
{
    unsigned char text[4096];
    const unsigned char *start = text;
    int length;
    if (read(pipe, &length, sizeof(length)) != sizeof(length) || length > (int)sizeof(text) ||
        read(pipe, text, (size_t)length) != length)
        abort();
    return d2i_SSL_SESSION(NULL, &start, length);
}

static void first_worker(SSL_CTX *client, SSL_CTX *server, int pipe)
{
    for (int i = 0; i < VISITS; i++) {
        SSL_SESSION *session = visit("first worker", client, server, NULL);
        send_session(pipe, session);
        SSL_SESSION_free(session);
    }
}

static void second_worker(SSL_CTX *client, SSL_CTX *server, int pipe)
{
    for (int i = 0; i < VISITS; i++) {
        SSL_SESSION *session = receive_session(pipe);
        revisit("second worker", client, server, session);
        SSL_SESSION_free(session);
    }
}

/* Runs both; the first worker waits for the end of the second where it is to be there still. */
static int run_workers(int first_stays)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    int sessions[2], stay[2];
    if (pipe(sessions) != 0 || pipe(stay) != 0)
        abort();
    pid_t first = fork();
    if (first == 0) {
        char byte;
        close(stay[1]);
        first_worker(client, server, sessions[1]);
        if (first_stays && read(stay[0], &byte, 1) != 0)
            abort();
        exit(0);
    }
    if (!first_stays)
        waitpid(first, NULL, 0);
    pid_t second = fork();
    if (second == 0) {
        second_worker(client, server, sessions[0]);
        exit(0);
    }
    waitpid(second, NULL, 0);
    close(stay[1]);
    waitpid(first, NULL, 0);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}

#endif
