/* The cache of a client: sessions go in and are never looked up. */
#include "handshake.h"

static SSL_SESSION *kept[64];
static int kept_count;

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    printf("  new_cb %s on a %s\n", name_of(session), SSL_is_server(ssl) ? "server" : "client");
    if (kept_count == 64)
        return 0;
    kept[kept_count++] = session;
    return 1;
}

static void forget(void)
{
    while (kept_count > 0)
        SSL_SESSION_free(kept[--kept_count]);
}

static void visits(int version, int stateful, long mode)
{
    printf("-- version %x stateful %d mode %lx\n", version, stateful, mode);
    SSL_CTX *client = client_context();
    SSL_CTX *server = stateful ? stateful_context(version) : server_context(version);
    SSL_CTX_set_session_cache_mode(client, mode);
    SSL_CTX_sess_set_new_cb(client, on_new);
    SSL_CTX_sess_set_remove_cb(client, note_removal);
    SSL_SESSION *session = visit("first", client, server, NULL);
    show("first", client);
    SSL_SESSION *next = visit("second", client, server, session);
    show("second", client);
    SHOW(SSL_SESSION_is_resumable(session));
    SSL_SESSION *last = visit("third", client, server, next);
    show("third", client);
    revisit("a stranger", client, server, NULL);
    show_counters("client", client);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_SESSION_free(next);
    SSL_SESSION_free(last);
    DO(client, forget());
    SSL_CTX_free(server);
    DO(NULL, SSL_CTX_free(client));
}

int main(void)
{
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const long modes[] = {SSL_SESS_CACHE_OFF,
                          SSL_SESS_CACHE_SERVER,
                          SSL_SESS_CACHE_CLIENT,
                          SSL_SESS_CACHE_BOTH,
                          SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE,
                          SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL};
    for (int version = 0; version < 2; version++)
        for (int stateful = 0; stateful < 2; stateful++)
            for (size_t mode = 0; mode < sizeof(modes) / sizeof(modes[0]); mode++)
                visits(versions[version], stateful, modes[mode]);
    return 0;
}
