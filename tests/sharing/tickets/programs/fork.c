/*
 * A server and its child take turns at opening what the other has sealed: with the SSL_CTX that was there before
 * the fork, and with one that each has made for itself. Then the key file is replaced, and they do it again.
 *
 * usage: fork VERSION [KEYS NEXT]    NEXT takes the place of KEYS
 */
#include "passed.h"
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

struct side {
    const char *name;
    SSL_CTX *client, *inherited, *own;
    int from, to; /* the other side */
};

static SSL_SESSION *go(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *offered, int *is_resumed)
{
    struct connection connection = open_connection(client, server, offered);
    if (!handshake(connection) || !say_hello(connection))
        abort();
    *is_resumed = SSL_session_reused(connection.server);
    SSL_SESSION *session = SSL_get1_session(connection.client);
    part(connection);
    return session;
}

static int opens(const struct side *side, SSL_CTX *server, SSL_SESSION *offered)
{
    int is_resumed;
    SSL_SESSION_free(go(side->client, server, offered, &is_resumed));
    return is_resumed;
}

static void say(const struct side *side, const char *what, SSL_SESSION *offered)
{
    printf("%s, %s: inherited %d own %d\n", side->name, what, opens(side, side->inherited, offered),
           opens(side, side->own, offered));
    fflush(stdout);
}

/* Then it is the other's turn. */
static void seal(const struct side *side, SSL_CTX *server)
{
    int is_resumed;
    SSL_SESSION *session = go(side->client, server, NULL, &is_resumed);
    send_session(side->to, session);
    SSL_SESSION_free(session);
}

static SSL_SESSION *open_next(const struct side *side, const char *what)
{
    SSL_SESSION *session = receive_session(side->from);
    if (session == NULL)
        abort();
    say(side, what, session);
    return session;
}

/* The keys are looked at once a second. */
static void wait_for_keys(void)
{
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 200000000}, NULL);
}

static void run_parent(const struct side *side, const char *keys, const char *next)
{
    seal(side, side->inherited);
    SSL_SESSION_free(open_next(side, "sealed by the child's own"));
    seal(side, side->own);
    SSL_SESSION *old = open_next(side, "sealed by the child's inherited");
    if (keys != NULL) {
        if (rename(next, keys) != 0)
            abort();
        wait_for_keys();
    }
    say(side, "afterwards, sealed before", old);
    SSL_SESSION_free(old);
    seal(side, side->inherited);
    SSL_SESSION_free(open_next(side, "afterwards, sealed by the child's inherited"));
}

static void run_child(const struct side *side)
{
    SSL_SESSION *old = open_next(side, "sealed by the parent's inherited");
    seal(side, side->own);
    SSL_SESSION_free(open_next(side, "sealed by the parent's own"));
    seal(side, side->inherited);
    SSL_SESSION_free(open_next(side, "afterwards, sealed by the parent's inherited"));
    say(side, "afterwards, sealed before", old);
    SSL_SESSION_free(old);
    seal(side, side->inherited);
}

static void free_side(const struct side *side)
{
    SSL_CTX_free(side->client), SSL_CTX_free(side->inherited), SSL_CTX_free(side->own);
}

int main(int count, char **arguments)
{
    int down[2], up[2];
    if (count < 2 || pipe(down) != 0 || pipe(up) != 0)
        return 2;
    int version = strcmp(arguments[1], "1.3") == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
    struct side side = {.client = client_context(), .inherited = server_context(version)};
    pid_t child = fork();
    side.name = child == 0 ? "child" : "parent";
    side.own = server_context(version);
    side.from = child == 0 ? down[0] : up[0];
    side.to = child == 0 ? up[1] : down[1];
    if (child == 0)
        run_child(&side);
    else
        run_parent(&side, count > 3 ? arguments[2] : NULL, count > 3 ? arguments[3] : NULL);
    free_side(&side);
    int status = 0;
    if (child != 0)
        waitpid(child, &status, 0);
    return status != 0;
}
