/*
 * forks.c - what a fork costs a process that keeps sessions: a child for each connection, and a child that only ends.
 */
#include "handshake.h"
#include "measure.h"
#include "options.h"
#include "sessions.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void await_child(pid_t child)
{
    int status;

    expect(child > 0, "a child can be forked");
    expect(waitpid(child, &status, 0) == child && status == 0, "the child ends well");
}

/* As a server that forks for each connection: the child shakes hands, and stores one session. */
void run_children(const struct options *options)
{
    struct peers peers = peers_new(options->version);
    double start = wall_nanoseconds();

    for (size_t i = 0; i < options->operations; i++) {
        pid_t child = fork();

        if (child == 0) {
            expect(!shake_hands(&peers, NULL, NULL, NULL), "the handshake is a full one");
            expect(SSL_CTX_sess_number(peers.server) == 1, "the child has one session");
            _exit(EXIT_SUCCESS);
        }
        await_child(child);
    }
    print_measurement("child", (wall_nanoseconds() - start) / (double)options->operations);
    peers_free(&peers);
}

void run_fork(const struct options *options)
{
    struct pool pool = pool_new(options, 0, options->sessions);
    SSL_CTX *context = unlimited_context();
    double *times = allocate(options->operations, sizeof(*times));

    for (size_t i = 0; i < pool.count; i++)
        expect(SSL_CTX_add_session(context, pool.sessions[i]) == 1, "it is added");
    for (size_t i = 0; i < options->operations; i++) {
        double start = wall_nanoseconds();
        pid_t child = fork();

        if (child == 0)
            _exit(EXIT_SUCCESS);
        await_child(child);
        times[i] = wall_nanoseconds() - start;
    }
    print_measurement("fork", median(times, options->operations));
    SSL_CTX_free(context);
    pool_free(&pool);
    free(times);
}
