/*
 * Which tickets a server opens. Each SSL_CTX stands for an instance of a server: alone it has a key of its own.
 *
 * usage: tickets SCENARIO CERTIFICATE KEY [FILE]
 *
 * With the functions of OpenSSL 1.1.1 only, so that it serves every libssl.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "handshake.h"

#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <sys/time.h>

static const char *certificate_file, *key_file;

/* ---- the clock of this process, which stands ---- */

static time_t ahead;

static time_t now(void)
{
    static time_t begun;
    struct timespec real;
    if (begun == 0 && clock_gettime(CLOCK_REALTIME, &real) == 0)
        begun = real.tv_sec;
    return begun + ahead;
}

time_t time(time_t *result)
{
    if (result != NULL)
        *result = now();
    return now();
}

int gettimeofday(struct timeval *restrict result, void *restrict zone)
{
    (void)zone;
    *result = (struct timeval){.tv_sec = now()};
    return 0;
}

/* ---- servers and clients ---- */

static int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static const char *version_name(int version)
{
    return version == TLS1_3_VERSION ? "1.3" : "1.2";
}

static int accept_all(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static SSL_CTX *server(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL || !SSL_CTX_set_min_proto_version(ctx, version) ||
        !SSL_CTX_set_max_proto_version(ctx, version) ||
        SSL_CTX_use_certificate_file(ctx, certificate_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
        !SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"tests", 5))
        abort();
    return ctx;
}

/* Another certificate, with another key. */
static void use_other_certificate(SSL_CTX *ctx)
{
    if (server_key == NULL)
        make_certificate();
    if (SSL_CTX_use_certificate(ctx, server_certificate) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, server_key) != 1)
        abort();
}

/* A certificate more, of another kind: a client gets the one that it can read. */
static void add_certificate(SSL_CTX *ctx)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *generator = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    if (server_key == NULL)
        make_certificate();
    X509 *certificate = X509_dup(server_certificate);
    if (generator == NULL || certificate == NULL || EVP_PKEY_keygen_init(generator) <= 0 ||
        EVP_PKEY_keygen(generator, &key) <= 0 || !X509_set_pubkey(certificate, key) ||
        X509_sign(certificate, key, NULL) <= 0 || SSL_CTX_use_certificate(ctx, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, key) != 1)
        abort();
    X509_free(certificate);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(generator);
}

/* It presents a certificate to whoever asks for one. */
static SSL_CTX *client(void)
{
    SSL_CTX *ctx = client_context();
    if (SSL_CTX_use_certificate_file(ctx, certificate_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1)
        abort();
    return ctx;
}

struct outcome {
    int is_done, is_resumed;
    SSL_SESSION *session; /* of the client, for the next time */
};

static struct outcome go(SSL_CTX *ours, SSL_CTX *theirs, SSL_SESSION *offered, const char *name)
{
    struct connection connection = open_connection(ours, theirs, offered);
    struct outcome outcome = {0, 0, NULL};
    if (name != NULL)
        SSL_set_tlsext_host_name(connection.client, name);
    outcome.is_done = handshake(connection) && say_hello(connection);
    outcome.is_resumed = outcome.is_done && SSL_session_reused(connection.server);
    if (outcome.is_done)
        outcome.session = SSL_get1_session(connection.client);
    part(connection);
    return outcome;
}

/* Whether a session that another server gave resumes. */
static int resumes(SSL_CTX *ours, SSL_CTX *theirs, SSL_SESSION *offered, const char *name)
{
    struct outcome outcome = go(ours, theirs, offered, name);
    SSL_SESSION_free(outcome.session);
    if (!outcome.is_done)
        return -1;
    return outcome.is_resumed;
}

static SSL_SESSION *session_of(SSL_CTX *ours, SSL_CTX *theirs, const char *name)
{
    struct outcome outcome = go(ours, theirs, NULL, name);
    if (!outcome.is_done)
        abort();
    return outcome.session;
}

/* ---- labels: what must be the same ---- */

static void ask_for_certificates(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_all);
}

static void trust_certificate(SSL_CTX *ctx)
{
    ask_for_certificates(ctx);
    if (SSL_CTX_load_verify_locations(ctx, certificate_file, NULL) != 1)
        abort();
}

static void name_authority(SSL_CTX *ctx)
{
    ask_for_certificates(ctx);
    SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(certificate_file));
}

static void insist_on_certificates(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_all);
}

static void set_other_context(SSL_CTX *ctx)
{
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"other", 5);
}

static void set_nothing(SSL_CTX *ctx)
{
    (void)ctx;
}

static const struct difference {
    const char *name;
    void (*apply)(SSL_CTX *ctx);
    int is_of_clients; /* the first server asks for certificates too */
} differences[] = {
    {"nothing", set_nothing, 0},
    {"nothing, with clients' certificates", ask_for_certificates, 1},
    {"session id context", set_other_context, 0},
    {"certificate", use_other_certificate, 0},
    {"certificates", add_certificate, 0},
    {"asks for certificates", ask_for_certificates, 0},
    {"insists on certificates", insist_on_certificates, 1},
    {"trusted certificates", trust_certificate, 1},
    {"named authorities", name_authority, 1},
};

static void labels(void)
{
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
            const struct difference *difference = &differences[i];
            SSL_CTX *ours = client(), *first = server(versions[v]), *second = server(versions[v]);
            if (difference->is_of_clients)
                ask_for_certificates(first);
            difference->apply(second);
            SSL_SESSION *session = session_of(ours, first, NULL);
            printf("%s %s: %d\n", version_name(versions[v]), difference->name,
                   resumes(ours, second, session, NULL));
            SSL_SESSION_free(session);
            SSL_CTX_free(ours), SSL_CTX_free(first), SSL_CTX_free(second);
        }
    }
}

/* ---- names: virtual hosts behind one address, some of which ask for clients' certificates ---- */

struct site {
    SSL_CTX *first; /* serves plain.example, and whoever names none */
    SSL_CTX *closed, *open;
};

static int choose(SSL *ssl, int *alert, void *argument)
{
    (void)alert;
    struct site *site = argument;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    SSL_CTX *chosen = site->first;
    if (name != NULL && strcmp(name, "closed.example") == 0)
        chosen = site->closed;
    if (name != NULL && strcmp(name, "open.example") == 0)
        chosen = site->open;
    SSL_set_SSL_CTX(ssl, chosen);
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(chosen), accept_all);
    return name != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void open_site(struct site *site, int version)
{
    site->first = server(version);
    site->open = server(version);
    site->closed = server(version);
    use_other_certificate(site->open);
    insist_on_certificates(site->closed);
    SSL_CTX_set_tlsext_servername_callback(site->first, choose);
    SSL_CTX_set_tlsext_servername_arg(site->first, site);
}

static void close_site(struct site *site)
{
    SSL_CTX_free(site->first), SSL_CTX_free(site->open), SSL_CTX_free(site->closed);
}

static const char *const hosts[] = {NULL, "plain.example", "open.example", "closed.example"};
enum { HOSTS = 4 };

static const char *host_name(int host)
{
    return hosts[host] != NULL ? hosts[host] : "none";
}

static void virtual_hosts(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct site one, other;
        SSL_CTX *ours = client();
        open_site(&one, versions[v]);
        open_site(&other, versions[v]);
        for (int from = 0; from < HOSTS; from++) {
            SSL_SESSION *session = session_of(ours, one.first, hosts[from]);
            /* Before a name was served for the first time nobody can tell whose it is. */
            printf("%s %s: first %d\n", version_name(versions[v]), host_name(from),
                   resumes(ours, other.first, session, hosts[from]));
            SSL_SESSION_free(session);
        }
        for (int from = 0; from < HOSTS; from++) {
            for (int to = 0; to < HOSTS; to++) {
                SSL_SESSION *session = session_of(ours, one.first, hosts[from]);
                int here = resumes(ours, one.first, session, hosts[to]);
                SSL_SESSION_free(session);
                session = session_of(ours, one.first, hosts[from]);
                int there = resumes(ours, other.first, session, hosts[to]);
                SSL_SESSION_free(session);
                printf("%s %s at %s: here %d there %d\n", version_name(versions[v]),
                       host_name(from), host_name(to), here, there);
            }
        }
        close_site(&one), close_site(&other);
        SSL_CTX_free(ours);
    }
}

/* ---- own: programs with keys of their own ---- */

static unsigned char own_keys[80];

static int own_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                        HMAC_CTX *mac, int seals)
{
    (void)ssl;
    if (!seals && memcmp(name, own_keys, 16) != 0)
        return 0;
    memcpy(name, own_keys, 16);
    if (seals && RAND_bytes(iv, 16) != 1)
        return -1;
    if (!EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, own_keys + 48, iv, seals) ||
        !HMAC_Init_ex(mac, own_keys + 16, 32, EVP_sha256(), NULL))
        return -1;
    return 1;
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/core_names.h>
static int own_evp_callback(SSL *ssl, unsigned char *name, unsigned char *iv,
                            EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals)
{
    (void)ssl;
    if (!seals && memcmp(name, own_keys, 16) != 0)
        return 0;
    memcpy(name, own_keys, 16);
    if (seals && RAND_bytes(iv, 16) != 1)
        return -1;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, own_keys + 16, 32),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "sha256", 0),
        OSSL_PARAM_construct_end(),
    };
    if (!EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, own_keys + 48, iv, seals) ||
        !EVP_MAC_CTX_set_params(mac, parameters))
        return -1;
    return 1;
}
#endif

static void set_keys(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_ticket_keys(ctx, own_keys, sizeof(own_keys));
}

static void set_callback(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_ticket_key_cb(ctx, own_callback);
}

static void set_evp_callback(SSL_CTX *ctx)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, own_evp_callback);
#else
    set_callback(ctx);
#endif
}

static void ask_for_keys(SSL_CTX *ctx)
{
    unsigned char keys[sizeof(own_keys)];
    SSL_CTX_get_tlsext_ticket_keys(ctx, keys, sizeof(keys));
}

static const struct {
    const char *name;
    void (*set)(SSL_CTX *ctx);
} ways[] = {
    {"keys", set_keys},
    {"callback", set_callback},
    {"newer callback", set_evp_callback},
    {"asked for keys", ask_for_keys},
};

/* Whether a ticket has the program's key name: that of the client's session of TLS 1.2 and 1.3 alike. */
static int is_own(const SSL_SESSION *session)
{
    const unsigned char *ticket;
    size_t length;
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    return length > 16 && memcmp(ticket, own_keys, 16) == 0;
}

static void own(void)
{
    memset(own_keys, 7, sizeof(own_keys));
    for (size_t v = 0; v < 2; v++) {
        for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
            for (int late = 0; late < 2; late++) {
                SSL_CTX *ours = client(), *set = server(versions[v]), *same = server(versions[v]),
                        *other = server(versions[v]);
                if (late)
                    SSL_SESSION_free(session_of(ours, set, NULL));
                ways[way].set(set), ways[way].set(same);
                SSL_SESSION *session = session_of(ours, set, NULL);
                unsigned char read_back[sizeof(own_keys)] = {0};
                if (ways[way].set == set_keys)
                    SSL_CTX_get_tlsext_ticket_keys(set, read_back, sizeof(read_back));
                printf("%s %s, %s: own %d here %d same %d other %d read back %d\n",
                       version_name(versions[v]), ways[way].name, late ? "late" : "early",
                       is_own(session), resumes(ours, set, session, NULL),
                       resumes(ours, same, session, NULL), resumes(ours, other, session, NULL),
                       memcmp(read_back, own_keys, sizeof(own_keys)) == 0);
                SSL_SESSION_free(session);
                SSL_CTX_free(ours), SSL_CTX_free(set), SSL_CTX_free(same), SSL_CTX_free(other);
            }
        }
    }
}

/* ---- more of what a program can set ---- */

static int set_data(SSL *ssl, void *argument)
{
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), argument, strlen(argument));
}

static int seen[16];

static SSL_TICKET_RETURN read_data(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                   size_t length, SSL_TICKET_STATUS status, void *argument)
{
    void *data = NULL;
    size_t size = 0;
    (void)ssl, (void)name, (void)length;
    seen[status]++;
    if (status == SSL_TICKET_EMPTY || status == SSL_TICKET_NO_DECRYPT)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    SSL_SESSION_get0_ticket_appdata(session, &data, &size);
    printf("  data '%.*s', argument '%s'\n", (int)size, (const char *)data, (const char *)argument);
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* The program's own data in a ticket, which it reads with another session id context too. */
static void data(void)
{
    static char here[] = "here", there[] = "there";
    for (size_t v = 0; v < 2; v++) {
        SSL_CTX *ours = client(), *one = server(versions[v]), *other = server(versions[v]),
                *strange = server(versions[v]);
        set_other_context(strange);
        SSL_CTX_set_session_ticket_cb(one, set_data, read_data, here);
        SSL_CTX_set_session_ticket_cb(other, set_data, read_data, there);
        SSL_CTX_set_session_ticket_cb(strange, set_data, read_data, there);
        memset(seen, 0, sizeof(seen));
        SSL_SESSION *session = session_of(ours, one, NULL);
        printf("%s here %d\n", version_name(versions[v]), resumes(ours, one, session, NULL));
        printf("%s there %d\n", version_name(versions[v]), resumes(ours, other, session, NULL));
        printf("%s strange %d\n", version_name(versions[v]), resumes(ours, strange, session, NULL));
        printf("%s empty %d not opened %d\n", version_name(versions[v]), seen[SSL_TICKET_EMPTY],
               seen[SSL_TICKET_NO_DECRYPT]);
        SSL_SESSION_free(session);
        SSL_CTX_free(ours), SSL_CTX_free(one), SSL_CTX_free(other), SSL_CTX_free(strange);
    }
}

static void off(void)
{
    for (size_t v = 0; v < 2; v++) {
        SSL_CTX *ours = client(), *one = server(versions[v]), *other = server(versions[v]);
        SSL_CTX_set_options(one, SSL_OP_NO_TICKET), SSL_CTX_set_options(other, SSL_OP_NO_TICKET);
        SSL_SESSION *session = session_of(ours, one, NULL);
        printf("%s off: here %d there %d\n", version_name(versions[v]),
               resumes(ours, one, session, NULL), resumes(ours, other, session, NULL));
        SSL_SESSION_free(session);
        SSL_CTX_free(ours), SSL_CTX_free(one), SSL_CTX_free(other);
    }
}

/* Early data, where the program has turned libssl's own guard against replays off. */
static int early(SSL_CTX *ours, SSL_CTX *theirs, SSL_SESSION *offered)
{
    struct connection connection = open_connection(ours, theirs, offered);
    size_t written, got = 0;
    char buffer[16];
    SSL_write_early_data(connection.client, "early", 5, &written);
    int status = SSL_read_early_data(connection.server, buffer, sizeof(buffer), &got);
    int accepted = SSL_get_early_data_status(connection.server) == SSL_EARLY_DATA_ACCEPTED;
    for (int i = 0; i < 5 && status != SSL_READ_EARLY_DATA_FINISH; i++) {
        SSL_connect(connection.client);
        status = SSL_read_early_data(connection.server, buffer, sizeof(buffer), &got);
    }
    int done = handshake(connection) && say_hello(connection);
    int resumed = SSL_session_reused(connection.server);
    part(connection);
    return done ? resumed + 2 * accepted : -1;
}

static void early_data(void)
{
    SSL_CTX *ours = client(), *one = server(TLS1_3_VERSION), *other = server(TLS1_3_VERSION);
    SSL_CTX_set_max_early_data(one, 1000), SSL_CTX_set_max_early_data(other, 1000);
    SSL_CTX_set_options(one, SSL_OP_NO_ANTI_REPLAY),
        SSL_CTX_set_options(other, SSL_OP_NO_ANTI_REPLAY);
    SSL_SESSION *session = session_of(ours, one, NULL);
    printf("may send %d\n", SSL_SESSION_get_max_early_data(session) > 0);
    int here = early(ours, one, session), there = early(ours, other, session);
    printf("here: resumed %d accepted %d\n", here & 1, here >> 1);
    printf("there: resumed %d accepted %d\n", there & 1, there >> 1);
    SSL_SESSION_free(session);
    SSL_CTX_free(ours), SSL_CTX_free(one), SSL_CTX_free(other);
}

/* ---- epochs ---- */

static int is_renewed(const SSL_SESSION *one, const SSL_SESSION *other)
{
    const unsigned char *here, *there;
    size_t length, other_length;
    SSL_SESSION_get0_ticket(one, &here, &length);
    SSL_SESSION_get0_ticket(other, &there, &other_length);
    return length != other_length || memcmp(here, there, length) != 0;
}

/* Sessions of 400 seconds, so that an epoch is 100; from the beginning of one. */
static void epochs(void)
{
    static const int moments[] = {0, 99, 100, 199, 300, 399, -1, -100, -300};
    time_t begun = now();
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
            ahead = 100 - begun % 100;
            SSL_CTX *ours = client(), *one = server(versions[v]), *other = server(versions[v]);
            SSL_CTX_set_timeout(one, 400), SSL_CTX_set_timeout(other, 400);
            SSL_SESSION *session = session_of(ours, one, NULL);
            ahead += moments[i];
            struct outcome outcome = go(ours, other, session, NULL);
            printf("%s %d: resumed %d renewed %d\n", version_name(versions[v]), moments[i],
                   outcome.is_resumed, outcome.is_resumed && is_renewed(session, outcome.session));
            SSL_SESSION_free(outcome.session);
            SSL_SESSION_free(session);
            SSL_CTX_free(ours), SSL_CTX_free(one), SSL_CTX_free(other);
        }
    }
    ahead = 0;
}

/* ---- save, offer: two processes ---- */

static void save(const char *file)
{
    FILE *sessions = fopen(file, "w");
    for (size_t v = 0; v < 2; v++) {
        SSL_CTX *ours = client(), *theirs = server(versions[v]);
        SSL_SESSION *session = session_of(ours, theirs, NULL);
        PEM_write_SSL_SESSION(sessions, session);
        SSL_SESSION_free(session);
        SSL_CTX_free(ours), SSL_CTX_free(theirs);
    }
    fclose(sessions);
}

static void offer(const char *file)
{
    FILE *sessions = fopen(file, "r");
    for (size_t v = 0; v < 2; v++) {
        SSL_CTX *ours = client(), *theirs = server(versions[v]);
        SSL_SESSION *session = PEM_read_SSL_SESSION(sessions, NULL, NULL, NULL);
        printf("%s: %d\n", version_name(versions[v]), resumes(ours, theirs, session, NULL));
        SSL_SESSION_free(session);
        SSL_CTX_free(ours), SSL_CTX_free(theirs);
    }
    fclose(sessions);
}

/* ---- damaged, stranger ---- */

/* A session whose ticket differs in the byte `at`; from its end where that is negative. */
static SSL_SESSION *with_other_byte(SSL_SESSION *session, int at)
{
    const unsigned char *ticket, *start;
    size_t length;
    unsigned char *bytes = NULL;
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    int size = i2d_SSL_SESSION(session, &bytes);
    for (int i = 0; i + (int)length <= size; i++)
        if (memcmp(bytes + i, ticket, length) == 0)
            bytes[i + (at < 0 ? (int)length + at : at)] ^= 1;
    start = bytes;
    SSL_SESSION *other = d2i_SSL_SESSION(NULL, &start, size);
    OPENSSL_free(bytes);
    return other;
}

static void damaged(void)
{
    static const int places[] = {0, 4, 8, 15, 16, 40, -1};
    for (size_t v = 0; v < 2; v++) {
        SSL_CTX *ours = client(), *theirs = server(versions[v]);
        SSL_SESSION *session = session_of(ours, theirs, NULL);
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            SSL_SESSION *other = with_other_byte(session, places[i]);
            printf("%s byte %d: %d\n", version_name(versions[v]), places[i],
                   resumes(ours, theirs, other, NULL));
            SSL_SESSION_free(other);
        }
        SSL_SESSION_free(session);
        SSL_CTX_free(ours), SSL_CTX_free(theirs);
    }
}

int main(int count, char **arguments)
{
    if (count < 4)
        return 2;
    certificate_file = arguments[2];
    key_file = arguments[3];
    const char *file = count > 4 ? arguments[4] : "";
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"labels", labels}, {"names", virtual_hosts}, {"own", own},       {"data", data},
        {"off", off},       {"early", early_data},    {"epochs", epochs}, {"damaged", damaged}};
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(arguments[1], scenarios[i].name) == 0)
            scenarios[i].run();
    if (strcmp(arguments[1], "save") == 0)
        save(file);
    if (strcmp(arguments[1], "offer") == 0)
        offer(file);
    return fflush(stdout) != 0;
}
