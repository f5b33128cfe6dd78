/*
 * workers.c - a server that makes its context, forks its workers, and lets them shake hands.
 */
#include "handshake.h"
#include "measure.h"
#include "options.h"
#include "sessions.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SESSIONS_OF_PARENT = 1000 };

struct result {
    double handshake;
    double add;
};

static void work(const struct options *options, const struct peers *peers, struct result *result)
{
    struct pool pool = pool_new(options, SESSIONS_OF_PARENT, options->sessions);
    SSL_SESSION *session = NULL;
    double start;

    expect(!shake_hands(peers, NULL, &session, NULL), "the first handshake is a full one");
    start = cpu_nanoseconds();
    for (size_t i = 0; i < options->operations; i++)
        expect(shake_hands(peers, session, NULL, NULL), "the session is found");
    result->handshake = (cpu_nanoseconds() - start) / (double)options->operations;

    start = cpu_nanoseconds();
    for (size_t i = 0; i < pool.count; i++)
        expect(SSL_CTX_add_session(peers->server, pool.sessions[i]) == 1, "it is added");
    result->add = (cpu_nanoseconds() - start) / (double)pool.count;
}

static void fork_workers(const struct options *options, const struct peers *peers,
                         struct result *results)
{
    for (size_t i = 0; i < options->threads; i++) {
        pid_t child = fork();

        expect(child >= 0, "a worker can be forked");
        if (child == 0) {
            work(options, peers, &results[i]);
            _exit(EXIT_SUCCESS);
        }
    }
}

static void await_workers(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status;

        expect(wait(&status) > 0 && status == 0, "a worker ends well");
    }
}

static void print_results(const struct result *results, size_t count)
{
    double handshake = 0;
    double add = 0;

    for (size_t i = 0; i < count; i++) {
        handshake += results[i].handshake / (double)count;
        add += results[i].add / (double)count;
    }
    print_measurement("resumed", handshake);
    print_measurement("add", add);
}

void run_workers(const struct options *options)
{
    struct peers peers = peers_new(options->version);
    size_t size = options->threads * sizeof(struct result);
    struct result *results =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct pool pool = pool_new(options, 0, options->parent_holds ? SESSIONS_OF_PARENT : 0);
    double start;

    expect(results != MAP_FAILED, "memory can be shared");
    SSL_CTX_sess_set_cache_size(peers.server, 0);
    for (size_t i = 0; i < pool.count; i++)
        expect(SSL_CTX_add_session(peers.server, pool.sessions[i]) == 1, "it is added");
    start = wall_nanoseconds();
    fork_workers(options, &peers, results);
    await_workers(options->threads);
    print_measurement("all", wall_nanoseconds() - start);
    print_results(results, options->threads);
    peers_free(&peers);
    pool_free(&pool);
    munmap(results, size);
}
