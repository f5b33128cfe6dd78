/* The functions that came after 1.1.1 and touch the cache, where this libssl has them. */
#include "handshake.h"

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static SSL_CTX *new_context(void)
{
    return SSL_CTX_new_ex(NULL, NULL, TLS_method());
}
#else
static SSL_CTX *new_context(void)
{
    return SSL_CTX_new(TLS_method());
}
#endif

#if OPENSSL_VERSION_NUMBER >= 0x30400000L
static void flush_until(SSL_CTX *ctx, time_t now)
{
    SSL_CTX_flush_sessions_ex(ctx, now);
}

static void set_time(SSL_SESSION *session, time_t now)
{
    SHOW(SSL_SESSION_set_time_ex(session, now));
    SHOW(SSL_SESSION_get_time_ex(session));
}
#else
static void flush_until(SSL_CTX *ctx, time_t now)
{
    SSL_CTX_flush_sessions(ctx, (long)now);
}

static void set_time(SSL_SESSION *session, time_t now)
{
    SHOW(SSL_SESSION_set_time(session, (long)now));
    SHOW(SSL_SESSION_get_time(session));
}
#endif

/* A server asks for one ticket more; with stateful tickets that is one session more. */
static void ask_for_ticket(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_3_VERSION);
    struct connection connection = open_connection(client, server, NULL);
    greet("a visit", connection);
    SHOW(SSL_CTX_sess_number(server));
    SHOW(SSL_new_session_ticket(connection.server));
    SHOW(say_hello(connection));
    SHOW(SSL_CTX_sess_number(server));
    part(connection);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
#endif
}

static int never(SSL *ssl UNUSED, int forward_secure UNUSED)
{
    return 1;
}

/* Sessions that the program says cannot be resumed. */
static void forbid_resumption(int version)
{
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_CTX_set_not_resumable_session_callback(server, never);
    SSL_SESSION *session = visit("forbidden", client, server, NULL);
    show_counters("forbidden", server);
    revisit("again", client, server, session);
    show_counters("again", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

/* One connection with a session id context of its own: the others' sessions are not for it. */
static void change_id_context(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = visit("first", client, server, NULL);
    struct connection connection = open_connection(client, server, session);
    SHOW(SSL_set_session_id_context(connection.server, (const unsigned char *)"other", 5));
    greet("in another id context", connection);
    part(connection);
    revisit("in the first", client, server, session);
    show_counters("id contexts", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

/* A connection that takes over the session of another. */
static void copy_session_id(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    struct connection first = open_connection(client, server, NULL);
    greet("to be copied", first);
    struct connection second = open_connection(client, server, NULL);
    SHOW(SSL_copy_session_id(second.client, first.client));
    greet("with the copy", second);
    part(second);
    part(first);
    show_counters("copied", server);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

int main(void)
{
    SSL_CTX *ctx = new_context();
    SSL_CTX_sess_set_remove_cb(ctx, note_removal);
    SSL_SESSION *a = simple_session("a", 1000, 100), *b = simple_session("b", 1000, 200);
    STEP(ctx, SSL_CTX_add_session(ctx, a));
    STEP(ctx, SSL_CTX_add_session(ctx, b));
    DO(ctx, flush_until(ctx, 1150));
    set_time(b, 2000);
    DO(ctx, flush_until(ctx, 2150));
    DO(ctx, flush_until(ctx, 2250));
    SSL_SESSION_free(a);
    SSL_SESSION_free(b);
    SSL_CTX_free(ctx);
    show("the end of the context", NULL);

    ask_for_ticket();
    forbid_resumption(TLS1_2_VERSION);
    forbid_resumption(TLS1_3_VERSION);
    change_id_context();
    copy_session_id();
    return 0;
}
