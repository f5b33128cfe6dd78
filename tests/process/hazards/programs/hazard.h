/*
 * hazard.h - what the programs of this folder share: sessions by number, and little of that.
 *
 * Each program lives in a way that once ended differently under the library. What it prints is the same however
 * often it runs.
 */
#ifndef TESTS_HAZARD_H
#define TESTS_HAZARD_H

#include "handshake.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

UNUSED static SSL_SESSION *numbered_session(unsigned number)
{
    unsigned char id[32] = {0};
    SSL_SESSION *session = SSL_SESSION_new();
    if (session == NULL)
        return NULL;
    memcpy(id, &number, sizeof(number));
    id[31] = 1;
    SSL_SESSION_set1_id(session, id, sizeof(id));
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    SSL_SESSION_set_timeout(session, 1000000);
    return session;
}

/* Adds the sessions from a number up to another, and gives how many went in. */
UNUSED static int add_numbered(SSL_CTX *ctx, unsigned from, unsigned to)
{
    int added = 0;
    for (unsigned number = from; number < to; number++) {
        SSL_SESSION *session = numbered_session(number);
        added += session != NULL && SSL_CTX_add_session(ctx, session) == 1;
        SSL_SESSION_free(session);
    }
    return added;
}

/* A context without a limit. */
UNUSED static SSL_CTX *unlimited_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (ctx != NULL)
        SSL_CTX_sess_set_cache_size(ctx, 0);
    return ctx;
}

/* Both ends of so many connections, each with a session that the server keeps. Gives how many handshakes were done. */
UNUSED static int connect_often(SSL_CTX *client, SSL_CTX *server, int times)
{
    int done = 0;
    for (int i = 0; i < times; i++) {
        struct connection connection = open_connection(client, server, NULL);
        done += handshake(connection);
        part(connection);
    }
    return done;
}

UNUSED static void rest_ms(long milliseconds)
{
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

UNUSED static void start_thread(void *(*work)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, argument) != 0)
        abort();
    pthread_detach(thread);
}

#endif
