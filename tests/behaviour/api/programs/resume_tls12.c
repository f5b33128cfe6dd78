/* TLS 1.2 with session ids: the server's cache is what makes a visit short. */
#include "handshake.h"

static SSL_CTX *noting_server(void)
{
    SSL_CTX *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    return server;
}

static void a_second_visit_resumes(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_SESSION *session = visit("first", client, server, NULL);
    show_counters("server", server);
    for (int i = 0; i < 3; i++)
        revisit("again", client, server, session);
    show_counters("server", server);
    revisit("a stranger", client, server, NULL);
    show_counters("server", server);
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
}

static SSL_SESSION *of_server; /* the server's session of the last visit */

static SSL_SESSION *remember(const char *title, SSL_CTX *client, SSL_CTX *server,
                             SSL_SESSION *offered)
{
    struct connection connection = open_connection(client, server, offered);
    greet(title, connection);
    SSL_SESSION *session = SSL_get1_session(connection.client);
    SSL_SESSION_free(of_server);
    of_server = SSL_get1_session(connection.server);
    printf("  the server's session is %s\n", name_of(of_server));
    part(connection);
    return session;
}

static void forget(void)
{
    SSL_SESSION_free(of_server);
    of_server = NULL;
}

/* The very object comes back, with all that hangs on it. */
static void the_same_object_comes_back(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_SESSION *session = remember("first", client, server, NULL);
    SSL_SESSION_free(remember("again", client, server, session));
    SSL_SESSION_free(remember("and again", client, server, session));
    SSL_SESSION_free(session);
    DO(server, forget());
    DO(NULL, SSL_CTX_free(server));
}

static void a_removed_session_does_not_resume(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_SESSION *session = remember("first", client, server, NULL);
    STEP(server, SSL_CTX_remove_session(server, of_server));
    revisit("after its removal", client, server, session);
    show_counters("server", server);
    forget();
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
}

static void a_flushed_session_does_not_resume(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_SESSION *session = visit("first", client, server, NULL);
    DO(server, SSL_CTX_flush_sessions(server, 0));
    revisit("after the flush", client, server, session);
    show_counters("server", server);
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
}

/* Found but too old: counted, removed, and the visit is a full one. */
static void an_expired_session_is_removed(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_SESSION *session = remember("first", client, server, NULL);
    SSL_SESSION_set_time(of_server, 1000);
    revisit("too late", client, server, session);
    show("too late", server);
    show_counters("server", server);
    revisit("still", client, server, session);
    show_counters("server", server);
    forget();
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
}

static void an_evicted_session_does_not_resume(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_CTX_sess_set_cache_size(server, 3);
    SSL_SESSION *sessions[4];
    for (int i = 0; i < 4; i++)
        sessions[i] = remember("first visits", client, server, NULL);
    show("full", server);
    for (int i = 0; i < 4; i++)
        revisit("again", client, server, sessions[i]);
    show("visited", server);
    for (int i = 0; i < 4; i++)
        SSL_SESSION_free(sessions[i]);
    forget();
    show_counters("server", server);
    DO(NULL, SSL_CTX_free(server));
}

static void servers_do_not_share(SSL_CTX *client)
{
    SSL_CTX *server = noting_server(), *other = noting_server();
    SSL_SESSION *session = visit("first", client, server, NULL);
    revisit("elsewhere", client, other, session);
    show_counters("other", other);
    revisit("back", client, server, session);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(other);
}

static void added_by_hand_in_another_context(SSL_CTX *client)
{
    SSL_CTX *server = noting_server(), *other = noting_server();
    SSL_SESSION *session = remember("first", client, server, NULL);
    SSL_SESSION *copy = SSL_SESSION_dup(of_server);
    name_session(copy, "copy");
    STEP(other, SSL_CTX_add_session(other, copy));
    SSL_SESSION_free(copy);
    SSL_SESSION_free(remember("elsewhere", client, other, session));
    show_counters("other", other);
    forget();
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(other);
    show("all freed", NULL);
}

static void with_the_cache_off_it_is_still_searched(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    SSL_SESSION *session = visit("first", client, server, NULL);
    STEP(server, SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF));
    revisit("off", client, server, session);
    revisit("a stranger", client, server, NULL);
    show_counters("server", server);
    STEP(server, SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_CLIENT));
    revisit("client", client, server, session);
    revisit("a stranger", client, server, NULL);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static void new_sessions_get_the_timeout_of_the_context(SSL_CTX *client)
{
    SSL_CTX *server = noting_server();
    const long timeouts[] = {7, 0, 100000};
    for (int i = 0; i < 3; i++) {
        SSL_CTX_set_timeout(server, timeouts[i]);
        SSL_SESSION_free(remember("timeout", client, server, NULL));
        SHOW(SSL_SESSION_get_timeout(of_server));
    }
    forget();
    SSL_CTX_free(server);
}

int main(void)
{
    SSL_CTX *client = client_context();
    a_second_visit_resumes(client);
    the_same_object_comes_back(client);
    a_removed_session_does_not_resume(client);
    a_flushed_session_does_not_resume(client);
    an_expired_session_is_removed(client);
    an_evicted_session_does_not_resume(client);
    servers_do_not_share(client);
    added_by_hand_in_another_context(client);
    with_the_cache_off_it_is_still_searched(client);
    new_sessions_get_the_timeout_of_the_context(client);
    show_counters("client", client);
    SSL_CTX_free(client);
    show("end", NULL);
    return 0;
}
