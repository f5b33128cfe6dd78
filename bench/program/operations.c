/*
 * operations.c - one thread, one context that holds a given number of sessions: what each operation
 * costs.
 */
#include "measure.h"
#include "options.h"
#include "sessions.h"

#include <time.h>

enum { SMALLEST_BATCH = 1000, LARGEST_BATCH = 10000, WARM_BATCH = 500 };

/*
 * The sessions as a ring: those from oldest up to next are in the cache, the rest is spare. Adding
 * the next and removing the oldest keeps the number, and visits every session in turn.
 */
struct ring {
    SSL_CTX *context;
    struct pool pool;
    size_t oldest;
    size_t next;
};

static size_t batch_size(const struct options *options)
{
    size_t tenth = options->sessions / 10;

    if (tenth < SMALLEST_BATCH)
        return SMALLEST_BATCH;
    return tenth < LARGEST_BATCH ? tenth : LARGEST_BATCH;
}

static void add_next(struct ring *ring)
{
    expect(SSL_CTX_add_session(ring->context, ring->pool.sessions[ring->next]) == 1, "it is added");
    ring->next = ring->next + 1 == ring->pool.count ? 0 : ring->next + 1;
}

static void remove_oldest(struct ring *ring)
{
    expect(SSL_CTX_remove_session(ring->context, ring->pool.sessions[ring->oldest]) == 1,
           "it is removed");
    ring->oldest = ring->oldest + 1 == ring->pool.count ? 0 : ring->oldest + 1;
}

static void expect_number(const struct ring *ring, size_t number)
{
    expect(SSL_CTX_sess_number(ring->context) == (long)number, "the cache holds the right number");
}

static void fill(struct ring *ring, size_t sessions)
{
    ring->oldest = 0;
    ring->next = 0;
    for (size_t i = 0; i < sessions; i++)
        add_next(ring);
    expect_number(ring, sessions);
}

/* Whatever starts with the first session of a process is over before the clock runs. */
static void warm_up(struct ring *ring)
{
    ring->context = unlimited_context();
    fill(ring, 1);
    remove_oldest(ring);
    SSL_CTX_free(ring->context);
}

static void measure_memory(struct ring *ring, size_t sessions)
{
    double before = resident_bytes();

    ring->context = unlimited_context();
    fill(ring, sessions);
    print_measurement("memory", (resident_bytes() - before) / (double)sessions);
    SSL_CTX_free(ring->context);
}

static double flush_all(struct ring *ring)
{
    double start = cpu_nanoseconds();

    /* Not 0, which would take all without a look at their time; 200 years, and all have expired. */
    SSL_CTX_flush_sessions(ring->context, (long)time(NULL) + 200L * 365 * 24 * 3600);
    start = cpu_nanoseconds() - start;
    expect_number(ring, 0);
    return start;
}

static void measure_fill_and_flush(struct ring *ring, const struct options *options)
{
    size_t times = options->operations / options->sessions + 1;
    double filling = 0;
    double flushing = 0;

    for (size_t i = 0; i < times; i++) {
        double start;

        ring->context = unlimited_context();
        start = cpu_nanoseconds();
        fill(ring, options->sessions);
        filling += cpu_nanoseconds() - start;
        flushing += flush_all(ring);
        SSL_CTX_free(ring->context);
    }
    print_measurement("fill", filling / (double)(times * options->sessions));
    print_measurement("flush", flushing / (double)(times * options->sessions));
}

static void measure_add_and_remove(struct ring *ring, const struct options *options)
{
    size_t batch = batch_size(options);
    size_t times = options->operations / batch + 1;
    double adding = 0;
    double removing = 0;

    for (size_t i = 0; i < times; i++) {
        double start = cpu_nanoseconds();
        double between;

        for (size_t j = 0; j < batch; j++)
            add_next(ring);
        between = cpu_nanoseconds();
        for (size_t j = 0; j < batch; j++)
            remove_oldest(ring);
        adding += between - start;
        removing += cpu_nanoseconds() - between;
    }
    expect_number(ring, options->sessions);
    print_measurement("add", adding / (double)(times * batch));
    print_measurement("remove", removing / (double)(times * batch));
}

/*
 * Brings the next sessions into the processor's caches, which is where a handshake that has just
 * made a session leaves it.
 */
static void touch_next(const struct ring *ring)
{
    for (size_t i = 0; i < WARM_BATCH; i++) {
        SSL_SESSION *session = ring->pool.sessions[(ring->next + i) % ring->pool.count];

        expect(SSL_SESSION_up_ref(session) == 1, "a session can be referred to");
        SSL_SESSION_set_time(session, SSL_SESSION_get_time(session));
        SSL_SESSION_free(session);
    }
}

static void measure_adds_of_warm_sessions(struct ring *ring, const struct options *options)
{
    size_t times = options->operations / WARM_BATCH + 1;
    double adding = 0;

    for (size_t i = 0; i < times; i++) {
        double start;

        touch_next(ring);
        start = cpu_nanoseconds();
        for (size_t j = 0; j < WARM_BATCH; j++)
            add_next(ring);
        adding += cpu_nanoseconds() - start;
        for (size_t j = 0; j < WARM_BATCH; j++)
            remove_oldest(ring);
    }
    expect_number(ring, options->sessions);
    print_measurement("warm", adding / (double)(times * WARM_BATCH));
}

static void measure_pairs(struct ring *ring, const struct options *options)
{
    double start = cpu_nanoseconds();

    for (size_t i = 0; i < options->operations; i++) {
        add_next(ring);
        remove_oldest(ring);
    }
    print_measurement("pair", (cpu_nanoseconds() - start) / (double)options->operations);
    expect_number(ring, options->sessions);
}

/*
 * Sessions of equal timeouts leave in the order they came in, so the ring may turn for ever. Of
 * mixed ones it is not known here who left: only the spare ones are added.
 */
static void measure_evictions(struct ring *ring, const struct options *options)
{
    size_t count = options->mixed ? batch_size(options) : options->operations;
    double start;
    long evicted;

    SSL_CTX_sess_set_cache_size(ring->context, (long)options->sessions);
    evicted = SSL_CTX_sess_cache_full(ring->context);
    start = cpu_nanoseconds();
    for (size_t i = 0; i < count; i++)
        add_next(ring);
    print_measurement("evict", (cpu_nanoseconds() - start) / (double)count);
    evicted = SSL_CTX_sess_cache_full(ring->context) - evicted;
    expect(evicted >= (long)count, "each add into a full cache evicts");
}

void run_operations(const struct options *options)
{
    struct ring ring = {.pool = pool_new(options, 0, options->sessions + batch_size(options))};

    measure_memory(&ring, options->sessions);
    warm_up(&ring);
    measure_fill_and_flush(&ring, options);
    ring.context = unlimited_context();
    fill(&ring, options->sessions);
    measure_add_and_remove(&ring, options);
    measure_adds_of_warm_sessions(&ring, options);
    measure_pairs(&ring, options);
    measure_evictions(&ring, options);
    SSL_CTX_free(ring.context);
    pool_free(&ring.pool);
}
