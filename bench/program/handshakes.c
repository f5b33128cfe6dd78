/*
 * handshakes.c - real handshakes: full ones, resumed ones, and look-ups among many sessions.
 */
#include "handshake.h"
#include "measure.h"
#include "options.h"
#include "sessions.h"

#include <pthread.h>
#include <unistd.h>

static double time_handshakes(const struct peers *peers, SSL_SESSION *session, size_t count)
{
    double start = cpu_nanoseconds();

    for (size_t i = 0; i < count; i++)
        expect(shake_hands(peers, session, NULL, NULL) == (session != NULL), "resumed as asked");
    return (cpu_nanoseconds() - start) / (double)count;
}

static void *sleep_on(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* glibc's malloc takes locks in a process with threads, whatever they do. */
static void start_sleepers(size_t count)
{
    pthread_t thread;

    for (size_t i = 0; i < count; i++)
        expect(pthread_create(&thread, NULL, sleep_on, NULL) == 0, "a thread starts");
}

void run_handshakes(const struct options *options)
{
    start_sleepers(options->threads - 1);
    struct peers peers = peers_new(options->version);
    SSL_SESSION *session = NULL;

    if (options->tickets)
        SSL_CTX_clear_options(peers.server, SSL_OP_NO_TICKET);
    expect(!shake_hands(&peers, NULL, &session, NULL), "the first handshake is a full one");
    print_measurement("resumed", time_handshakes(&peers, session, options->operations));
    print_measurement("full", time_handshakes(&peers, NULL, options->operations / 4));
    SSL_SESSION_free(session);
    peers_free(&peers);
}

void run_lookups(const struct options *options)
{
    struct peers peers = peers_new(options->version);
    struct pool pool = pool_new(options, 0, options->sessions);
    SSL_SESSION *session = NULL;
    double sum = 0;

    SSL_CTX_sess_set_cache_size(peers.server, 0);
    for (size_t i = 0; i < pool.count; i++)
        expect(SSL_CTX_add_session(peers.server, pool.sessions[i]) == 1, "it is added");
    expect(!shake_hands(&peers, NULL, &session, NULL), "the first handshake is a full one");
    for (size_t i = 0; i < options->operations; i++) {
        double looking_up;

        expect(shake_hands(&peers, session, NULL, &looking_up), "the session is found");
        sum += looking_up;
    }
    print_measurement("lookup", sum / (double)options->operations);
    SSL_SESSION_free(session);
    peers_free(&peers);
    pool_free(&pool);
}
