/*
 * Many threads on few contexts: sessions are added, removed, flushed, evicted, moved in time and
 * resumed by real handshakes at once, while children are forked that use what they inherit. At the
 * end every session must have been freed, and none twice.
 *
 * usage: stress SECONDS THREADS [forks|unmoved]
 *   forks    children are forked too
 *   unmoved  no timeout is set on a session in the cache: libssl's own cache does not survive that
 */
#include "handshake.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTEXTS = 4, IDS = 4096, HELD = 32, CHILD_SESSIONS = 20, CHILD_SECONDS = 30 };

static SSL_CTX *servers[CONTEXTS], *client;
static time_t started;
static atomic_bool over;
static bool forks, unmoved;

static void fail(const char *what, long value)
{
    fprintf(stderr, "%s: %ld\n", what, value);
    _exit(1);
}

/* ---- every session that there is: those of libssl and of our library too ---- */

/* What hangs on a session. It outlives the session, so that a second freeing is seen. */
struct record {
    struct record *next;
    atomic_int frees;
};

static _Atomic(struct record *) records;
static atomic_long created, freed;
static int record_index;

static void note_birth(void *session UNUSED, void *pointer UNUSED, CRYPTO_EX_DATA *data, int index,
                       long number UNUSED, void *argument UNUSED)
{
    struct record *record = calloc(1, sizeof(*record));
    if (record == NULL || !CRYPTO_set_ex_data(data, index, record))
        abort();
    record->next = atomic_load(&records);
    while (!atomic_compare_exchange_weak(&records, &record->next, record))
        ;
    atomic_fetch_add(&created, 1);
}

static void note_death(void *session UNUSED, void *pointer, CRYPTO_EX_DATA *data UNUSED,
                       int index UNUSED, long number UNUSED, void *argument UNUSED)
{
    struct record *record = pointer;
    /* Reading created also tells ThreadSanitizer that the record was made before. */
    if (atomic_fetch_add(&freed, 1) >= atomic_load(&created))
        fail("freed more than were made", atomic_load(&freed));
    if (atomic_fetch_add(&record->frees, 1) != 0)
        fail("freed again, in all", atomic_load(&record->frees));
}

/* A duplicate keeps the record that it was born with. */
static int keep_record(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from UNUSED,
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
                       void **pointer,
#else
                       void *pointer,
#endif
                       int index, long number UNUSED, void *argument UNUSED)
{
    *(void **)pointer = CRYPTO_get_ex_data(to, index);
    return 1;
}

static long release_records(void)
{
    long alive = 0;
    for (struct record *record = atomic_load(&records), *next; record != NULL; record = next) {
        next = record->next;
        alive += atomic_load(&record->frees) == 0;
        free(record);
    }
    return alive;
}

/* ---- what a thread does ---- */

struct worker {
    pthread_t thread;
    unsigned seed;
    SSL_SESSION *held[HELD];        /* sessions made by hand, one reference each */
    SSL_SESSION *offered[CONTEXTS]; /* the client's session for the next visit */
    long resumed, children;
};

static int below(struct worker *worker, int bound)
{
    return rand_r(&worker->seed) % bound;
}

static SSL_CTX *any_server(struct worker *worker)
{
    return servers[below(worker, CONTEXTS)];
}

static SSL_SESSION *new_session(unsigned char kind, int id, long timeout)
{
    unsigned char bytes[3] = {kind, (unsigned char)(id >> 8), (unsigned char)id};
    SSL_SESSION *session = SSL_SESSION_new();
    if (session == NULL || !SSL_SESSION_set1_id(session, bytes, sizeof(bytes)) ||
        !SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION))
        abort();
    SSL_SESSION_set_time(session, (long)started);
    SSL_SESSION_set_timeout(session, timeout);
    return session;
}

/* A new session, often of an id that is in the cache. */
static void add(struct worker *worker)
{
    SSL_SESSION **place = &worker->held[below(worker, HELD)];
    SSL_SESSION_free(*place);
    *place = new_session('s', below(worker, IDS), 1 + below(worker, 1000));
    SSL_CTX_add_session(any_server(worker), *place);
}

static void take_out(struct worker *worker)
{
    SSL_SESSION *session = worker->held[below(worker, HELD)];
    if (session != NULL)
        SSL_CTX_remove_session(any_server(worker), session);
}

static void move_in_time(struct worker *worker)
{
    SSL_SESSION *session = worker->held[below(worker, HELD)];
    if (session != NULL && !unmoved)
        SSL_SESSION_set_timeout(session, 1 + below(worker, 1000));
}

static void flush(struct worker *worker)
{
    SSL_CTX *ctx = any_server(worker);
    SSL_CTX_flush_sessions(ctx, below(worker, 16) == 0 ? 0 : (long)started + below(worker, 1000));
}

static void limit(struct worker *worker)
{
    SSL_CTX_sess_set_cache_size(any_server(worker), 16 + below(worker, 200));
}

static void look(struct worker *worker)
{
    long number = SSL_CTX_sess_number(any_server(worker));
    if (number < 0)
        fail("negative number", number);
}

/* A visit that shows the session of the one before; at times the connection breaks, and libssl drops it. */
static void meet(struct worker *worker)
{
    int which = below(worker, CONTEXTS);
    SSL_SESSION **offered = &worker->offered[which];
    struct connection connection = open_connection(client, servers[which], *offered);
    if (!handshake(connection) || !say_hello(connection))
        fail("handshake failed with server", which);
    worker->resumed += SSL_session_reused(connection.client);
    SSL_SESSION_free(*offered);
    *offered = SSL_get1_session(connection.client);
    if (below(worker, 8) == 0)
        break_off(connection);
    else
        part(connection);
}

/* The child is alone with what it inherited: from here on the numbers are certain. */
static void live_as_child(SSL_CTX *ctx)
{
    alarm(CHILD_SECONDS);
    SSL_CTX_sess_set_cache_size(ctx, 0);
    long before = SSL_CTX_sess_number(ctx);
    SSL_SESSION *sessions[CHILD_SESSIONS];
    for (int i = 0; i < CHILD_SESSIONS; i++) {
        sessions[i] = new_session('c', i, 100);
        if (SSL_CTX_add_session(ctx, sessions[i]) != 1)
            fail("the child could not add", i);
    }
    if (SSL_CTX_sess_number(ctx) != before + CHILD_SESSIONS)
        fail("number in the child", SSL_CTX_sess_number(ctx) - before);
    for (int i = 0; i < CHILD_SESSIONS; i++) {
        if (SSL_CTX_remove_session(ctx, sessions[i]) != 1)
            fail("the child could not remove", i);
        SSL_SESSION_free(sessions[i]);
    }
    SSL_CTX_flush_sessions(ctx, 0);
    if (SSL_CTX_sess_number(ctx) != 0)
        fail("left in the child after a flush", SSL_CTX_sess_number(ctx));
    _exit(0);
}

static void fork_child(struct worker *worker)
{
    int status;
    pid_t child = fork();
    if (child < 0)
        fail("fork", child);
    if (child == 0)
        live_as_child(any_server(worker));
    if (waitpid(child, &status, 0) != child || status != 0)
        fail("the child ended with status", status);
    worker->children++;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load(&over)) {
        int choice = below(worker, 1000);
        if (choice < 450)
            add(worker);
        else if (choice < 700)
            take_out(worker);
        else if (choice < 800)
            move_in_time(worker);
        else if (choice < 900)
            look(worker);
        else if (choice < 920)
            limit(worker);
        else if (choice < 930)
            flush(worker);
        else if (choice < 999)
            meet(worker);
        else if (forks)
            fork_child(worker);
    }
    for (int i = 0; i < HELD; i++)
        SSL_SESSION_free(worker->held[i]);
    for (int i = 0; i < CONTEXTS; i++)
        SSL_SESSION_free(worker->offered[i]);
    return NULL;
}

/* ---- the whole ---- */

static atomic_long dropped;

/* Reads the session, which must still be there, and at times calls the API back. */
static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    unsigned length;
    SSL_SESSION_get_id(session, &length);
    if (length > SSL_MAX_SSL_SESSION_ID_LENGTH)
        fail("length of an id", length);
    if (atomic_fetch_add(&dropped, 1) % 64 == 0)
        SSL_CTX_sess_number(ctx);
}

static void make_contexts(void)
{
    client = client_context();
    servers[0] = stateful_context(TLS1_2_VERSION);
    servers[1] = stateful_context(TLS1_2_VERSION);
    servers[2] = stateful_context(TLS1_3_VERSION);
    servers[3] = stateful_context(TLS1_3_VERSION);
    SSL_CTX_set_max_early_data(servers[3], 1024); /* each ticket resumes once */
    for (int i = 0; i < CONTEXTS; i++) {
        SSL_CTX_sess_set_remove_cb(servers[i], on_remove);
        SSL_CTX_sess_set_cache_size(servers[i], 100);
    }
}

int main(int count, char **arguments)
{
    if (count < 3)
        return 2;
    int threads = atoi(arguments[2]);
    struct worker *workers = calloc((size_t)threads, sizeof(*workers));
    if (workers == NULL)
        return 2;
    forks = count > 3 && strcmp(arguments[3], "forks") == 0;
    unmoved = count > 3 && strcmp(arguments[3], "unmoved") == 0;
    started = time(NULL);
    record_index = SSL_SESSION_get_ex_new_index(0, NULL, note_birth, keep_record, note_death);
    make_contexts();
    for (int i = 0; i < threads; i++) {
        workers[i].seed = (unsigned)i + 1;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            abort();
    }
    sleep((unsigned)atoi(arguments[1]));
    atomic_store(&over, true);
    long resumed = 0, children = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        resumed += workers[i].resumed;
        children += workers[i].children;
    }
    for (int i = 0; i < CONTEXTS; i++)
        SSL_CTX_free(servers[i]);
    SSL_CTX_free(client);
    free(workers);
    long total = atomic_load(&created), gone = atomic_load(&freed), alive = release_records();
    printf("created %ld freed %ld alive %ld removed %ld resumed %ld children %ld\n", total, gone,
           alive, atomic_load(&dropped), resumed, children);
    return 0;
}
