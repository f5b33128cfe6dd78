/*
 * All that a trace tells of, a scene at a time: the argument is its name. Prints the ids and the secrets of
 * the sessions that it sees, which must not be in the trace.
 */
#include "handshake.h"
#include <openssl/pem.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void print_secrets(SSL_SESSION *session)
{
    unsigned char secret[64];
    unsigned int length;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    for (unsigned int i = 0; i < length && length >= 16; i++)
        printf("%02x%s", id[i], i + 1 == length ? " id\n" : "");
    size_t size = SSL_SESSION_get_master_key(session, secret, sizeof(secret));
    for (size_t i = 0; i < size; i++)
        printf("%02x%s", secret[i], i + 1 == size ? " secret\n" : "");
}

/* A visit without a word on standard output but the secrets. */
static SSL_SESSION *quiet_visit(SSL_CTX *client, SSL_CTX *server, SSL_SESSION *offered)
{
    struct connection connection = open_connection(client, server, offered);
    if (!handshake(connection) || !say_hello(connection))
        abort();
    print_secrets(SSL_get_session(connection.client));
    print_secrets(SSL_get_session(connection.server));
    SSL_SESSION *session = SSL_get1_session(connection.client);
    part(connection);
    return session;
}

void add_and_remove(void); /* with a name that can be told */

void add_and_remove(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *a = simple_session("a", 1000000000, 2000000000), *b = simple_session("a", 1, 2);
    SSL_SESSION *nameless = make_session("n", TLS1_2_VERSION, "", 0, 1, 1);
    SSL_CTX_add_session(ctx, a);
    SSL_CTX_add_session(ctx, a);
    SSL_CTX_add_session(ctx, b);
    SSL_CTX_remove_session(ctx, b);
    SSL_CTX_remove_session(ctx, b);
    SSL_CTX_remove_session(ctx, nameless);
    SSL_SESSION_free(nameless);
    SSL_SESSION_free(a);
    SSL_SESSION_free(b);
    SSL_CTX_free(ctx);
}

/* A limit of 2 is 1 session in libssl 3.0: the first that goes has expired, the second has not. */
static void limit(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_CTX_sess_set_cache_size(ctx, 2);
    SSL_SESSION *sessions[] = {simple_session("a", 1, 2),
                               simple_session("b", 1000000000, 2000000000),
                               simple_session("c", 1000000000, 2000000001)};
    for (int i = 0; i < 3; i++) {
        SSL_CTX_add_session(ctx, sessions[i]);
        SSL_SESSION_free(sessions[i]);
    }
    SSL_CTX_flush_sessions(ctx, 2000000000);
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_CTX_free(ctx);
}

static void left_behind(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1, 2);
    SSL_CTX_add_session(ctx, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void visits(int version)
{
    SSL_CTX *client = client_context(), *server = stateful_context(version);
    SSL_SESSION *first = quiet_visit(client, server, NULL);
    SSL_SESSION *second = quiet_visit(client, server, first);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void many_visits(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 260; i++) {
        struct connection connection = open_connection(client, server, session);
        if (!handshake(connection))
            abort();
        SSL_SESSION_free(session);
        session = SSL_get1_session(connection.client);
        part(connection);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void bad_shutdown(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    struct connection connection = open_connection(client, server, NULL);
    handshake(connection);
    break_off(connection);
    connection = open_connection(client, server, NULL);
    handshake(connection);
    SSL_clear(connection.server);
    part(connection);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* What the server reads after the handshake, when something has been done to its connection. */
static void read_after(void (*disturb)(struct connection))
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    struct connection connection = open_connection(client, server, NULL);
    char byte;
    handshake(connection);
    disturb(connection);
    if (SSL_read(connection.server, &byte, 1) > 0)
        abort();
    break_off(connection);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void write_garbage(struct connection connection)
{
    BIO_write(SSL_get_wbio(connection.client), "this is no record of TLS", 24);
}

/* The client gets garbage, and says so. */
static void provoke_alert(struct connection connection)
{
    char byte;
    BIO_write(SSL_get_wbio(connection.server), "this is no record of TLS", 24);
    if (SSL_read(connection.client, &byte, 1) > 0)
        abort();
}

static void hang_up(struct connection connection)
{
    if (BIO_shutdown_wr(SSL_get_wbio(connection.client)) != 1)
        abort();
}

static void alert_sent(void)
{
    read_after(write_garbage);
}

static void alert_received(void)
{
    read_after(provoke_alert);
}

static void unexpected_eof(void)
{
    read_after(hang_up);
}

static void flush_of_everything(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *old = simple_session("a", 1, 2);
    SSL_SESSION *young = simple_session("b", 1000000000, 2000000000);
    SSL_CTX_add_session(ctx, old);
    SSL_CTX_add_session(ctx, young);
    SSL_CTX_flush_sessions(ctx, 2000000000);
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_SESSION_free(old);
    SSL_SESSION_free(young);
    SSL_CTX_free(ctx);
}

static void expired(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    struct connection connection = open_connection(client, server, NULL);
    handshake(connection);
    SSL_SESSION_set_time(SSL_get_session(connection.server), 1);
    SSL_SESSION *session = SSL_get1_session(connection.client);
    part(connection);
    SSL_SESSION_free(quiet_visit(client, server, session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* With early data a ticket resumes once. */
static void single_use(void)
{
    SSL_CTX *client = client_context(), *server = server_context(TLS1_3_VERSION);
    SSL_CTX_set_max_early_data(server, 1024);
    SSL_SESSION *session = quiet_visit(client, server, NULL);
    SSL_SESSION_free(quiet_visit(client, server, session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* A client that keeps sessions drops what it has resumed. */
static void client_cache(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
    SSL_SESSION *session = quiet_visit(client, server, NULL);
    SSL_SESSION_free(quiet_visit(client, server, session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static SSL_SESSION *outside;

static int keep(SSL *ssl UNUSED, SSL_SESSION *session)
{
    if (outside != NULL)
        return 0;
    outside = session;
    return 1;
}

static SSL_SESSION *find(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED,
                         int *copy)
{
    SSL_SESSION *session = outside;
    *copy = 0;
    outside = NULL;
    return session;
}

static void callbacks(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(server,
                                   SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    SSL_CTX_sess_set_new_cb(server, keep);
    SSL_CTX_sess_set_get_cb(server, find);
    SSL_CTX_sess_set_remove_cb(server, note_removal);
    SSL_SESSION *session = quiet_visit(client, server, NULL);
    SSL_SESSION_free(quiet_visit(client, server, session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static SSL_SESSION *reread(SSL_SESSION *session)
{
    unsigned char bytes[4096], *end = bytes;
    const unsigned char *start = bytes;
    int length = i2d_SSL_SESSION(session, &end);
    return d2i_SSL_SESSION(NULL, &start, length);
}

static void references(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = quiet_visit(client, server, NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    FILE *file = tmpfile();
    PEM_write_bio_SSL_SESSION(bio, session);
    PEM_write_SSL_SESSION(file, session);
    rewind(file);
    SSL_SESSION *taken[] = {SSL_SESSION_dup(session), reread(session), SSL_SESSION_new(),
                            PEM_read_bio_SSL_SESSION(bio, NULL, NULL, NULL),
                            PEM_read_SSL_SESSION(file, NULL, NULL, NULL)};
    SSL_SESSION_up_ref(session);
    SSL_SESSION_free(session);
    SSL_SESSION_free(session);
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        SSL_SESSION_free(taken[i]);
    fclose(file);
    BIO_free(bio);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static int accept_all(int verified UNUSED, X509_STORE_CTX *store UNUSED)
{
    return 1;
}

static void refused(void)
{
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_set_session_id_context(server, (const unsigned char *)"", 0);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, accept_all);
    SSL_SESSION_free(quiet_visit(client, server, NULL));
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static void forks(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000000000, 2000000000);
    SSL_CTX_add_session(ctx, session);
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child == 0) {
            SSL_CTX_remove_session(ctx, session);
            SSL_SESSION_free(session);
            SSL_CTX_free(ctx);
            exit(0);
        }
        waitpid(child, NULL, 0);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void little_address_space(void)
{
    struct rlimit little = {1 << 29, 1 << 29};
    setrlimit(RLIMIT_AS, &little);
    left_behind();
}

static const struct scene {
    const char *name;
    void (*play)(void);
} scenes[] = {
    {"add and remove", add_and_remove},
    {"limit", limit},
    {"left behind", left_behind},
    {"many visits", many_visits},
    {"bad shutdown", bad_shutdown},
    {"alert sent", alert_sent},
    {"alert received", alert_received},
    {"unexpected eof", unexpected_eof},
    {"flush of everything", flush_of_everything},
    {"expired", expired},
    {"single use", single_use},
    {"client cache", client_cache},
    {"callbacks", callbacks},
    {"references", references},
    {"refused", refused},
    {"forks", forks},
    {"little address space", little_address_space},
};

int main(int count UNUSED, char **arguments)
{
    const char *name = arguments[1];
    if (strcmp(name, "TLS 1.2") == 0)
        visits(TLS1_2_VERSION);
    if (strcmp(name, "TLS 1.3") == 0)
        visits(TLS1_3_VERSION);
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        if (strcmp(name, scenes[i].name) == 0)
            scenes[i].play();
    return 0;
}
