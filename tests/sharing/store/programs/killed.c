/*
 * killed.c - workers that are killed at any moment while they share sessions through memory.
 *
 * usage: killed KILLS
 *
 * Workers make handshakes, each with both ends in itself, and offer the sessions that any of them was given. The
 * parent kills one after the other, and SSLCACHE_FAULT=store=kill has them end inside the store. Printed at the end:
 * how many workers ended, and of these inside the store; how many handshakes were full, resumed and failed; how many
 * connections had another's session; and how many workers hang.
 */
#include "handshake.h"
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4, SLOTS = 200, SESSION_MAX = 4096, PATIENCE_SECONDS = 60 };

/* A client's session. Its owner may be killed: the parent takes it back then. */
struct slot {
    atomic_int owner;
    int length;
    unsigned char serialised[SESSION_MAX];
};

static struct shared {
    struct slot slots[SLOTS];
    atomic_long full, resumed, failed, torn, done[WORKERS];
} * shared;

static SSL_CTX *client, *server;

static int take_slot(struct slot *slot)
{
    int nobody = 0;
    return atomic_compare_exchange_strong(&slot->owner, &nobody, (int)getpid());
}

static SSL_SESSION *read_slot(const struct slot *slot)
{
    const unsigned char *start = slot->serialised;
    return slot->length > 0 ? d2i_SSL_SESSION(NULL, &start, slot->length) : NULL;
}

static void write_slot(struct slot *slot, SSL_SESSION *session)
{
    unsigned char *end = slot->serialised;
    slot->length = 0;
    if (i2d_SSL_SESSION(session, NULL) <= SESSION_MAX)
        slot->length = i2d_SSL_SESSION(session, &end);
}

/* The secret of a session is what both ends must have: a session of somebody else fails. */
static int agree(struct connection connection)
{
    unsigned char ours[64], theirs[64];
    size_t length = SSL_SESSION_get_master_key(SSL_get_session(connection.client), ours, 64);
    return length == SSL_SESSION_get_master_key(SSL_get_session(connection.server), theirs, 64) &&
           memcmp(ours, theirs, length) == 0;
}

static void use_slot(struct slot *slot)
{
    SSL_SESSION *offered = read_slot(slot);
    struct connection connection = open_connection(client, server, offered);
    SSL_SESSION_free(offered);
    if (!handshake(connection) || !say_hello(connection)) {
        atomic_fetch_add(&shared->failed, 1);
        break_off(connection);
        return;
    }
    atomic_fetch_add(SSL_session_reused(connection.client) ? &shared->resumed : &shared->full, 1);
    if (!agree(connection))
        atomic_fetch_add(&shared->torn, 1);
    SSL_SESSION *session = SSL_get1_session(connection.client);
    write_slot(slot, session);
    SSL_SESSION_free(session);
    if (rand() % 16 == 0)
        break_off(connection); /* libssl removes the session */
    else
        part(connection);
}

static void work(int number)
{
    srand((unsigned)getpid());
    for (;;) {
        struct slot *slot = &shared->slots[rand() % SLOTS];
        if (!take_slot(slot))
            continue;
        use_slot(slot);
        atomic_store(&slot->owner, 0);
        atomic_fetch_add(&shared->done[number], 1);
    }
}

static pid_t start(int number)
{
    pid_t worker = fork();
    if (worker == 0)
        work(number);
    return worker;
}

static void take_back(pid_t worker)
{
    for (int i = 0; i < SLOTS; i++) {
        if (atomic_load(&shared->slots[i].owner) != (int)worker)
            continue;
        shared->slots[i].length = 0;
        atomic_store(&shared->slots[i].owner, 0);
    }
}

static void sleep_for(long microseconds)
{
    const struct timespec pause = {.tv_nsec = microseconds * 1000};
    nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
    pid_t workers[WORKERS];
    int struck[WORKERS] = {0};
    long kills = argc > 1 ? atol(argv[1]) : 100, ended = 0, inside = 0;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    client = client_context();
    server = stateful_context(TLS1_2_VERSION);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start(i);
    while (ended < kills) {
        sleep_for(rand() % 20000);
        int next = rand() % WORKERS;
        if (rand() % 2 == 0)
            struck[next] = kill(workers[next], SIGKILL) == 0;
        for (pid_t gone; (gone = waitpid(-1, NULL, WNOHANG)) > 0; ended++)
            for (int i = 0; i < WORKERS; i++) {
                if (workers[i] != gone)
                    continue;
                inside += !struck[i];
                struck[i] = 0;
                take_back(gone);
                workers[i] = start(i);
            }
    }
    /* Nobody hangs: each that is left does something more. */
    long before[WORKERS];
    int hanging = 0;
    for (int i = 0; i < WORKERS; i++)
        before[i] = atomic_load(&shared->done[i]);
    for (int i = 0; i < WORKERS; i++) {
        int tenths = 10 * PATIENCE_SECONDS;
        while (atomic_load(&shared->done[i]) == before[i] && tenths-- > 0 &&
               waitpid(workers[i], NULL, WNOHANG) == 0)
            sleep_for(100000);
        hanging += tenths <= 0;
    }
    for (int i = 0; i < WORKERS; i++) {
        kill(workers[i], SIGKILL);
        waitpid(workers[i], NULL, 0);
    }
    printf("%ld %ld %ld %ld %ld %ld %d\n", ended, inside, atomic_load(&shared->full),
           atomic_load(&shared->resumed), atomic_load(&shared->failed), atomic_load(&shared->torn),
           hanging);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    return 0;
}
