/*
 * contexts.c - a process with many contexts, a session in each: SSL_SESSION_set_timeout(3) has to find the cache that
 * the session is in.
 */
#include "measure.h"
#include "options.h"
#include "sessions.h"

#include <stdlib.h>

void run_contexts(const struct options *options)
{
    struct pool pool = pool_new(options, 0, options->sessions);
    SSL_CTX **contexts = allocate(options->sessions, sizeof(SSL_CTX *));
    double start;

    for (size_t i = 0; i < options->sessions; i++) {
        contexts[i] = unlimited_context();
        expect(SSL_CTX_add_session(contexts[i], pool.sessions[i]) == 1, "it is added");
    }
    start = cpu_nanoseconds();
    for (size_t i = 0; i < options->operations; i++)
        SSL_SESSION_set_timeout(pool.sessions[i % options->sessions], 1000 + (long)(i % 10));
    print_measurement("set_timeout", (cpu_nanoseconds() - start) / (double)options->operations);
    for (size_t i = 0; i < options->sessions; i++)
        SSL_CTX_free(contexts[i]);
    pool_free(&pool);
    free(contexts);
}
