#define _GNU_SOURCE
#include "cshim/share/session_context.h"

#include <string.h>

#include "cshim/settings/config.h"
#include "cshim/share/store.h"
#include "cshim/share/ticket_identity.h"

static bool is_wanted(void)
{
    return config.settings.session_context[0] != '\0' && libssl_ready() && libssl.complete;
}

/* What decides about who may connect, written down without gaps. */
struct description {
    char name[SETTINGS_NAME_SIZE];
    unsigned char identity[TICKET_IDENTITY_SIZE];
    uint32_t verify_mode;
    uint32_t
        callback; /* 0, or the number of the SSL_CTX if it has a callback: what that accepts is not known */
};

_Static_assert(sizeof(struct description) == SETTINGS_NAME_SIZE + TICKET_IDENTITY_SIZE + 8,
               "it has no gaps");

static bool describe(const SSL *ssl, const struct context *context, struct description *description)
{
    struct ticket_label label = {.verify_mode = 0};
    if (!ticket_identity_of(ssl, &label))
        return false;
    memset(description, 0, sizeof(*description));
    strcpy(description->name, config.settings.session_context);
    memcpy(description->identity, label.identity, sizeof(description->identity));
    description->verify_mode = label.verify_mode;
    if ((label.verify_mode & SSL_VERIFY_PEER) != 0 &&
        libssl.SSL_CTX_get_verify_callback(context->ctx) != NULL)
        description->callback = context->number;
    return true;
}

static void set(SSL *ssl, const unsigned char *bytes, unsigned int length)
{
    struct connection *connection = connection_make(ssl);
    if (connection == NULL || libssl.SSL_set_session_id_context(ssl, bytes, length) != 1)
        return;
    connection->has_our_context = true;
    store_set_connection_of(ssl, bytes, length);
}

void session_context_connect(SSL *ssl, struct context *context)
{
    static const char purpose[] = "libsslcache session id context 1";
    struct description description;
    unsigned char hash[LIBSSL_MAC_SIZE];
    if (!is_wanted() || context == NULL || atomic_load(&context->has_session_context) ||
        !libssl.SSL_is_server(ssl) || !describe(ssl, context, &description))
        return;
    if (libssl_mac(purpose, sizeof(purpose) - 1, &description, sizeof(description), hash))
        set(ssl, hash, sizeof(hash));
}

static struct connection *connection_with_ours(const SSL *ssl)
{
    struct connection *connection = is_wanted() ? connection_of(ssl) : NULL;
    return connection != NULL && connection->has_our_context ? connection : NULL;
}

void session_context_take_back(SSL *ssl)
{
    struct connection *connection = connection_with_ours(ssl);
    if (connection == NULL)
        return;
    connection->has_our_context = false;
    connection->session_context.length = 0;
    libssl.SSL_set_session_id_context(ssl, (const unsigned char *)"", 0);
}

/* A random one, which no other connection has: its session will never be resumed. */
static void set_apart(SSL *ssl)
{
    unsigned char random[SSL_MAX_SID_CTX_LENGTH];
    if (libssl.RAND_bytes(random, sizeof(random)) == 1)
        set(ssl, random, sizeof(random));
}

void session_context_verify(SSL *ssl, int mode, SSL_verify_cb callback)
{
    if (connection_with_ours(ssl) == NULL)
        return;
    struct context *context = context_attached(libssl.SSL_get_SSL_CTX(ssl));
    if ((mode & SSL_VERIFY_PEER) != 0 && callback != NULL &&
        (context == NULL || callback != libssl.SSL_CTX_get_verify_callback(context->ctx)))
        set_apart(ssl);
    else
        session_context_connect(ssl, context);
}

void session_context_offer(SSL *ssl, const SSL_SESSION *session)
{
    unsigned int length;
    if (session == NULL || connection_with_ours(ssl) == NULL)
        return;
    const unsigned char *bytes = libssl.SSL_SESSION_get0_id_context(session, &length);
    libssl.SSL_set_session_id_context(ssl, bytes, length);
    store_set_connection_of(ssl, bytes, length);
}
