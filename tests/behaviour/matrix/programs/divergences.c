/* Where libssl alone and our library differ on purpose: one line each. */
#include "handshake.h"
#include <openssl/lhash.h>
#include <time.h>

/* A session that was removed by name, and so marked not resumable, is added again and offered. */
static void offer_marked_session(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    struct connection connection = open_connection(client, server, NULL);
    if (!handshake(connection))
        abort();
    SSL_SESSION *offered = SSL_get1_session(connection.client);
    SSL_SESSION *kept = SSL_get1_session(connection.server);
    part(connection);
    SSL_CTX_remove_session(server, kept);
    SSL_CTX_add_session(server, kept);
    connection = open_connection(client, server, offered);
    if (!handshake(connection))
        abort();
    printf("marked session resumed: %d\n", SSL_session_reused(connection.client));
    part(connection);
    SSL_SESSION_free(offered);
    SSL_SESSION_free(kept);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static void look_at_old_table(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_SESSION *session = simple_session("a", (long)time(NULL), 100);
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);
    SSL_CTX_add_session(ctx, session);
    printf("added later, seen in the table: %lu\n", OPENSSL_LH_num_items(table));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void take_index(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    printf("index of an SSL_CTX: %d\n", SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL));
    printf("index of an SSL: %d\n", SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL));
    SSL_CTX_free(ctx);
}

static SSL_SESSION *session_of_now(const char *id)
{
    SSL_SESSION *session = SSL_SESSION_new();
    if (session == NULL || !SSL_SESSION_set1_id(session, (const unsigned char *)id, 1))
        abort();
    name_session(session, id);
    return session;
}

/*
 * Not where a second ends: the two sessions are to be of the same one. Nor where it has just begun, for
 * time(3) lags behind by a tick of the kernel.
 */
static void wait_for_a_young_second(void)
{
    struct timespec now, step = {0, 10000000};
    do {
        nanosleep(&step, NULL);
        clock_gettime(CLOCK_REALTIME, &now);
    } while (now.tv_nsec < 20000000 || now.tv_nsec > 200000000);
}

static void order_within_a_second(void)
{
    struct timespec step = {0, 2000000};
    SSL_CTX *ctx = noting_context();
    wait_for_a_young_second();
    SSL_SESSION *older = session_of_now("o");
    nanosleep(&step, NULL);
    SSL_SESSION *younger = session_of_now("y");
    SSL_CTX_add_session(ctx, younger);
    SSL_CTX_add_session(ctx, older);
    SSL_SESSION_free(older);
    SSL_SESSION_free(younger);
    SSL_CTX_sess_set_cache_size(ctx, 1);
    SSL_SESSION *third = simple_session("t", (long)time(NULL), 1000);
    SSL_CTX_add_session(ctx, third);
    if (removals.count != 2)
        abort();
    printf("gone: %s %s\n", removals.names[0], removals.names[1]);
    SSL_SESSION_free(third);
    SSL_CTX_free(ctx);
}

/* Two of five sessions are in another cache too when the first is flushed of all. */
static void share_sessions(void)
{
    SSL_CTX *one = SSL_CTX_new(TLS_method()), *other = SSL_CTX_new(TLS_method());
    SSL_SESSION *sessions[5];
    for (int i = 0; i < 5; i++) {
        const char name[] = {(char)('a' + i), 0};
        sessions[i] = simple_session(name, 1000, 100 + i);
        SSL_CTX_add_session(one, sessions[i]);
    }
    SSL_CTX_add_session(other, sessions[2]);
    SSL_CTX_add_session(other, sessions[1]);
    SSL_CTX_flush_sessions(one, 2000);
    printf("left in the first of two caches: %ld\n", SSL_CTX_sess_number(one));
    for (int i = 0; i < 5; i++)
        SSL_SESSION_free(sessions[i]);
    SSL_CTX_free(one);
    SSL_CTX_free(other);
}

int main(void)
{
    share_sessions();
    offer_marked_session();
    look_at_old_table();
    take_index();
    order_within_a_second();
    return 0;
}
