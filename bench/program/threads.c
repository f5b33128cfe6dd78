/*
 * threads.c - several threads add their sessions all at once, then remove them all at once.
 */
#include "measure.h"
#include "options.h"
#include "sessions.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { TURNS = 16 };

struct worker {
    pthread_t thread;
    size_t number;
    pthread_barrier_t *barrier;
    SSL_CTX *context;
    struct pool pool;
    struct pool standing;
    double start[TURNS];
    double added[TURNS];
    double removed[TURNS];
};

static void add_all(struct worker *worker)
{
    for (size_t i = 0; i < worker->pool.count; i++)
        expect(SSL_CTX_add_session(worker->context, worker->pool.sessions[i]) == 1, "it is added");
}

static void remove_all(struct worker *worker)
{
    for (size_t i = 0; i < worker->pool.count; i++)
        expect(SSL_CTX_remove_session(worker->context, worker->pool.sessions[i]) == 1,
               "it is removed");
}

/*
 * A thread stays on a processor of its own: a turn is over before the scheduler would have spread
 * threads that happen to have woken on one.
 */
static void bind_to_processor(size_t number)
{
    cpu_set_t allowed;
    cpu_set_t chosen;
    size_t skip;

    expect(sched_getaffinity(0, sizeof(allowed), &allowed) == 0, "the processors can be listed");
    skip = number % (size_t)CPU_COUNT(&allowed);
    CPU_ZERO(&chosen);
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &allowed) && skip-- == 0)
            CPU_SET(i, &chosen);
    }
    expect(sched_setaffinity(0, sizeof(chosen), &chosen) == 0, "a thread can be bound");
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    bind_to_processor(worker->number);
    for (size_t turn = 0; turn < TURNS; turn++) {
        pthread_barrier_wait(worker->barrier);
        worker->start[turn] = wall_nanoseconds();
        add_all(worker);
        worker->added[turn] = wall_nanoseconds();
        pthread_barrier_wait(worker->barrier);
        remove_all(worker);
        worker->removed[turn] = wall_nanoseconds();
    }
    return NULL;
}

/*
 * A context whose cache holds sessions already, as that of a server at work. They are stored by this
 * thread, which no processor is set for: what starts with the first session inherits that.
 */
static SSL_CTX *context_at_work(const struct pool *standing)
{
    SSL_CTX *context = unlimited_context();

    for (size_t i = 0; i < standing->count; i++)
        expect(SSL_CTX_add_session(context, standing->sessions[i]) == 1, "it is added");
    return context;
}

static struct worker *start_workers(const struct options *options, pthread_barrier_t *barrier)
{
    struct worker *workers = allocate(options->threads, sizeof(*workers));
    SSL_CTX *context = NULL;

    for (size_t i = 0; i < options->threads; i++) {
        workers[i].number = i;
        workers[i].barrier = barrier;
        workers[i].pool = pool_new(options, 2 * i * options->sessions, options->sessions);
        workers[i].standing = pool_new(options, (2 * i + 1) * options->sessions, options->sessions);
        if (context == NULL || options->own_contexts)
            context = context_at_work(&workers[i].standing);
        else
            SSL_CTX_up_ref(context);
        workers[i].context = context;
    }
    for (size_t i = 0; i < options->threads; i++)
        expect(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0,
               "a thread can be made");
    return workers;
}

static void end_workers(struct worker *workers, const struct options *options)
{
    for (size_t i = 0; i < options->threads; i++)
        expect(pthread_join(workers[i].thread, NULL) == 0, "a thread ends");
    for (size_t i = 0; i < options->threads; i++)
        expect(SSL_CTX_sess_number(workers[i].context) == (long)options->sessions,
               "the cache holds what it held before");
}

/* From the first that starts to the last that is done; removing starts when the last has added. */
static void time_turn(const struct worker *workers, size_t threads, size_t turn, double *adding,
                      double *removing)
{
    double start = workers[0].start[turn];
    double added = workers[0].added[turn];
    double removed = workers[0].removed[turn];

    for (size_t i = 1; i < threads; i++) {
        start = workers[i].start[turn] < start ? workers[i].start[turn] : start;
        added = workers[i].added[turn] > added ? workers[i].added[turn] : added;
        removed = workers[i].removed[turn] > removed ? workers[i].removed[turn] : removed;
    }
    *adding = added - start;
    *removing = removed - added;
}

/* The first turn is left out: it is for whatever starts with the first call from a thread. */
static void print_times(const struct worker *workers, const struct options *options)
{
    double operations = (double)(options->threads * options->sessions);
    double adding[TURNS];
    double removing[TURNS];

    for (size_t turn = 1; turn < TURNS; turn++)
        time_turn(workers, options->threads, turn, &adding[turn], &removing[turn]);
    print_measurement("add", median(adding + 1, TURNS - 1) / operations);
    print_measurement("remove", median(removing + 1, TURNS - 1) / operations);
}

void run_threads(const struct options *options)
{
    pthread_barrier_t barrier;
    struct worker *workers;

    expect(pthread_barrier_init(&barrier, NULL, (unsigned int)options->threads) == 0, "a barrier");
    workers = start_workers(options, &barrier);
    end_workers(workers, options);
    print_times(workers, options);
    for (size_t i = 0; i < options->threads; i++) {
        SSL_CTX_free(workers[i].context);
        pool_free(&workers[i].pool);
        pool_free(&workers[i].standing);
    }
    free(workers);
    pthread_barrier_destroy(&barrier);
}
