/*
 * sessions.h - sessions made before the clock starts.
 */
#ifndef BENCH_SESSIONS_H
#define BENCH_SESSIONS_H

#include "options.h"

#include <openssl/ssl.h>
#include <stddef.h>

/* TLS 1.2 sessions with ids of 32 bytes; the pool keeps one reference to each until pool_free. */
struct pool {
    SSL_SESSION **sessions;
    size_t count;
};

/*
 * first tells pools of one process apart: two pools whose numbers do not overlap share no id. The
 * same numbers give the same ids, timeouts and order in every run.
 */
struct pool pool_new(const struct options *options, size_t first, size_t count);

void pool_free(struct pool *pool);

/* A server's context whose cache has no limit. */
SSL_CTX *unlimited_context(void);

#endif
