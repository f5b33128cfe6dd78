/*
 * elsewhere.h - one session, and servers that can have it of the store only: each is a context of its own with an
 * empty cache, and the same session id context.
 */
#ifndef TESTS_STORE_ELSEWHERE_H
#define TESTS_STORE_ELSEWHERE_H

#include "handshake.h"
#include <time.h>

static SSL_CTX *client;
static SSL_SESSION *session;

UNUSED static void rest(int milliseconds)
{
    struct timespec left = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = milliseconds % 1000 * 1000000L};
    while (nanosleep(&left, &left) != 0)
        ;
}

/* Makes the session, and leaves the store the time to have it. */
static void store_session(void)
{
    client = client_context();
    SSL_CTX *server = stateful_context(TLS1_2_VERSION);
    session = visit("first", client, server, NULL);
    SSL_CTX_free(server);
    rest(300);
}

/* 1: resumed, 0: done without, -1: failed. Says nothing, unless it fails. */
static int ask_elsewhere(void)
{
    SSL_CTX *server = stateful_context(TLS1_2_VERSION);
    struct connection connection = open_connection(client, server, session);
    int done = handshake(connection);
    int resumed = SSL_session_reused(connection.server);
    part(connection);
    SSL_CTX_free(server);
    return done ? resumed : -1;
}

/* Until the store has it: it may have been away. */
UNUSED static void show_elsewhere(const char *title)
{
    int answer = 0;
    for (int i = 0; i < 100 && answer == 0; i++) {
        answer = ask_elsewhere();
        if (answer == 0)
            rest(50);
    }
    printf("%s: %s\n", title, answer == 1 ? "resumed" : answer == 0 ? "not resumed" : "failed");
}

UNUSED static void leave(void)
{
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
}

#endif
