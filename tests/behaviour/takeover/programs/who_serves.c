/* Which cache serves a second visit: libssl's own, asked past our library, or ours. */
#include "handshake.h"
#include "real_libssl.h"

static SSL_SESSION *stored[16];
static int stored_count;

static int keep(SSL *ssl UNUSED, SSL_SESSION *session)
{
    if (stored_count == 16)
        return 0;
    stored[stored_count++] = session;
    return 1;
}

static void report(const char *when, SSL_CTX *server)
{
    printf("%s: held %ld, by libssl %ld\n", when, SSL_CTX_sess_number(server),
           held_by_libssl(server));
}

static void visits(const char *name, int version)
{
    printf("-- %s\n", name);
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_CTX_sess_set_new_cb(server, keep);
    report("at first", server);
    SSL_SESSION *session = visit("first visit", client, server, NULL);
    report("after it", server);
    SSL_SESSION *duplicate = SSL_SESSION_dup(session);
    revisit("second visit", client, server, duplicate);
    report("after it", server);
    while (stored_count > 0) {
        SSL_CTX_remove_session(server, stored[--stored_count]);
        SSL_SESSION_free(stored[stored_count]);
    }
    report("all removed", server);
    SSL_CTX_sess_set_new_cb(server, NULL);
    revisit("third visit", client, server, session);
    report("after it", server);
    SSL_CTX_flush_sessions(server, 0);
    report("flushed", server);
    SSL_SESSION_free(session);
    SSL_SESSION_free(duplicate);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    visits("TLS 1.2", TLS1_2_VERSION);
    visits("TLS 1.3", TLS1_3_VERSION);
    return 0;
}
