#include "sessions.h"

#include "measure.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ID_LENGTH = 32, SHORTEST_TIMEOUT = 7200 };

/* splitmix64: the number of a session in, 64 well mixed bits out. */
static uint64_t mix(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
    return number ^ (number >> 31);
}

static void set_id(SSL_SESSION *session, uint64_t number)
{
    unsigned char id[ID_LENGTH];

    for (size_t i = 0; i < ID_LENGTH; i += sizeof(number)) {
        uint64_t bits = mix(number * ID_LENGTH + i);

        memcpy(id + i, &bits, sizeof(bits));
    }
    expect(SSL_SESSION_set1_id(session, id, ID_LENGTH) == 1, "a session takes an id");
}

/* One time for all sessions of the process, however long it takes to make them. */
static long time_of_all(void)
{
    static long now;

    if (now == 0)
        now = (long)time(NULL);
    return now;
}

/* Equal timeouts: every session expires in the same second. */
static long timeout_of(const struct options *options, uint64_t number)
{
    if (!options->mixed)
        return SHORTEST_TIMEOUT;
    return SHORTEST_TIMEOUT + (long)(mix(~number) >> 34);
}

static SSL_SESSION *make_session(const struct options *options, uint64_t number)
{
    SSL_SESSION *session = SSL_SESSION_new();

    expect(session != NULL, "a session can be made");
    set_id(session, number);
    expect(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1, "it takes a version");
    SSL_SESSION_set_time(session, time_of_all());
    SSL_SESSION_set_timeout(session, timeout_of(options, number));
    return session;
}

static void shuffle(struct pool *pool)
{
    for (size_t i = pool->count; i > 1; i--) {
        size_t other = mix(i) % i;
        SSL_SESSION *swapped = pool->sessions[i - 1];

        pool->sessions[i - 1] = pool->sessions[other];
        pool->sessions[other] = swapped;
    }
}

struct pool pool_new(const struct options *options, size_t first, size_t count)
{
    struct pool pool = {allocate(count, sizeof(SSL_SESSION *)), count};

    for (size_t i = 0; i < count; i++)
        pool.sessions[i] = make_session(options, first + i);
    if (options->shuffled)
        shuffle(&pool);
    return pool;
}

void pool_free(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        SSL_SESSION_free(pool->sessions[i]);
    free(pool->sessions);
}

SSL_CTX *unlimited_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    expect(context != NULL, "a context can be made");
    SSL_CTX_sess_set_cache_size(context, 0);
    return context;
}
