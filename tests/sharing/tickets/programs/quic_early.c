/*
 * Early data over QUIC: libssl's part of a QUIC stack of somebody else, both ends in this process. What is encrypted is
 * the stack's affair, so what tells is whether the server has got the secret to read early data with.
 *
 * usage: quic_early reusable|single    single: with libssl's guard against replays, as it is by default
 */
#include "handshake.h"
#include <openssl/core_dispatch.h>
#include <stdbool.h>
#include <stdio.h>

enum { MESSAGES = 64, MESSAGE_MAX = 4096 };

/* What one end has sent, message by message, for messages of two levels must not be read at once. */
struct stream {
    struct {
        size_t length;
        unsigned char bytes[MESSAGE_MAX];
    } messages[MESSAGES];
    size_t sent, read;
};

struct end {
    struct stream *out, *in;
    bool reads_early_data;
};

static int send_message(SSL *ssl UNUSED, const unsigned char *bytes, size_t length,
                        size_t *consumed, void *argument)
{
    struct stream *out = ((struct end *)argument)->out;
    if (out->sent == MESSAGES || length > MESSAGE_MAX)
        return 0;
    memcpy(out->messages[out->sent].bytes, bytes, length);
    out->messages[out->sent++].length = length;
    *consumed = length;
    return 1;
}

static int read_message(SSL *ssl UNUSED, const unsigned char **bytes, size_t *length,
                        void *argument)
{
    const struct stream *in = ((struct end *)argument)->in;
    *length = in->read < in->sent ? in->messages[in->read].length : 0;
    *bytes = *length > 0 ? in->messages[in->read].bytes : NULL;
    return 1;
}

static int release_message(SSL *ssl UNUSED, size_t length UNUSED, void *argument)
{
    ((struct end *)argument)->in->read++;
    return 1;
}

static int take_secret(SSL *ssl UNUSED, uint32_t level, int is_for_writing,
                       const unsigned char *secret UNUSED, size_t length UNUSED, void *argument)
{
    if (level == OSSL_RECORD_PROTECTION_LEVEL_EARLY && !is_for_writing)
        ((struct end *)argument)->reads_early_data = true;
    return 1;
}

static int take_parameters(SSL *ssl UNUSED, const unsigned char *parameters UNUSED,
                           size_t length UNUSED, void *argument UNUSED)
{
    return 1;
}

static int note_alert(SSL *ssl UNUSED, unsigned char code, void *argument UNUSED)
{
    if (code != SSL_AD_CLOSE_NOTIFY)
        printf("  alert %d\n", code);
    return 1;
}

static void use_quic(SSL *ssl, struct end *end)
{
    static const unsigned char parameters[] = {1, 1, 1};
    static const OSSL_DISPATCH callbacks[] = {
        {OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_SEND, (void (*)(void))send_message},
        {OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_RECV_RCD, (void (*)(void))read_message},
        {OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_RELEASE_RCD, (void (*)(void))release_message},
        {OSSL_FUNC_SSL_QUIC_TLS_YIELD_SECRET, (void (*)(void))take_secret},
        {OSSL_FUNC_SSL_QUIC_TLS_GOT_TRANSPORT_PARAMS, (void (*)(void))take_parameters},
        {OSSL_FUNC_SSL_QUIC_TLS_ALERT, (void (*)(void))note_alert},
        {0, NULL},
    };
    if (!SSL_set_quic_tls_cbs(ssl, callbacks, end) ||
        !SSL_set_quic_tls_transport_params(ssl, parameters, sizeof(parameters)))
        abort();
}

struct outcome {
    bool is_resumed, is_accepted, can_read;
    SSL_SESSION *session;
};

/* The server's handshake may be done before the client's last message has come; the tickets come after it. */
static void read_on(SSL *ssl)
{
    char byte;
    for (int i = 0; i < MESSAGES; i++)
        if (SSL_read(ssl, &byte, 1) > 0)
            abort();
}

/* With early data wherever there is a session that allows it. */
static struct outcome go(SSL_CTX *ours, SSL_CTX *theirs, SSL_SESSION *offered)
{
    struct stream *up = calloc(1, sizeof(*up)), *down = calloc(1, sizeof(*down));
    struct end near = {.out = up, .in = down}, far = {.out = down, .in = up};
    struct connection connection = {SSL_new(ours), SSL_new(theirs)};
    SSL_set_connect_state(connection.client), SSL_set_accept_state(connection.server);
    use_quic(connection.client, &near), use_quic(connection.server, &far);
    if (offered != NULL && !SSL_set_session(connection.client, offered))
        abort();
    if (!SSL_set_quic_tls_early_data_enabled(connection.server, 1) ||
        (offered != NULL && !SSL_set_quic_tls_early_data_enabled(connection.client, 1)))
        abort();
    if (!handshake(connection))
        abort();
    read_on(connection.server), read_on(connection.client);
    struct outcome outcome = {
        .is_resumed = SSL_session_reused(connection.server),
        .is_accepted = SSL_get_early_data_status(connection.server) == SSL_EARLY_DATA_ACCEPTED,
        .can_read = far.reads_early_data,
        .session = SSL_get1_session(connection.client),
    };
    part(connection);
    free(up), free(down);
    return outcome;
}

static void offer(const char *where, SSL_CTX *ours, SSL_CTX *theirs, SSL_SESSION *offered)
{
    struct outcome outcome = go(ours, theirs, offered);
    printf("%s: resumed %d accepted %d can read it %d\n", where, outcome.is_resumed,
           outcome.is_accepted, outcome.can_read);
    SSL_SESSION_free(outcome.session);
}

static SSL_CTX *server(bool is_reusable)
{
    SSL_CTX *ctx = server_context(TLS1_3_VERSION);
    if (is_reusable)
        SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
    return ctx;
}

int main(int count, char **arguments)
{
    bool is_reusable = count > 1 && strcmp(arguments[1], "reusable") == 0;
    SSL_CTX *ours = client_context(), *one = server(is_reusable), *other = server(is_reusable);
    SSL_SESSION *first = go(ours, one, NULL).session, *second = go(ours, one, NULL).session;
    offer("here", ours, one, first);
    offer("here again", ours, one, first);
    offer("there after here", ours, other, first);
    offer("there", ours, other, second);
    offer("there again", ours, other, second);
    offer("here after there", ours, one, second);
    SSL_SESSION_free(first), SSL_SESSION_free(second);
    SSL_CTX_free(ours), SSL_CTX_free(one), SSL_CTX_free(other);
    return 0;
}
