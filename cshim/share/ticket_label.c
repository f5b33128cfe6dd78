#include "cshim/share/ticket_label.h"

#include <string.h>

#include "cshim/context/connection.h"
#include "cshim/share/store.h"
#include "cshim/share/ticket_choices.h"
#include "cshim/share/ticket_identity.h"

static bool set_server_name(struct ticket_label *label, const void *name, size_t length)
{
    if (length > TICKET_SERVER_NAME_MAX)
        return false;
    memcpy(label->server_name, name, length);
    label->server_name_length = (uint8_t)length;
    return true;
}

static bool set_session_context(struct ticket_label *label, const void *bytes, size_t length)
{
    if (length > sizeof(label->session_context))
        return false;
    memcpy(label->session_context, bytes, length);
    label->session_context_length = (uint8_t)length;
    return true;
}

/*
 * The server name in a ClientHello (RFC 6066, 3), which libssl has not looked at yet. Empty where there is
 * none; false where it is none that libssl takes.
 */
static bool set_name_of_hello(struct ticket_label *label, SSL *ssl)
{
    const unsigned char *extension;
    size_t length;
    enum { HEAD = 5 }; /* length of the list, kind of the name, its length */
    if (libssl.SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &length) != 1)
        return true;
    return length >= HEAD && extension[2] == TLSEXT_NAMETYPE_host_name &&
           (size_t)(extension[3] << 8 | extension[4]) == length - HEAD &&
           set_server_name(label, extension + HEAD, length - HEAD);
}

/* The same once libssl has parsed it. */
static bool set_name_of_connection(struct ticket_label *label, const SSL *ssl)
{
    const char *name = libssl.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return name == NULL || set_server_name(label, name, strlen(name));
}

/*
 * Of a connection that resumes libssl tells too little: before TLS 1.3 not which name the client has sent, and
 * in no version which certificate a callback for certificates would have chosen.
 */
static bool is_told_too_little(const SSL *ssl, int version)
{
    return libssl.SSL_session_reused(ssl) &&
           (version != TLS1_3_VERSION || libssl.SSL_get_certificate(ssl) == NULL);
}

bool ticket_label_of_new(struct context *context, const SSL *ssl, int version,
                         struct ticket_label *label)
{
    memset(label, 0, sizeof(*label));
    if (is_told_too_little(ssl, version)) {
        const struct connection *connection = connection_of(ssl);
        if (connection == NULL || connection->ticket == NULL)
            return false;
        *label = *connection->ticket;
        return true;
    }
    unsigned int length;
    const unsigned char *id_context =
        libssl.SSL_SESSION_get0_id_context(libssl.SSL_get_session(ssl), &length);
    label->version = (uint16_t)version;
    if (!set_session_context(label, id_context, length) || !set_name_of_connection(label, ssl) ||
        !ticket_identity_of(ssl, label))
        return false;
    ticket_choices_note(context, ssl, label);
    return true;
}

bool ticket_label_of_offered(struct context *context, SSL *ssl, int version,
                             struct ticket_label *label)
{
    struct session_context of_ssl = store_context_of(ssl);
    memset(label, 0, sizeof(*label));
    label->version = (uint16_t)version;
    return set_session_context(label, of_ssl.bytes, of_ssl.length) &&
           set_name_of_hello(label, ssl) && ticket_choices_predict(context, ssl, label);
}

bool ticket_label_keep(SSL *ssl, const struct ticket_label *label)
{
    struct connection *connection = connection_make(ssl);
    if (connection == NULL)
        return false;
    if (connection->ticket == NULL)
        connection->ticket = libssl_allocate(sizeof(*label));
    if (connection->ticket == NULL)
        return false;
    *connection->ticket = *label;
    return true;
}
