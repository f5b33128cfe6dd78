/* A connection that ends badly takes its session out of the cache. */
#include "handshake.h"

enum ending {
    PROPERLY,
    WITHOUT_A_WORD,
    ONLY_CLIENT_SHUTS_DOWN,
    ONLY_SERVER_SHUTS_DOWN,
    QUIETLY,
    MARKED_SENT,
    MARKED_RECEIVED,
    CLEARED,
    OTHER_SESSION_SET,
    NO_SESSION_SET,
    ENDINGS
};

static void end(struct connection connection, enum ending ending)
{
    char byte;
    switch (ending) {
    case PROPERLY:
        part(connection);
        return;
    case ONLY_CLIENT_SHUTS_DOWN:
        SSL_shutdown(connection.client);
        SHOW(SSL_read(connection.server, &byte, 1));
        break;
    case ONLY_SERVER_SHUTS_DOWN:
        SSL_shutdown(connection.server);
        SHOW(SSL_read(connection.client, &byte, 1));
        break;
    case QUIETLY:
        SSL_set_quiet_shutdown(connection.server, 1);
        SHOW(SSL_shutdown(connection.server));
        break;
    case MARKED_SENT:
        SSL_set_shutdown(connection.server, SSL_SENT_SHUTDOWN);
        break;
    case MARKED_RECEIVED:
        SSL_set_shutdown(connection.server, SSL_RECEIVED_SHUTDOWN);
        break;
    case CLEARED:
        SHOW(SSL_clear(connection.server));
        printf("the session is %s\n", name_of(SSL_get_session(connection.server)));
        break;
    case OTHER_SESSION_SET: {
        SSL_SESSION *other = simple_session("other", 1000, 10);
        SHOW(SSL_set_session(connection.server, other));
        SSL_SESSION_free(other);
        break;
    }
    case NO_SESSION_SET:
        SHOW(SSL_set_session(connection.server, NULL));
        break;
    default:
        break;
    }
    break_off(connection);
}

static void every_ending(int version)
{
    for (int ending = PROPERLY; ending < ENDINGS; ending++) {
        printf("-- version %x ending %d\n", version, ending);
        SSL_CTX *client = client_context(), *server = stateful_context(version);
        SSL_CTX_sess_set_remove_cb(server, note_removal);
        struct connection connection = open_connection(client, server, NULL);
        greet("first", connection);
        SSL_SESSION *session = SSL_get1_session(connection.client);
        printf("the server's session is %s\n", name_of(SSL_get_session(connection.server)));
        end(connection, ending);
        show("ended", server);
        SHOW(SSL_SESSION_is_resumable(session));
        revisit("again", client, server, session);
        show_counters("server", server);
        SSL_SESSION_free(session);
        SSL_CTX_free(client);
        DO(NULL, SSL_CTX_free(server));
    }
}

/* A resumed connection that breaks takes away the session that it resumed. */
static void a_resumed_connection_breaks(int version)
{
    printf("-- version %x, resumed\n", version);
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    SSL_SESSION *session = visit("first", client, server, NULL);
    show("first", server);
    SSL_SESSION *duplicate = SSL_SESSION_dup(session);
    struct connection connection = open_connection(client, server, session);
    greet("second", connection);
    break_off(connection);
    show("broken", server);
    revisit("third", client, server, duplicate);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_SESSION_free(duplicate);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

/* Bytes that are no TLS record make the server send a fatal alert. */
static void a_fatal_alert(int version, int from_server)
{
    printf("-- version %x, alert of the %s\n", version, from_server ? "server" : "client");
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    struct connection connection = open_connection(client, server, NULL);
    greet("first", connection);
    SSL_SESSION *session = SSL_SESSION_dup(SSL_get_session(connection.client));
    SSL *good = from_server ? connection.client : connection.server;
    SSL *bad = from_server ? connection.server : connection.client;
    char byte;
    SHOW(BIO_write(SSL_get_wbio(good), "no record", 9));
    SHOW(SSL_read(bad, &byte, 1));
    show_failure("reader");
    show("sent", server);
    SHOW(SSL_read(good, &byte, 1));
    show_failure("other side");
    show("received", server);
    break_off(connection);
    show("broken", server);
    revisit("again", client, server, session);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    DO(NULL, SSL_CTX_free(server));
}

int main(void)
{
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (int i = 0; i < 2; i++) {
        every_ending(versions[i]);
        a_resumed_connection_breaks(versions[i]);
        a_fatal_alert(versions[i], 1);
        a_fatal_alert(versions[i], 0);
    }
    return 0;
}
