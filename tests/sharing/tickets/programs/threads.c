/*
 * Threads that seal and open tickets at once: at four servers that stay, and at one that each makes anew for every
 * visit, beside a thread that replaces the keys. No handshake may fail, and what was sealed with keys in force before
 * or now must open.
 *
 * usage: threads TIMES THREADS VERSION [KEYS NEXT NEXT...]
 *
 * So many times a file NEXT takes the place of KEYS, in turn; each is in force for longer than it takes to see it.
 */
#include "handshake.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum { SERVERS = 4, THREADS_MAX = 64, PASSED = 16 };

static int version;
static SSL_CTX *servers[SERVERS];
static atomic_bool is_over;
static atomic_long done, offers, resumed, failed;

/* Sessions that wait for any thread, so that a ticket is opened by another one than has got it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SSL_SESSION *passed[PASSED];

static SSL_SESSION *exchange(unsigned place, SSL_SESSION *session)
{
    pthread_mutex_lock(&lock);
    SSL_SESSION *before = passed[place % PASSED];
    passed[place % PASSED] = session;
    pthread_mutex_unlock(&lock);
    return before;
}

static SSL_SESSION *call_on(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *offered)
{
    struct connection connection = open_connection(client, server, offered);
    SSL_SESSION *session = NULL;
    if (handshake(connection) && say_hello(connection)) {
        atomic_fetch_add(&done, 1);
        atomic_fetch_add(&offers, offered != NULL);
        atomic_fetch_add(&resumed, SSL_session_reused(connection.server));
        session = SSL_get1_session(connection.client);
    } else {
        atomic_fetch_add(&failed, 1);
    }
    part(connection);
    return session;
}

static void *call(void *number)
{
    unsigned place = (unsigned)(uintptr_t)number;
    SSL_CTX *client = client_context();
    for (unsigned i = 0; !atomic_load(&is_over); i++) {
        SSL_CTX *fresh = i % 4 == 0 ? server_context(version) : NULL;
        SSL_SESSION *offered = exchange(place + i, NULL);
        SSL_SESSION *session =
            call_on(client, fresh != NULL ? fresh : servers[i % SERVERS], offered);
        SSL_SESSION_free(offered);
        SSL_SESSION_free(exchange(place + i, session));
        SSL_CTX_free(fresh);
    }
    SSL_CTX_free(client);
    return NULL;
}

static void copy_over(const char *from, const char *keys)
{
    char next[4096], text[4096];
    snprintf(next, sizeof(next), "%s.threads", keys);
    FILE *source = fopen(from, "r"), *target = fopen(next, "w");
    size_t length = source != NULL ? fread(text, 1, sizeof(text), source) : 0;
    if (target == NULL || length == 0 || fwrite(text, 1, length, target) != length ||
        fclose(target) != 0 || fclose(source) != 0 || rename(next, keys) != 0)
        abort();
}

static void replace_keys(int times, const char *keys, char **next, int count)
{
    for (int i = 0; i < times; i++) {
        nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 500000000}, NULL);
        if (count > 0)
            copy_over(next[i % count], keys);
    }
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 2;
    umask(077);
    int threads = atoi(arguments[2]);
    pthread_t thread[THREADS_MAX];
    version = strcmp(arguments[3], "1.3") == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
    make_certificate();
    for (int i = 0; i < SERVERS; i++)
        servers[i] = server_context(version);
    for (int i = 0; i < threads && i < THREADS_MAX; i++)
        if (pthread_create(&thread[i], NULL, call, (void *)(uintptr_t)i) != 0)
            abort();
    replace_keys(atoi(arguments[1]), arguments[4], arguments + 5, count - 5);
    atomic_store(&is_over, true);
    for (int i = 0; i < threads && i < THREADS_MAX; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < SERVERS; i++)
        SSL_CTX_free(servers[i]);
    for (int i = 0; i < PASSED; i++)
        SSL_SESSION_free(passed[i]);
    printf("done %ld offered %ld resumed %ld failed %ld\n", atomic_load(&done),
           atomic_load(&offers), atomic_load(&resumed), atomic_load(&failed));
    return 0;
}
