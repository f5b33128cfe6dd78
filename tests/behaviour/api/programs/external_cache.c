/* The program's own cache behind new_cb, get_cb and remove_cb, with the references of each. */
#include "handshake.h"

/* A cache of one session, with the reference that new_cb kept. */
static SSL_SESSION *external;
static int new_keeps, get_copies;

static int on_new(SSL *ssl UNUSED, SSL_SESSION *session)
{
    printf("  new_cb %s\n", name_of(session));
    if (!new_keeps)
        return 0;
    SSL_SESSION_free(external);
    external = session;
    return 1;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    unsigned known = 0;
    const unsigned char *mine = external == NULL ? NULL : SSL_SESSION_get_id(external, &known);
    int same = (unsigned)length == known && memcmp(id, mine, known) == 0;
    printf("  get_cb: id of %d bytes, copy %d, cb_hits %ld misses %ld: %s\n", length, *copy,
           SSL_CTX_sess_cb_hits(SSL_get_SSL_CTX(ssl)), SSL_CTX_sess_misses(SSL_get_SSL_CTX(ssl)),
           same ? name_of(external) : "none");
    if (!same)
        return NULL;
    *copy = get_copies;
    if (!get_copies)
        SSL_SESSION_up_ref(external);
    return external;
}

static SSL_CTX *external_server(int version, long mode)
{
    SSL_CTX *server = stateful_context(version);
    SSL_CTX_set_session_cache_mode(server, mode);
    SSL_CTX_sess_set_new_cb(server, on_new);
    SSL_CTX_sess_set_get_cb(server, on_get);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    return server;
}

static void empty_external(void)
{
    SSL_SESSION_free(external);
    external = NULL;
}

static void visits(int version, long mode, int keeps, int copies)
{
    printf("-- version %x mode %lx keeps %d copies %d\n", version, mode, keeps, copies);
    new_keeps = keeps;
    get_copies = copies;
    SSL_CTX *client = client_context(), *server = external_server(version, mode);
    SSL_SESSION *session = visit("first", client, server, NULL);
    show("first", server);
    SSL_SESSION *next = visit("second", client, server, session);
    show("second", server);
    revisit("third", client, server, next);
    show("third", server);
    DO(server, SSL_CTX_flush_sessions(server, 0));
    revisit("after a flush", client, server, next);
    show_counters("server", server);
    DO(server, empty_external());
    revisit("external emptied", client, server, next);
    show_counters("server", server);
    SSL_SESSION_free(session);
    SSL_SESSION_free(next);
    DO(NULL, SSL_CTX_free(server));
    DO(NULL, empty_external());
    SSL_CTX_free(client);
}

/* A fresh copy of what a store gave, as a program has it that serialises its sessions. */
static SSL_SESSION *on_get_copy(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED,
                                int *copy)
{
    printf("  get_cb gives a fresh copy\n");
    *copy = 0;
    SSL_SESSION *fresh = SSL_SESSION_dup(external);
    name_session(fresh, "fresh");
    return fresh;
}

static void fresh_copies(long mode)
{
    printf("-- fresh copies, mode %lx\n", mode);
    new_keeps = 1;
    SSL_CTX *client = client_context(), *server = external_server(TLS1_2_VERSION, mode);
    SSL_SESSION *session = visit("first", client, server, NULL);
    SSL_CTX_sess_set_get_cb(server, on_get_copy);
    SSL_CTX_flush_sessions(server, 0);
    show("flushed", server);
    SSL_SESSION_free(external);
    external = SSL_SESSION_dup(session);
    /* The client's session has the server's secrets, but not its session id context. */
    SSL_SESSION_set1_id_context(external, (const unsigned char *)"tests", 5);
    for (int i = 0; i < 3; i++) {
        revisit("again", client, server, session);
        show("again", server);
    }
    show_counters("server", server);
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
    DO(NULL, empty_external());
    SSL_CTX_free(client);
}

/* What get_cb gives is asked for its mark, its age and its context. */
static void unfit_sessions(int version)
{
    printf("-- unfit, version %x\n", version);
    new_keeps = 1;
    for (int copies = 0; copies < 2; copies++) {
        get_copies = copies;
        SSL_CTX *client = client_context(),
                *server = external_server(version, SSL_SESS_CACHE_SERVER);
        SSL_SESSION *session = visit("first", client, server, NULL);
        STEP(server, SSL_CTX_remove_session(server, external));
        SSL_SESSION *kept = external;
        SSL_SESSION_up_ref(kept);
        revisit("not resumable", client, server, session);
        show_counters("server", server);
        SSL_SESSION_free(session);
        SSL_SESSION_free(kept);
        session = visit("anew", client, server, NULL);
        SSL_CTX_flush_sessions(server, 1);
        SSL_SESSION_set_time(external, 1000);
        SSL_CTX_flush_sessions(server, 2000);
        show("flushed", server);
        revisit("flushed and expired", client, server, session);
        show_counters("server", server);
        SSL_SESSION_free(session);
        DO(NULL, SSL_CTX_free(server));
        DO(NULL, empty_external());
        SSL_CTX_free(client);
    }
}

static void expired_outside(int version)
{
    printf("-- expired outside, version %x\n", version);
    new_keeps = 1;
    get_copies = 1;
    SSL_CTX *client = client_context();
    SSL_CTX *server = external_server(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_SESSION *session = visit("first", client, server, NULL);
    SSL_SESSION_set_time(external, 1000);
    revisit("too late", client, server, session);
    show("too late", server);
    show_counters("server", server);
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(server));
    DO(NULL, empty_external());
    SSL_CTX_free(client);
}

int main(void)
{
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const long modes[] = {
        SSL_SESS_CACHE_SERVER,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
        SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_AUTO_CLEAR,
        SSL_SESS_CACHE_OFF,
    };
    for (int version = 0; version < 2; version++)
        for (size_t mode = 0; mode < sizeof(modes) / sizeof(modes[0]); mode++)
            for (int keeps = 0; keeps < 2; keeps++)
                for (int copies = 0; copies < 2; copies++)
                    visits(versions[version], modes[mode], keeps, copies);
    fresh_copies(SSL_SESS_CACHE_SERVER);
    fresh_copies(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    unfit_sessions(TLS1_2_VERSION);
    unfit_sessions(TLS1_3_VERSION);
    expired_outside(TLS1_2_VERSION);
    expired_outside(TLS1_3_VERSION);
    return 0;
}
