#include "cshim/share/tickets.h"

#include <string.h>
#include <time.h>

#include "cshim/settings/config.h"
#include "cshim/share/backend.h"
#include "cshim/share/ticket_choices.h"
#include "cshim/share/ticket_counts.h"
#include "cshim/share/ticket_identity.h"
#include "cshim/share/ticket_keys.h"
#include "cshim/share/ticket_label.h"

static bool are_shared(void)
{
    return config.settings.tickets >= TICKETS_SHARED;
}

/* The program's own keys and callbacks are taken over too. */
static bool are_forced(void)
{
    return config.settings.tickets == TICKETS_SHARED_FORCED ||
           config.settings.tickets == TICKETS_SHARED13_FORCED;
}

static bool are_of_tls13_only(void)
{
    return config.settings.tickets == TICKETS_SHARED13 ||
           config.settings.tickets == TICKETS_SHARED13_FORCED;
}

static bool are_watched(void)
{
    return config.settings.trace[0] != '\0' || config.settings.live;
}

/*
 * What the callback for keys has found out of the ticket that libssl tries to open. The next callback, on the same
 * thread and in the same call of libssl, is only told whether that was possible.
 */
static _Thread_local enum ticket_finding found;
static _Thread_local bool was_asked;

static void note_finding(enum ticket_finding finding)
{
    found = finding;
    was_asked = true;
}

/* An attacker could send the early data of one ticket to each host that opens it. */
static int refuse_early_data(SSL *ssl, void *unused)
{
    (void)ssl, (void)unused;
    return 0;
}

/* ---- keys ---- */

/*
 * This thread may hold the mutex of a QUIC connection. Nothing may be asked of one that takes it; its version does not.
 */
static bool may_share(const SSL *ssl, int *version)
{
    *version = libssl.SSL_version(ssl);
    if (*version == TLS1_3_VERSION)
        return true;
    bool is_tls = *version >= TLS1_VERSION && *version <= TLS1_2_VERSION;
    bool is_dtls = *version == DTLS1_VERSION || *version == DTLS1_2_VERSION;
    return (is_tls || is_dtls) && !are_of_tls13_only();
}

static struct ticket_time time_of(const struct context *context)
{
    struct ticket_time of = {.now = (int64_t)time(NULL)};
    of.life = config.settings.timeout != 0 ? config.settings.timeout
                                           : libssl.SSL_CTX_get_timeout(context->ctx);
    if (of.life <= 0)
        of.life = 7200; /* libssl's own */
    of.epoch = config.settings.ticket_epoch != 0 ? config.settings.ticket_epoch : of.life / 4;
    if (of.epoch < 1)
        of.epoch = 1;
    return of;
}

/* Those that libssl alone seals with: name, key of the MAC, key of the cipher. */
static bool libssls_key(const struct context *context, struct ticket_key *key)
{
    unsigned char keys[TICKET_NAME_SIZE + 2 * TICKET_KEY_SIZE];
    if (libssl.SSL_CTX_ctrl(context->ctx, SSL_CTRL_GET_TLSEXT_TICKET_KEYS, sizeof(keys), keys) != 1)
        return false;
    memcpy(key->name, keys, TICKET_NAME_SIZE);
    memcpy(key->mac, keys + TICKET_NAME_SIZE, TICKET_KEY_SIZE);
    memcpy(key->cipher, keys + TICKET_NAME_SIZE + TICKET_KEY_SIZE, TICKET_KEY_SIZE);
    libssl.OPENSSL_cleanse(keys, sizeof(keys));
    return true;
}

static bool shared_key_to_seal(struct context *context, const SSL *ssl, struct ticket_key *key)
{
    int version;
    struct ticket_label label;
    struct ticket_time now = time_of(context);
    return may_share(ssl, &version) && ticket_keys_ready(false) &&
           ticket_label_of_new(context, ssl, version, &label) &&
           ticket_keys_seal(&label, &now, key);
}

static bool key_to_seal(struct context *context, const SSL *ssl, struct ticket_key *key)
{
    return shared_key_to_seal(context, ssl, key) || libssls_key(context, key);
}

static bool opens(enum ticket_finding finding)
{
    return finding == TICKET_OPENS || finding == TICKET_OPENS_RENEW;
}

static enum ticket_finding shared_key_to_open(struct context *context, SSL *ssl,
                                              const unsigned char *name, struct ticket_key *key)
{
    int version;
    struct ticket_label label;
    struct ticket_time now = time_of(context);
    if (!may_share(ssl, &version) || !ticket_keys_ready(false))
        return TICKET_IS_UNKNOWN;
    if (!ticket_label_of_offered(context, ssl, version, &label))
        return TICKET_IS_ELSEWHERES;
    enum ticket_finding finding = ticket_keys_open(&label, &now, name, key);
    if (!opens(finding))
        return finding;
    if (version == TLS1_3_VERSION)
        libssl.SSL_set_allow_early_data_cb(ssl, refuse_early_data, NULL);
    bool is_needed = version == TLS1_3_VERSION ? libssl.SSL_get_certificate(ssl) == NULL
                                               : finding == TICKET_OPENS_RENEW;
    return is_needed && !ticket_label_keep(ssl, &label) ? TICKET_OPENS : finding;
}

static enum ticket_finding key_to_open(struct context *context, SSL *ssl, const unsigned char *name,
                                       struct ticket_key *key)
{
    if (libssls_key(context, key) && memcmp(key->name, name, TICKET_NAME_SIZE) == 0)
        return TICKET_OPENS;
    return shared_key_to_open(context, ssl, name, key);
}

/* ---- the callbacks for keys ---- */

/* As SSL_CTX_set_tlsext_ticket_key_evp_cb(3) has them. */
enum { ANSWER_FAILED = -1, ANSWER_NONE = 0, ANSWER_KEY = 1, ANSWER_RENEW = 2 };

static bool set_mac(struct evp_mac_ctx_st *mac, HMAC_CTX *old_mac, struct ticket_key *key)
{
    enum { UTF8_STRING = 4, OCTET_STRING = 5 }; /* kinds of parameters, <openssl/core.h> */
    if (mac == NULL)
        return libssl.HMAC_Init_ex(old_mac, key->mac, sizeof(key->mac), libssl.EVP_sha256(),
                                   NULL) == 1;
    const struct ossl_param_st parameters[] = {
        {"key", OCTET_STRING, key->mac, sizeof(key->mac), 0},
        {"digest", UTF8_STRING, (char[]){"SHA256"}, sizeof("SHA256") - 1, 0},
        {NULL, 0, NULL, 0, 0},
    };
    return libssl.EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static int seal(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                struct evp_mac_ctx_st *mac, HMAC_CTX *old_mac)
{
    enum { IV_SIZE = 16 };
    struct context *context = context_of_connection(ssl);
    struct ticket_key key;
    if (context == NULL || !key_to_seal(context, ssl, &key))
        return ANSWER_FAILED;
    memcpy(name, key.name, TICKET_NAME_SIZE);
    bool done =
        libssl.RAND_bytes(iv, IV_SIZE) == 1 &&
        libssl.EVP_EncryptInit_ex(cipher, libssl.EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1 &&
        set_mac(mac, old_mac, &key);
    libssl.OPENSSL_cleanse(&key, sizeof(key));
    if (done)
        ticket_counts_add(context, TICKET_EVENT_issued);
    return done ? ANSWER_KEY : ANSWER_FAILED;
}

/* A QUIC connection of libssl's own, which has TLS 1.3 in it. */
static bool is_quic(int version)
{
    return version < TLS1_VERSION;
}

/* libssl alone renews each ticket of TLS 1.3, so that a client need not use one twice. */
static int answer_of(const SSL *ssl, enum ticket_finding finding)
{
    int version = libssl.SSL_version(ssl);
    bool renews = finding == TICKET_OPENS_RENEW || version == TLS1_3_VERSION || is_quic(version);
    return renews ? ANSWER_RENEW : ANSWER_KEY;
}

static bool prepare_to_open(struct ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                            struct evp_mac_ctx_st *mac, HMAC_CTX *old_mac)
{
    libssl.ERR_set_mark();
    bool done =
        set_mac(mac, old_mac, key) &&
        libssl.EVP_DecryptInit_ex(cipher, libssl.EVP_aes_256_cbc(), NULL, key->cipher, iv) == 1;
    libssl.ERR_pop_to_mark();
    return done;
}

/* What can't be opened is a full handshake. */
static int open_ticket(SSL *ssl, const unsigned char *name, const unsigned char *iv,
                       EVP_CIPHER_CTX *cipher, struct evp_mac_ctx_st *mac, HMAC_CTX *old_mac)
{
    struct context *context = context_of_connection(ssl);
    struct ticket_key key;
    if (context == NULL)
        return ANSWER_NONE;
    enum ticket_finding finding = key_to_open(context, ssl, name, &key);
    note_finding(finding);
    bool done = opens(finding) && prepare_to_open(&key, iv, cipher, mac, old_mac);
    libssl.OPENSSL_cleanse(&key, sizeof(key));
    return done ? answer_of(ssl, finding) : ANSWER_NONE;
}

static int evp_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                        struct evp_mac_ctx_st *mac, int seals)
{
    return seals ? seal(ssl, name, iv, cipher, mac, NULL)
                 : open_ticket(ssl, name, iv, cipher, mac, NULL);
}

static int hmac_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                         HMAC_CTX *mac, int seals)
{
    return seals ? seal(ssl, name, iv, cipher, NULL, mac)
                 : open_ticket(ssl, name, iv, cipher, NULL, mac);
}

/* ---- the callbacks for sessions ---- */

static enum ticket_event event_of(struct context *context, const unsigned char *name, size_t length)
{
    struct ticket_key own;
    bool is_own = atomic_load(&context->tickets.evp_callback) == NULL &&
                  atomic_load(&context->tickets.hmac_callback) == NULL &&
                  length == TICKET_NAME_SIZE && libssls_key(context, &own) &&
                  memcmp(own.name, name, length) == 0;
    libssl.OPENSSL_cleanse(&own, sizeof(own));
    if (!was_asked)
        return is_own || length < TICKET_NAME_SIZE ? TICKET_EVENT_damaged : TICKET_EVENT_unknown;
    switch (found) {
    case TICKET_IS_UNKNOWN:
        return TICKET_EVENT_unknown;
    case TICKET_IS_OLD:
        return TICKET_EVENT_old;
    case TICKET_IS_ELSEWHERES:
        return TICKET_EVENT_elsewhere;
    default:
        return TICKET_EVENT_damaged;
    }
}

static void note_outcome(struct context *context, const unsigned char *name, size_t length,
                         SSL_TICKET_STATUS status)
{
    if (status == SSL_TICKET_NO_DECRYPT)
        ticket_counts_add(context, event_of(context, name, length));
    if (status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW)
        ticket_counts_add(context, TICKET_EVENT_opened);
    if (status == SSL_TICKET_SUCCESS_RENEW && was_asked && found == TICKET_OPENS_RENEW)
        ticket_counts_add(context, TICKET_EVENT_renewed);
    was_asked = false;
}

/* What libssl does by itself, as an answer of SSL_CTX_set_session_ticket_cb(3). */
static SSL_TICKET_RETURN libssls_answer(SSL_TICKET_STATUS status)
{
    if (status == SSL_TICKET_SUCCESS)
        return SSL_TICKET_RETURN_USE;
    return status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW
                                              : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static SSL_TICKET_RETURN decrypt_callback(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                          size_t length, SSL_TICKET_STATUS status, void *argument)
{
    struct context *context = argument;
    const struct ticket_context *tickets = &context->tickets;
    note_outcome(context, name, length, status);
    if (tickets->decrypt_callback == NULL)
        return libssls_answer(status);
    return tickets->decrypt_callback(ssl, session, name, length, status,
                                     tickets->callback_argument);
}

static int generate_callback(SSL *ssl, void *argument)
{
    const struct ticket_context *tickets = &((struct context *)argument)->tickets;
    return tickets->generate_callback(ssl, tickets->callback_argument);
}

/* ---- taking over, and giving back ---- */

static void install_session_callbacks(struct context *context)
{
    libssl.SSL_CTX_set_session_ticket_cb(
        context->ctx, context->tickets.generate_callback != NULL ? generate_callback : NULL,
        decrypt_callback, context);
}

static long set_hmac_callback(SSL_CTX *ctx, hmac_ticket_callback callback)
{
    return libssl.SSL_CTX_callback_ctrl(ctx, SSL_CTRL_SET_TLSEXT_TICKET_KEY_CB,
                                        (any_callback)callback);
}

static void set_our_callback(struct context *context)
{
    if (libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb != NULL)
        libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context->ctx, evp_callback);
    else
        set_hmac_callback(context->ctx, hmac_callback);
}

/* libssl 3.0 and later have both, and ask the newer one first. */
static void set_programs_callbacks(struct context *context)
{
    if (libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb != NULL)
        libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context->ctx,
                                                    atomic_load(&context->tickets.evp_callback));
    set_hmac_callback(context->ctx, atomic_load(&context->tickets.hmac_callback));
}

static bool is_programs(const struct ticket_context *tickets)
{
    return atomic_load(&tickets->has_keys) || atomic_load(&tickets->hmac_callback) != NULL ||
           atomic_load(&tickets->evp_callback) != NULL;
}

/* Ours or the program's: to be called when the program has set something. */
static void choose_key_callbacks(struct context *context)
{
    bool takes = are_shared() && ticket_keys_ready(false) &&
                 (are_forced() || !is_programs(&context->tickets));
    atomic_store(&context->tickets.is_sealed_by_us, takes);
    if (takes)
        set_our_callback(context);
    else
        set_programs_callbacks(context);
}

/* Without a file of keys, processes that share the memory store have a root in common. */
static void use_family_root(void)
{
    static atomic_flag done = ATOMIC_FLAG_INIT;
    const unsigned char *root = memory_family_root();
    if (root != NULL && config.settings.store_key[0] == '\0' && !atomic_flag_test_and_set(&done))
        ticket_keys_set_root(root);
}

void tickets_begin(struct context *context)
{
    if (context == NULL || context->tickets.seen_from_start || !(are_shared() || are_watched()))
        return;
    context->tickets.seen_from_start = true;
    install_session_callbacks(context);
    if (!are_shared())
        return;
    use_family_root();
    if (ticket_keys_ready(true))
        choose_key_callbacks(context);
}

struct context *tickets_context(SSL_CTX *ctx)
{
    struct context *context = are_shared() || are_watched() ? context_attached(ctx) : NULL;
    return context != NULL && context->tickets.seen_from_start ? context : NULL;
}

void tickets_connect(const SSL *ssl, struct context *context)
{
    if (context == NULL || !atomic_load(&context->tickets.is_sealed_by_us))
        return;
    if (!is_quic(libssl.SSL_version(ssl)) && libssl.SSL_is_server(ssl))
        ticket_identity_prepare(context);
}

/* ---- what the program sets ---- */

long tickets_callback_ctrl(struct context *context, int command, any_callback callback)
{
    if (command == SSL_CTRL_SET_TLSEXT_SERVERNAME_CB)
        atomic_store(&context->tickets.chooses_by_name, callback != NULL);
    if (command != SSL_CTRL_SET_TLSEXT_TICKET_KEY_CB)
        return libssl.SSL_CTX_callback_ctrl(context->ctx, command, callback);
    atomic_store(&context->tickets.hmac_callback, (hmac_ticket_callback)callback);
    choose_key_callbacks(context);
    return 1;
}

int tickets_set_evp_callback(struct context *context, evp_ticket_callback callback)
{
    atomic_store(&context->tickets.evp_callback, callback);
    choose_key_callbacks(context);
    return 1;
}

/* A program that reads libssl's keys gives them to other processes, which are to open what is sealed here. */
void tickets_note_ctrl(struct context *context, int command, const void *pointer)
{
    bool is_about_keys =
        command == SSL_CTRL_SET_TLSEXT_TICKET_KEYS || command == SSL_CTRL_GET_TLSEXT_TICKET_KEYS;
    if (!is_about_keys || pointer == NULL || context == NULL)
        return;
    atomic_store(&context->tickets.has_keys, true);
    if (atomic_load(&context->tickets.is_sealed_by_us))
        choose_key_callbacks(context);
}

int tickets_set_session_callbacks(struct context *context,
                                  SSL_CTX_generate_session_ticket_fn generate,
                                  SSL_CTX_decrypt_session_ticket_fn decrypt, void *argument)
{
    struct ticket_context *tickets = &context->tickets;
    tickets->generate_callback = generate;
    tickets->decrypt_callback = decrypt;
    tickets->callback_argument = argument;
    install_session_callbacks(context);
    return 1;
}

void tickets_forget(struct context *context)
{
    ticket_choices_forget(context);
    ticket_identity_forget(context);
}
