/*
 * legacy.h - a small TLS house to live through forks, signals and limits in.
 *
 * A program prints what it observes and runs alike under libssl alone and under our library. Where
 * ours is there, keeper_is also asks it whose cache it was, so that no program passes because
 * nothing of ours took part.
 */
#ifndef TESTS_LEGACY_H
#define TESTS_LEGACY_H

#include "handshake.h"
#include "sslcache.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The old ways are the point. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum keeper { OURS, LIBSSLS };

/* Ends the program unless the sessions of ctx are kept by whom we expect. Libssl alone has nothing
 * to ask. */
UNUSED static void keeper_is(enum keeper expected, SSL_CTX *ctx)
{
    struct sslcache_stats stats;
    int (*ask)(SSL_CTX *, struct sslcache_stats *);
    *(void **)&ask = dlsym(RTLD_DEFAULT, "sslcache_get_stats");
    if (ask == NULL)
        return;
    int is_ours = ask(ctx, &stats) == 1;
    if (is_ours && stats.number != (uint64_t)SSL_CTX_sess_number(ctx))
        printf("our cache holds %ld sessions, the context %ld\n", (long)stats.number,
               SSL_CTX_sess_number(ctx));
    else if (is_ours && expected == OURS && stats.stored == 0)
        printf("our cache was never used\n");
    else if (is_ours == (expected == OURS))
        return;
    else
        printf("the sessions are kept by %s\n", is_ours ? "our cache" : "libssl");
    fflush(stdout);
    _exit(3);
}

UNUSED static void rest(long milliseconds)
{
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

/* How the process ended; one that does not within 20 seconds is killed. */
UNUSED static const char *end_of(pid_t pid)
{
    static char text[40];
    int status = 0;
    for (int turn = 0; turn < 4000; turn++) {
        pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended < 0 && errno != EINTR)
            return "cannot be waited for";
        if (ended == pid) {
            if (WIFEXITED(status))
                snprintf(text, sizeof(text), "exit %d", WEXITSTATUS(status));
            else
                snprintf(text, sizeof(text), "signal %d", WTERMSIG(status));
            return text;
        }
        rest(5);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return "hangs";
}

/* A fork whose child starts with nothing left to print. */
UNUSED static pid_t fork_clean(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        printf("fork: %s\n", strerror(errno));
        exit(4);
    }
    return pid;
}

/* Runs the work in a child, which then leaves without its parent's farewells. */
UNUSED static void in_child(const char *title, void (*work)(void *), void *argument)
{
    pid_t pid = fork_clean();
    if (pid == 0) {
        work(argument);
        fflush(stdout);
        _exit(0);
    }
    printf("%s: %s\n", title, end_of(pid));
}

/* A server with a cache, a client, and what the client keeps of its visits. */
struct house {
    SSL_CTX *server;
    SSL_CTX *client;
    SSL_SESSION *kept[4];
    int version;
};

UNUSED static struct house open_house(int version)
{
    struct house house = {.server = stateful_context(version), .version = version};
    house.client = client_context();
    SSL_CTX_sess_set_remove_cb(house.server, note_removal);
    return house;
}

/* Fills the cache by full handshakes. */
UNUSED static void fill_house(struct house *house)
{
    for (int i = 0; i < 4; i++)
        house->kept[i] = visit("first visit", house->client, house->server, NULL);
}

UNUSED static void close_house(struct house *house)
{
    for (int i = 0; i < 4; i++)
        SSL_SESSION_free(house->kept[i]);
    SSL_CTX_free(house->client);
    SSL_CTX_free(house->server);
}

/* A session made by hand, with an id made of the number. */
UNUSED static SSL_SESSION *numbered_session(uint32_t number)
{
    /* libssl hashes the first four bytes. */
    unsigned char id[32] = "____ numbered";
    memcpy(id, &number, sizeof(number));
    SSL_SESSION *session = SSL_SESSION_new();
    if (session == NULL || !SSL_SESSION_set1_id(session, id, sizeof(id)))
        abort();
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    return session;
}

/* Adds so many numbered sessions, which only the cache then holds. Answers how many were new. */
UNUSED static long add_numbered(SSL_CTX *ctx, uint32_t from, uint32_t count)
{
    long added = 0;
    for (uint32_t i = 0; i < count; i++) {
        SSL_SESSION *session = numbered_session(from + i);
        added += SSL_CTX_add_session(ctx, session);
        SSL_SESSION_free(session);
    }
    return added;
}

/* Adds and removes a few sessions, as often as asked. Answers 1 when every call answered 1. */
UNUSED static int churn(SSL_CTX *ctx, uint32_t from, int rounds)
{
    SSL_SESSION *sessions[8];
    int all = 1;
    for (int i = 0; i < 8; i++)
        sessions[i] = numbered_session(from + i);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 8; i++)
            all &= SSL_CTX_add_session(ctx, sessions[i]);
        for (int i = 0; i < 8; i++)
            all &= SSL_CTX_remove_session(ctx, sessions[i]);
    }
    for (int i = 0; i < 8; i++)
        SSL_SESSION_free(sessions[i]);
    return all;
}

/* A line of /proc/self/status, as a number; kB for memory. */
UNUSED static long status_of(const char *name)
{
    char line[256];
    long value = -1;
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL)
        return -1;
    while (fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name) + 1, NULL, 10);
    fclose(status);
    return value;
}

#endif
