/* Which generator of session ids a connection asks: its own, or the one its context had when it was made. */
#include "handshake.h"

static int generate(SSL *ssl, unsigned char *id, unsigned *length, char name)
{
    (void)ssl;
    printf("  %c is asked\n", name);
    memset(id, name, *length);
    return 1;
}

static int generate_a(SSL *ssl, unsigned char *id, unsigned *length)
{
    return generate(ssl, id, length, 'a');
}

static int generate_b(SSL *ssl, unsigned char *id, unsigned *length)
{
    return generate(ssl, id, length, 'b');
}

static int refuse(SSL *ssl, unsigned char *id, unsigned *length)
{
    (void)ssl, (void)id, (void)length;
    printf("  refused\n");
    return 0;
}

static SSL_CTX *client, *server;

static void show_number(void)
{
    printf("  held %ld\n", SSL_CTX_sess_number(server));
}

static void meet(const char *title, struct connection connection)
{
    greet(title, connection);
    part(connection);
    show_number();
    SSL_CTX_flush_sessions(server, 0);
}

static void of_the_context(void)
{
    SSL_CTX_set_generate_session_id(server, generate_a);
    struct connection before = open_connection(client, server, NULL);
    SHOW(SSL_CTX_set_generate_session_id(server, generate_b));
    meet("made with a", before);
    meet("made with b", open_connection(client, server, NULL));

    struct connection with_b = open_connection(client, server, NULL);
    SHOW(SSL_CTX_set_generate_session_id(server, NULL));
    meet("made with b, which is gone", with_b);
    struct connection with_none = open_connection(client, server, NULL);
    SSL_CTX_set_generate_session_id(server, generate_a);
    meet("made with none", with_none);
    SSL_CTX_set_generate_session_id(server, refuse);
    meet("refusing", open_connection(client, server, NULL));
    SSL_CTX_set_generate_session_id(server, NULL);
    meet("none", open_connection(client, server, NULL));
}

static void of_the_connection(void)
{
    SSL_CTX_set_generate_session_id(server, generate_a);
    struct connection own = open_connection(client, server, NULL);
    SHOW(SSL_set_generate_session_id(own.server, generate_b));
    meet("b of its own", own);

    struct connection given_up = open_connection(client, server, NULL);
    SSL_set_generate_session_id(given_up.server, generate_b);
    SHOW(SSL_set_generate_session_id(given_up.server, NULL));
    meet("the context's again", given_up);

    SSL_CTX_set_generate_session_id(server, NULL);
    struct connection only = open_connection(client, server, NULL);
    SSL_set_generate_session_id(only.server, generate_b);
    meet("the context has none", only);
}

static void of_a_duplicate(void)
{
    SSL_CTX_set_generate_session_id(server, generate_a);
    struct connection model = open_connection(client, server, NULL);
    SSL_set_generate_session_id(model.server, generate_b);
    struct connection copy = open_connection(client, server, NULL);
    SSL *duplicate = SSL_dup(model.server);
    BIO *wire = SSL_get_rbio(copy.server);
    BIO_up_ref(wire);
    SSL_free(copy.server);
    SSL_set_bio(duplicate, wire, wire);
    copy.server = duplicate;
    meet("a duplicate", copy);
    meet("its model", model);
}

/* A conflict is one as long as the session is there, whatever became of the connection. */
static void a_conflict_that_passes(void)
{
    SSL_CTX_set_generate_session_id(server, generate_a);
    struct connection first = open_connection(client, server, NULL);
    greet("first", first);
    SSL_SESSION *session = SSL_get1_session(first.server);
    part(first);
    struct connection refused = open_connection(client, server, NULL);
    greet("conflict", refused);
    struct connection again = open_connection(client, server, NULL);
    greet("again", again);
    show_number();

    unsigned length;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    SHOW(SSL_has_matching_session_id(refused.server, id, length));
    SSL_CTX_flush_sessions(server, 0);
    SHOW(SSL_has_matching_session_id(refused.server, id, length));
    SHOW(SSL_CTX_remove_session(server, session));
    struct connection free_again = open_connection(client, server, NULL);
    greet("after a flush", free_again);
    SHOW(SSL_CTX_remove_session(server, session));
    SHOW(SSL_CTX_remove_session(server, session));
    show_number();
    part(free_again);
    break_off(again);
    revisit("once more", client, server, NULL);
    revisit("once too often", client, server, NULL);
    show_counters("server", server);
    SSL_SESSION_free(session);
    break_off(refused);
}

static void count_removal(SSL_CTX *ctx, SSL_SESSION *session)
{
    unsigned length;
    (void)ctx;
    printf("  removed %.4s\n", (const char *)SSL_SESSION_get_id(session, &length));
}

int main(void)
{
    client = client_context();
    server = stateful_context(TLS1_2_VERSION);
    of_the_context();
    of_the_connection();
    of_a_duplicate();
    SSL_CTX_set_generate_session_id(server, generate_a);
    SSL_CTX_sess_set_remove_cb(server, count_removal);
    a_conflict_that_passes();
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
