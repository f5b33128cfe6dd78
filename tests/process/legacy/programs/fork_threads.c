/* Forks while other threads are inside the cache: every child works, and so does the parent. */
#include "legacy.h"
#include <stdatomic.h>
#include <stdbool.h>

static struct house house;
static SSL_SESSION *own[4][8];
static atomic_bool stopping;
static atomic_int failures;

/* Adds, removes, moves and looks up without end. Its objects were made before: in a child, the
 * locks of libcrypto's allocator of ex_data are none of our business. */
static void *work(void *argument)
{
    SSL_SESSION **sessions = argument;
    SSL *ssl = SSL_new(house.server);
    while (!atomic_load(&stopping)) {
        for (int i = 0; i < 8; i++) {
            unsigned length;
            const unsigned char *id = SSL_SESSION_get_id(sessions[i], &length);
            if (SSL_CTX_add_session(house.server, sessions[i]) != 1)
                atomic_fetch_add(&failures, 1);
            if (SSL_has_matching_session_id(ssl, id, length) != 1)
                atomic_fetch_add(&failures, 1);
            SSL_SESSION_set_timeout(sessions[i], 100 + i);
            if (SSL_CTX_remove_session(house.server, sessions[i]) != 1)
                atomic_fetch_add(&failures, 1);
        }
    }
    SSL_free(ssl);
    return NULL;
}

static void child(void)
{
    SSL_SESSION *session = SSL_SESSION_dup(house.kept[1]);
    int ok = SSL_CTX_remove_session(house.server, house.kept[0]) == 1 &&
             SSL_CTX_add_session(house.server, house.kept[0]) == 1 &&
             SSL_CTX_add_session(house.server, session) == 1 && churn(house.server, 5000, 2) == 1;
    SSL_CTX_flush_sessions(house.server, 0);
    _exit(ok && SSL_CTX_sess_number(house.server) == 0 ? 0 : 1);
}

int main(int count, char **arguments)
{
    int forks = count > 1 ? atoi(arguments[1]) : 40;
    pthread_t threads[4];
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 8; j++) {
            own[i][j] = numbered_session(i * 8 + j);
            /* The version that a connection has before it has spoken. */
            SSL_SESSION_set_protocol_version(own[i][j], TLS1_3_VERSION);
        }
        pthread_create(&threads[i], NULL, work, own[i]);
    }
    int well = 0;
    for (int i = 0; i < forks; i++) {
        pid_t pid = fork_clean();
        if (pid == 0)
            child();
        const char *end = end_of(pid);
        if (strcmp(end, "exit 0") == 0)
            well++;
        else
            printf("child %d: %s\n", i, end);
    }
    atomic_store(&stopping, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    printf("all children well: %s\n", well == forks ? "yes" : "no");
    printf("failed calls in the parent: %d\n", atomic_load(&failures));
    keeper_is(OURS, house.server);
    revisit("parent again with 0", house.client, house.server, house.kept[0]);
    SHOW(SSL_CTX_sess_number(house.server));
    for (int i = 0; i < 32; i++)
        SSL_SESSION_free(own[i / 8][i % 8]);
    close_house(&house);
    return 0;
}
