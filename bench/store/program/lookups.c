/*
 * lookups.c - what it takes to look a session up among many, and to store one, with some processes at once.
 *
 * usage: lookups RECORDS OPERATIONS PACE PROCESSES...
 *
 * A server of TLS 1.2 gets RECORDS sessions, with a pause of PACE microseconds after each hundred. For each number of
 * PROCESSES so many are forked from it, and each of them answers OPERATIONS ClientHellos that offer one of these
 * sessions. Then, for each number again, each stores OPERATIONS new ones. Printed for each: lookup or store, the
 * processes, nanoseconds of one operation (the median of each process), operations a second of all, how many
 * sessions were found or stored.
 */
#include "handshake.h"
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PROCESSES = 64, ID_SIZE = SSL_MAX_SSL_SESSION_ID_LENGTH, HELLO_MAX = 4096 };

/* Where the id lies: after the heads of record and message, the version, the random bytes, the id's length. */
enum { ID_AT = 5 + 4 + 2 + 32 + 1 };

struct result {
    double middle; /* of the nanoseconds that an operation took */
    double ended;
    long done;
};

/* In memory that all processes have. */
struct meeting {
    atomic_int waiting, has_begun;
    double began;
    struct result results[MOST_PROCESSES];
};

struct server {
    SSL_CTX *ctx;
    SSL_SESSION *model;
    unsigned char hello[HELLO_MAX]; /* that offers a session */
    int hello_length;
    uint64_t records;
    uint64_t stored; /* how many beside the records have an id by now */
    int operations;
};

static struct meeting *meeting;

static void expect(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "not so: %s\n", what);
    exit(1);
}

static double nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void set_id(unsigned char id[ID_SIZE], uint64_t number)
{
    memset(id, 's', ID_SIZE);
    memcpy(id, &number, sizeof(number));
}

static SSL_SESSION *session_of(const struct server *server, uint64_t number)
{
    unsigned char id[ID_SIZE];
    SSL_SESSION *session = SSL_SESSION_dup(server->model);
    set_id(id, number);
    expect(session != NULL && SSL_SESSION_set1_id(session, id, ID_SIZE), "a session can be made");
    return session;
}

/* ---- the server and its records ---- */

static void make_hello(struct server *server, SSL_CTX *client, SSL_SESSION *offered)
{
    SSL *ssl = SSL_new(client);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    expect(ssl != NULL && in != NULL && out != NULL, "a connection can be made");
    SSL_set_bio(ssl, in, out);
    expect(SSL_set_session(ssl, offered), "the client takes the session");
    SSL_connect(ssl);
    server->hello_length = BIO_read(out, server->hello, HELLO_MAX);
    expect(server->hello_length > ID_AT + ID_SIZE && server->hello[ID_AT - 1] == ID_SIZE,
           "the client offers a session id");
    SSL_free(ssl);
}

static void fill(const struct server *server, useconds_t pace)
{
    for (uint64_t i = 0; i < server->records; i++) {
        SSL_SESSION *session = session_of(server, i);
        expect(SSL_CTX_add_session(server->ctx, session), "a session is added");
        SSL_SESSION_free(session);
        if (pace > 0 && i % 100 == 99)
            usleep(pace);
    }
}

static struct server make_server(uint64_t records, int operations, useconds_t pace)
{
    struct server server = {
        .ctx = stateful_context(TLS1_2_VERSION), .records = records, .operations = operations};
    SSL_CTX *client = client_context();
    SSL_CTX_set_timeout(server.ctx, 7200);
    SSL_CTX_sess_set_cache_size(server.ctx, 0);
    struct connection connection = open_connection(client, server.ctx, NULL);
    expect(handshake(connection), "the first handshake goes well");
    /* A copy: what leaves the cache can't be resumed any more, nor what is made of it. */
    server.model = SSL_SESSION_dup(SSL_get0_session(connection.server));
    expect(server.model != NULL, "a session can be copied");
    make_hello(&server, client, SSL_get0_session(connection.client));
    part(connection);
    SSL_CTX_free(client);
    fill(&server, pace);
    return server;
}

/* ---- what a process does ---- */

/* All begin at once. */
static void meet(void)
{
    const struct timespec pause = {.tv_nsec = 100000};
    atomic_fetch_add(&meeting->waiting, 1);
    while (!atomic_load(&meeting->has_begun))
        nanosleep(&pause, NULL);
}

/* Nanoseconds that the server takes to answer a hello; *found is counted up. */
static double answer(const struct server *server, const unsigned char *hello, long *found)
{
    SSL *ssl = SSL_new(server->ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    expect(ssl != NULL && in != NULL && out != NULL, "a connection can be made");
    SSL_set_bio(ssl, in, out);
    BIO_write(in, hello, server->hello_length);
    double begun = nanoseconds();
    SSL_accept(ssl);
    double took = nanoseconds() - begun;
    *found += SSL_session_reused(ssl);
    /* Else it would count as broken, and its session would go. */
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
    return took;
}

static int compare(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;
    return (one > other) - (one < other);
}

/* One operation that another process interrupts takes as long as thousands: not the mean. */
static double middle_of(double *times, int count)
{
    qsort(times, (size_t)count, sizeof(*times), compare);
    return times[count / 2];
}

static double *room_for_times(const struct server *server)
{
    double *times = calloc((size_t)server->operations, sizeof(double));
    expect(times != NULL, "there is memory");
    return times;
}

static void look_up(const struct server *server, int process, struct result *result)
{
    unsigned char hello[HELLO_MAX];
    uint64_t number = (uint64_t)process * 104729;
    double *times = room_for_times(server);
    memcpy(hello, server->hello, (size_t)server->hello_length);
    meet();
    for (int i = 0; i < server->operations; i++) {
        number += 611953; /* a prime, so that one comes after another far from it */
        set_id(hello + ID_AT, number % server->records);
        times[i] = answer(server, hello, &result->done);
    }
    result->ended = nanoseconds();
    result->middle = middle_of(times, server->operations);
    free(times);
}

static void store(const struct server *server, int process, struct result *result)
{
    SSL_SESSION **sessions = calloc((size_t)server->operations, sizeof(SSL_SESSION *));
    uint64_t first = server->records + server->stored + (uint64_t)(process * server->operations);
    double *times = room_for_times(server);
    expect(sessions != NULL, "there is memory");
    for (int i = 0; i < server->operations; i++)
        sessions[i] = session_of(server, first + (uint64_t)i);
    meet();
    for (int i = 0; i < server->operations; i++) {
        double begun = nanoseconds();
        result->done += SSL_CTX_add_session(server->ctx, sessions[i]);
        times[i] = nanoseconds() - begun;
    }
    result->ended = nanoseconds();
    result->middle = middle_of(times, server->operations);
    for (int i = 0; i < server->operations; i++)
        SSL_SESSION_free(sessions[i]);
    free(sessions);
    free(times);
}

/* ---- processes ---- */

typedef void task(const struct server *server, int process, struct result *result);

static void fork_workers(const struct server *server, task *work, int processes)
{
    for (int i = 0; i < processes; i++) {
        pid_t child = fork();
        expect(child >= 0, "a process can be forked");
        if (child > 0)
            continue;
        work(server, i, &meeting->results[i]);
        exit(0);
    }
}

static void begin(int processes)
{
    const struct timespec pause = {.tv_nsec = 100000};
    while (atomic_load(&meeting->waiting) < processes)
        nanosleep(&pause, NULL);
    meeting->began = nanoseconds();
    atomic_store(&meeting->has_begun, 1);
}

static void print_results(const char *name, int processes, int operations)
{
    double middles = 0, ended = 0, all = (double)processes * operations;
    long done = 0;
    for (int i = 0; i < processes; i++) {
        const struct result *result = &meeting->results[i];
        middles += result->middle;
        done += result->done;
        if (result->ended > ended)
            ended = result->ended;
    }
    printf("%s %d %.0f %.0f %ld\n", name, processes, middles / processes,
           all / (ended - meeting->began) * 1e9, done);
}

static void measure(const struct server *server, const char *name, task *work, int processes)
{
    expect(processes > 0 && processes <= MOST_PROCESSES, "there are 1 to 64 processes");
    memset(meeting, 0, sizeof(*meeting));
    fflush(stdout);
    fork_workers(server, work, processes);
    begin(processes);
    for (int i = 0; i < processes; i++) {
        int status;
        expect(wait(&status) > 0 && status == 0, "a process ends well");
    }
    print_results(name, processes, server->operations);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    meeting =
        mmap(NULL, sizeof(*meeting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect(meeting != MAP_FAILED, "there is memory");
    struct server server =
        make_server(strtoull(argv[1], NULL, 10), atoi(argv[2]), (useconds_t)atoi(argv[3]));
    for (int i = 4; i < argc; i++)
        measure(&server, "lookup", look_up, atoi(argv[i]));
    for (int i = 4; i < argc; i++) {
        measure(&server, "store", store, atoi(argv[i]));
        server.stored += (uint64_t)atoi(argv[i]) * (uint64_t)server.operations;
    }
    SSL_SESSION_free(server.model);
    SSL_CTX_free(server.ctx);
    return 0;
}
