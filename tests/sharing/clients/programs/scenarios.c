/*
 * A client of its own servers: a control connection, then data connections to another port. What
 * differs from an FTP client as it should be is named by the second argument. Says of each data
 * connection whether it was resumed, and whether its client has offered a session at all.
 *
 * usage: scenarios 1.2|1.3 SCENARIO
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int version;
static const char *scenario;

static int is(const char *name)
{
    return strcmp(scenario, name) == 0;
}

/* ---- the servers: one thread a listener, one a connection ---- */

struct listener {
    SSL_CTX *ctx;
    int socket;
    int port;
};

static atomic_int offers; /* hellos with a session in them */
static atomic_int breaks; /* a hello with a session ends the connection */
static EVP_PKEY *key;
static X509 *certificate;

static void add_extension(int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    if (extension == NULL || !X509_add_ext(certificate, extension, -1))
        abort();
    X509_EXTENSION_free(extension);
}

static void make_certificate(void)
{
    EVP_PKEY_CTX *generator = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    if (generator == NULL || EVP_PKEY_keygen_init(generator) <= 0 ||
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator, NID_X9_62_prime256v1) <= 0 ||
        EVP_PKEY_keygen(generator, &key) <= 0)
        abort();
    EVP_PKEY_CTX_free(generator);
    certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    if (!X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
                                    -1, -1, 0))
        abort();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), is("expired") ? 2 : 3600);
    X509_set_subject_name(certificate, name);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    add_extension(NID_subject_alt_name, "DNS:localhost,DNS:other,IP:127.0.0.1,IP:127.0.0.2");
    if (X509_sign(certificate, key, EVP_sha256()) <= 0)
        abort();
    X509_NAME_free(name);
}

static int see_hello(SSL *ssl, int *alert, void *unused)
{
    const unsigned char *bytes;
    size_t length = 0;
    int has_session = 0;
    (void)unused;
    if (version == TLS1_3_VERSION)
        has_session = SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &bytes, &length);
    else if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_session_ticket, &bytes, &length))
        has_session = length > 0 || SSL_client_hello_get0_session_id(ssl, &bytes) > 0;
    else
        has_session = SSL_client_hello_get0_session_id(ssl, &bytes) > 0;
    offers += has_session != 0;
    *alert = SSL_AD_INTERNAL_ERROR;
    return has_session && breaks ? SSL_CLIENT_HELLO_ERROR : SSL_CLIENT_HELLO_SUCCESS;
}

static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *length,
                           const unsigned char *in, unsigned int in_length, void *unused)
{
    (void)ssl, (void)in_length, (void)unused;
    *out = in + 1;
    *length = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *server_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate(ctx, certificate) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
        abort();
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"s", 1);
    SSL_CTX_set_client_hello_cb(ctx, see_hello, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
    if (is("identifiers"))
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (is("single_use")) {
        SSL_CTX_set_num_tickets(ctx, 3);
        SSL_CTX_set_max_early_data(ctx, 1024);
    }
    return ctx;
}

static void change_ticket_keys(SSL_CTX *ctx)
{
    unsigned char keys[80];
    memset(keys, 7, sizeof(keys));
    if (!SSL_CTX_set_tlsext_ticket_keys(ctx, keys, SSL_CTX_set_tlsext_ticket_keys(ctx, NULL, 0)))
        abort();
}

/* Else an answer in two pieces waits for the other side's acknowledgement. */
static int without_delay(int socket_of)
{
    int one = 1;
    setsockopt(socket_of, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return socket_of;
}

struct visit {
    SSL_CTX *ctx;
    int socket;
};

/* Echoes bytes until the client closes or says q; the first is its own, so that tickets are read. */
static void *serve(void *argument)
{
    struct visit *visit = argument;
    SSL *ssl = SSL_new(visit->ctx);
    char byte = 'h';
    SSL_set_fd(ssl, visit->socket);
    if (SSL_accept(ssl) == 1 && SSL_write(ssl, &byte, 1) == 1)
        while (SSL_read(ssl, &byte, 1) == 1 && byte != 'q' && SSL_write(ssl, &byte, 1) == 1)
            ;
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(visit->socket);
    free(visit);
    return NULL;
}

static void start(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, function, argument) != 0)
        abort();
    pthread_detach(thread);
}

static void *listen_on(void *argument)
{
    struct listener *listener = argument;
    for (;;) {
        struct visit *visit = malloc(sizeof(*visit));
        visit->ctx = listener->ctx;
        visit->socket = without_delay(accept(listener->socket, NULL, NULL));
        start(serve, visit);
    }
    return NULL;
}

static struct listener *open_listener(SSL_CTX *ctx, const char *address)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t length = sizeof(name);
    inet_pton(AF_INET, address, &name.sin_addr);
    listener->ctx = ctx;
    listener->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener->socket, (struct sockaddr *)&name, sizeof(name)) != 0 ||
        listen(listener->socket, 16) != 0 ||
        getsockname(listener->socket, (struct sockaddr *)&name, &length) != 0)
        abort();
    listener->port = ntohs(name.sin_port);
    start(listen_on, listener);
    return listener;
}

/* ---- the client ---- */

static const unsigned char protocols[] = "\003ftp";
static int news; /* calls of the program's new_cb */
static SSL_SESSION *own_session;
static atomic_int resumptions;

static int count_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    news++;
    return 0;
}

static void count_removed(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx, (void)session;
    printf("the program's remove_cb was called\n");
}

static int let_pass(int is_good, X509_STORE_CTX *store)
{
    (void)is_good, (void)store;
    return 1;
}

static int accept_all(X509_STORE_CTX *store, void *unused)
{
    (void)store, (void)unused;
    return 1;
}

static SSL_CTX *client_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    int trusts =
        !is("unverified") && !is("trusted_later") && !is("let_pass") && !is("own_verifier");
    if (trusts)
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate);
    int verifies = !is("unverified") && !is("trusted_later");
    SSL_CTX_set_verify(ctx, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       is("let_pass") ? let_pass : NULL);
    if (is("own_verifier"))
        SSL_CTX_set_cert_verify_callback(ctx, accept_all, NULL);
    if (is("dane"))
        SSL_CTX_dane_enable(ctx);
    if (is("resumes") || is("single_use"))
        SSL_CTX_sess_set_new_cb(ctx, count_new);
    if (is("resumes"))
        SSL_CTX_sess_set_remove_cb(ctx, count_removed);
    if (is("context_protocols") || is("other_context_protocols"))
        SSL_CTX_set_alpn_protos(ctx, protocols, sizeof(protocols) - 1);
    if (is("own_mode"))
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
    return ctx;
}

/* Another context, that differs in nothing. */
static SSL_CTX *twin_of(SSL_CTX *ctx)
{
    SSL_CTX *twin = client_context();
    SSL_CTX_set1_cert_store(twin, SSL_CTX_get_cert_store(ctx));
    return twin;
}

static int dial(const struct listener *listener, const char *address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(listener->port)};
    int socket_of = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, address, &name.sin_addr);
    if (connect(socket_of, (struct sockaddr *)&name, sizeof(name)) != 0)
        abort();
    return without_delay(socket_of);
}

/* What a data connection asks for otherwise. */
static void change_terms(SSL *ssl)
{
    if (is("other_host"))
        X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), "other", 0);
    if (is("other_address_name"))
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
    if (is("other_flags"))
        X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_X509_STRICT);
    if (is("other_sni"))
        SSL_set_tlsext_host_name(ssl, "other");
    if (is("other_verify_mode"))
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    if (is("other_callback"))
        SSL_set_verify(ssl, SSL_VERIFY_PEER, let_pass);
    if (is("other_protocols"))
        SSL_set_alpn_protos(ssl, protocols, sizeof(protocols) - 1);
    if (is("stapling"))
        SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    if (is("own_session"))
        SSL_set_session(ssl, own_session);
}

static void wait_for(int socket_of, int events)
{
    struct pollfd waiting = {.fd = socket_of, .events = (short)events};
    poll(&waiting, 1, 10000);
}

static int connect_step_by_step(SSL *ssl)
{
    int socket_of = SSL_get_fd(ssl), done;
    fcntl(socket_of, F_SETFL, O_NONBLOCK);
    while ((done = SSL_connect(ssl)) != 1 && SSL_get_error(ssl, done) == SSL_ERROR_WANT_READ)
        wait_for(socket_of, POLLIN);
    fcntl(socket_of, F_SETFL, 0);
    return done;
}

static int connect_somehow(SSL *ssl)
{
    if (is("step_by_step"))
        return connect_step_by_step(ssl);
    SSL_set_connect_state(ssl);
    if (is("handshake"))
        return SSL_do_handshake(ssl);
    return is("reading") ? 1 : SSL_connect(ssl);
}

/* A connection that has heard of its server, or NULL. */
static SSL *greet(SSL *ssl)
{
    char byte;
    if (connect_somehow(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1)
        return ssl;
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
    return NULL;
}

static SSL *open_connection(SSL_CTX *ctx, int socket_of, int is_data)
{
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, socket_of);
    SSL_set_tlsext_host_name(ssl, "localhost");
    X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), "localhost", 0);
    if (is_data)
        change_terms(ssl);
    return greet(ssl);
}

static void leave(SSL *ssl)
{
    int socket_of = SSL_get_fd(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(socket_of);
}

static void show(const char *what, SSL *ssl, int offered)
{
    if (ssl == NULL)
        printf("%s: failed, offered %d\n", what, offered);
    else
        printf("%s: resumed %d, offered %d\n", what, SSL_session_reused(ssl), offered);
    fflush(stdout);
}

struct data {
    SSL_CTX *ctx;
    const struct listener *listener;
    const char *address;
    int times;
};

static void *transfer(void *argument)
{
    const struct data *data = argument;
    for (int i = 0; i < data->times; i++) {
        int before = offers;
        SSL *ssl = open_connection(data->ctx, dial(data->listener, data->address), 1);
        show("data", ssl, offers - before);
        if (ssl != NULL)
            leave(ssl);
    }
    return NULL;
}

static void transfer_in_thread(struct data *data)
{
    pthread_t thread;
    pthread_create(&thread, NULL, transfer, data);
    pthread_join(thread, NULL);
}

static void transfer_in_child(struct data *data)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int before = 0, after = 0;
        SSL *ssl = open_connection(data->ctx, dial(data->listener, data->address), 1);
        show("child", ssl, after - before);
        if (ssl != NULL)
            leave(ssl);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        printf("the child ended with %d\n", status);
}

/* What becomes of the control connection before there is data. */
static SSL *close_control(SSL *control)
{
    char byte = 'q';
    if (is("shut_down"))
        SSL_shutdown(control);
    if (is("cleared"))
        SSL_clear(control);
    if (is("closed_socket"))
        close(SSL_get_fd(control));
    if (is("closed_by_server")) {
        SSL_write(control, &byte, 1);
        wait_for(SSL_get_fd(control), POLLRDHUP);
    }
    if (!is("freed"))
        return control;
    SSL_free(control);
    return NULL;
}

static void two_servers(SSL_CTX *client, SSL_CTX *first, SSL_CTX *second)
{
    struct listener *listeners[] = {
        open_listener(first, "127.0.0.1"), open_listener(second, "127.0.0.1"),
        open_listener(first, "127.0.0.1"), open_listener(second, "127.0.0.1")};
    SSL *controls[] = {open_connection(client, dial(listeners[0], "127.0.0.1"), 0),
                       open_connection(client, dial(listeners[1], "127.0.0.1"), 0)};
    for (int i = 0; i < 4; i++) {
        char byte = 'p';
        usleep(20000); /* the kernel tells in steps of some milliseconds who has spoken last */
        SSL_write(controls[i % 2], &byte, 1);
        SSL_read(controls[i % 2], &byte, 1);
        transfer(&(struct data){client, listeners[2 + i % 2], "127.0.0.1", 1});
    }
}

/* Threads with a control connection each, all of one context. */
static void *work(void *argument)
{
    struct data data = *(struct data *)argument;
    SSL *control = open_connection(data.ctx, dial(data.listener, "127.0.0.1"), 0);
    data.listener++;
    for (int i = 0; i < data.times; i++) {
        SSL *ssl = open_connection(data.ctx, dial(data.listener, "127.0.0.1"), 1);
        resumptions += SSL_session_reused(ssl);
        leave(ssl);
    }
    leave(control);
    return NULL;
}

static void many_threads(SSL_CTX *client, SSL_CTX *server)
{
    enum { THREADS = 8, TIMES = 5 };
    struct listener listeners[] = {*open_listener(server, "127.0.0.1"),
                                   *open_listener(server, "127.0.0.1")};
    struct data data = {client, listeners, "127.0.0.1", TIMES};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, &data);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("resumed %d of %d\n", (int)resumptions, THREADS * TIMES);
}

/* The time of a data connection from its handshake's begin to the server's first byte. */
static void measure(SSL_CTX *client, SSL_CTX *server)
{
    enum { TIMES = 100 };
    struct listener *for_control = open_listener(server, "127.0.0.1"),
                    *for_data = open_listener(server, "127.0.0.1");
    SSL *control = open_connection(client, dial(for_control, "127.0.0.1"), 0);
    struct timespec begin, end;
    long nanoseconds = 0;
    for (int i = 0; i < TIMES; i++) {
        int socket_of = dial(for_data, "127.0.0.1");
        clock_gettime(CLOCK_MONOTONIC, &begin);
        SSL *ssl = open_connection(client, socket_of, 1);
        clock_gettime(CLOCK_MONOTONIC, &end);
        nanoseconds += (end.tv_sec - begin.tv_sec) * 1000000000L + end.tv_nsec - begin.tv_nsec;
        resumptions += SSL_session_reused(ssl);
        leave(ssl);
    }
    leave(control);
    printf("microseconds %ld resumed %d\n", nanoseconds / TIMES / 1000, (int)resumptions);
}

static void show_context(SSL_CTX *ctx)
{
    printf("mode %ld, callbacks as set %d, new_cb called %d, sessions %ld\n",
           SSL_CTX_get_session_cache_mode(ctx), SSL_CTX_sess_get_new_cb(ctx) == count_new, news,
           SSL_CTX_sess_number(ctx));
}

static void run(SSL_CTX *client, SSL_CTX *server)
{
    const char *host = is("other_address") ? "127.0.0.2" : "127.0.0.1";
    struct listener *for_control = open_listener(server, "127.0.0.1");
    struct listener *for_data = open_listener(server, host);
    struct data data = {is("other_context") ? twin_of(client) : client, for_data, host, 4};
    SSL *control = open_connection(client, dial(for_control, "127.0.0.1"), 0);
    if (control == NULL)
        abort();
    if (is("own_session"))
        own_session = SSL_get1_session(control);
    if (is("same_port"))
        data.listener = for_control;
    if (is("refused"))
        change_ticket_keys(server);
    if (is("expired"))
        sleep(3);
    if (is("trusted_later"))
        X509_STORE_add_cert(SSL_CTX_get_cert_store(client), certificate);
    if (is("mode_later"))
        SSL_CTX_set_session_cache_mode(client,
                                       SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    if (is("other_context_protocols"))
        SSL_CTX_set_alpn_protos(client, (const unsigned char *)"\004data", 5);
    breaks = is("breaks_off");
    control = close_control(control);
    if (is("thread"))
        transfer_in_thread(&data);
    else if (is("thread_context")) {
        data.ctx = twin_of(client);
        transfer_in_thread(&data);
    } else if (is("forked"))
        transfer_in_child(&data);
    else
        transfer(&data);
    if (is("forked"))
        transfer(&data);
    show_context(client);
    if (control != NULL && !is("closed_socket"))
        leave(control);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    version = strcmp(argv[1], "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    scenario = argv[2];
    signal(SIGPIPE, SIG_IGN);
    make_certificate();
    SSL_CTX *server = server_context(), *client = client_context();
    if (is("two_servers"))
        two_servers(client, server, server_context());
    else if (is("many_threads"))
        many_threads(client, server);
    else if (is("timed"))
        measure(client, server);
    else
        run(client, server);
    fflush(stdout);
    _exit(0); /* the server's threads wait for more */
}
