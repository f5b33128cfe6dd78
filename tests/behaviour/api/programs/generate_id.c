/* Session ids of the program's own making, and SSL_has_matching_session_id. */
#include "handshake.h"

static unsigned char next_id[32];
static unsigned next_length;

static int generate(SSL *ssl, unsigned char *id, unsigned *length)
{
    memcpy(id, next_id, sizeof(next_id));
    *length = next_length;
    printf("  generating: room for a longer id %d, matching %d\n", *length <= 32,
           SSL_has_matching_session_id(ssl, next_id, next_length));
    return 1;
}

static SSL_CTX *generating_server(const char *id, unsigned length)
{
    SSL_CTX *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_set_generate_session_id(server, generate);
    memset(next_id, 0, sizeof(next_id));
    memcpy(next_id, id, strlen(id));
    next_length = length;
    return server;
}

/* An id that is in the cache already is a conflict, and ends the handshake. */
static void a_conflict(void)
{
    SSL_CTX *client = client_context(), *server = generating_server("mine", 32);
    SSL_SESSION *session = visit("first", client, server, NULL);
    revisit("again", client, server, session);
    revisit("conflict", client, server, NULL);
    next_id[0] = 'o';
    revisit("other id", client, server, NULL);
    next_id[0] = 'm';
    SSL_CTX_flush_sessions(server, 0);
    revisit("after a flush", client, server, NULL);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void lengths(void)
{
    for (unsigned length = 0; length <= 33; length += 11) {
        printf("-- length %u\n", length);
        SSL_CTX *client = client_context(), *server = generating_server("mine", length);
        SSL_SESSION *session = visit("first", client, server, NULL);
        if (session != NULL)
            revisit("again", client, server, session);
        show_counters("server", server);
        SSL_SESSION_free(session);
        SSL_CTX_free(client);
        SSL_CTX_free(server);
    }
}

/* A connection asks with its current version: TLS 1.3 until it has negotiated. */
static void matching(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_CTX *client = client_context(), *server = generating_server("shared", 6);
    SSL_SESSION *classic = make_session("classic", TLS1_2_VERSION, "shared", 6, 1000, 10);
    SSL_SESSION *modern = make_session("modern", TLS1_3_VERSION, "modern", 6, 1000, 10);
    SSL_SESSION *nameless = make_session("no id", TLS1_3_VERSION, "", 0, 1000, 10);
    SSL_CTX_add_session(ctx, classic);
    SSL_CTX_add_session(ctx, modern);
    SSL *ssl = SSL_new(ctx);
    const unsigned char *shared = (const unsigned char *)"shared";
    const unsigned char *other = (const unsigned char *)"modern";
    SHOW(SSL_has_matching_session_id(ssl, shared, 6));
    SHOW(SSL_has_matching_session_id(ssl, other, 6));
    SHOW(SSL_has_matching_session_id(ssl, other, 5));
    SHOW(SSL_has_matching_session_id(ssl, other, 0));
    SSL_CTX_add_session(ctx, nameless);
    SHOW(SSL_has_matching_session_id(ssl, other, 0));
    SHOW(SSL_has_matching_session_id(ssl, next_id, 33));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF | SSL_SESS_CACHE_NO_INTERNAL);
    SHOW(SSL_has_matching_session_id(ssl, other, 6));
    SSL_CTX_remove_session(ctx, modern);
    SHOW(SSL_has_matching_session_id(ssl, other, 6));
    SSL_free(ssl);
    struct connection connection = open_connection(client, server, NULL);
    SHOW(SSL_has_matching_session_id(connection.server, shared, 6));
    greet("negotiated", connection);
    SHOW(SSL_has_matching_session_id(connection.server, shared, 6));
    part(connection);
    show_counters("asked", ctx);
    SSL_SESSION_free(classic);
    SSL_SESSION_free(modern);
    SSL_SESSION_free(nameless);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    DO(NULL, SSL_CTX_free(ctx));
}

int main(void)
{
    a_conflict();
    lengths();
    matching();
    return 0;
}
