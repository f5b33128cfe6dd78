/* What becomes of adds and of visits where something fails. Arguments: the version; 1: fork. */
#include "handshake.h"
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 60 };

/* One letter for each: A added, r refused; and how many were left. */
static void add_many(SSL_CTX *ctx)
{
    char letters[ROUNDS + 1] = "";
    for (int i = 0; i < ROUNDS; i++) {
        char name[8];
        snprintf(name, sizeof(name), "s%d", i);
        SSL_SESSION *session = simple_session(name, 1000000000, 2000000000);
        letters[i] = SSL_CTX_add_session(ctx, session) ? 'A' : 'r';
        SSL_SESSION_free(session);
    }
    printf("adds: %s\n", letters);
    show("added", ctx);
    SSL_CTX_flush_sessions(ctx, 0);
    removals.count = frees.count = 0;
}

/* R resumed, f full handshake. A session serves as often as it is resumed. */
static void visit_often(int version)
{
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    char letters[ROUNDS + 1] = "";
    SSL_SESSION *session = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        struct connection connection = open_connection(client, server, session);
        if (!handshake(connection) || !say_hello(connection))
            abort();
        letters[i] = SSL_session_reused(connection.client) ? 'R' : 'f';
        SSL_SESSION_free(session);
        session = SSL_get1_session(connection.client);
        part(connection);
    }
    printf("visits: %s\n", letters);
    printf("hits %ld misses %ld timeouts %ld full %ld held %ld removed %d\n",
           SSL_CTX_sess_hits(server), SSL_CTX_sess_misses(server), SSL_CTX_sess_timeouts(server),
           SSL_CTX_sess_cache_full(server), SSL_CTX_sess_number(server), removals.count);
    removals.count = 0;
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    removals.count = 0;
}

static void run(int version)
{
    SSL_CTX *ctx = noting_context();
    add_many(ctx);
    SSL_CTX_free(ctx);
    visit_often(version);
    fflush(stdout);
}

static void run_in_child(int version)
{
    pid_t child = fork();
    if (child == 0) {
        run(version);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

int main(int count UNUSED, char **arguments)
{
    int version = atoi(arguments[1]);
    run(version);
    if (atoi(arguments[2]) == 0)
        return 0;
    run_in_child(version);
    run_in_child(version);
    return 0;
}
