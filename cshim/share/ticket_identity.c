#include "cshim/share/ticket_identity.h"

#include <stdlib.h>
#include <string.h>

enum { DIGEST_SIZE = 32, CERTIFICATES_MAX = 12 };

/* A kind of certificate for each kind of key; with references, so that none can be mistaken for another. */
struct ticket_identity {
    X509
        *current; /* of the SSL_CTX when this was made: as long as it is that, the others are too */
    X509 *certificates[CERTIFICATES_MAX];
    unsigned count;
    unsigned char of_certificates[DIGEST_SIZE];

    bool has_rules;
    const void *authorities; /* what the rules were made of: as long as it is there, they hold */
    int authority_count;
    const X509_STORE *store;
    unsigned char with_rules[DIGEST_SIZE];
};

static bool digest(const void *bytes, size_t length, unsigned char hash[DIGEST_SIZE])
{
    static const char purpose[] = "libsslcache ticket identity";
    return libssl_mac(purpose, sizeof(purpose), bytes, length, hash);
}

/* What libcrypto can't do leaves no error in the program's queue, here and below: libssl would take it for its own. */
static bool digest_key(const X509 *certificate, unsigned char hash[DIGEST_SIZE])
{
    unsigned int size = DIGEST_SIZE;
    libssl.ERR_set_mark();
    bool done = libssl.X509_pubkey_digest(certificate, libssl.EVP_sha256(), hash, &size) == 1;
    libssl.ERR_pop_to_mark();
    return done;
}

/* ---- certificates ---- */

static void free_identity(struct ticket_identity *identity)
{
    if (identity == NULL)
        return;
    libssl.X509_free(identity->current);
    for (unsigned i = 0; i < identity->count; i++)
        libssl.X509_free(identity->certificates[i]);
    libssl_free(identity);
}

static void keep_certificate(struct ticket_identity *identity, X509 *certificate)
{
    libssl.X509_up_ref(certificate);
    identity->certificates[identity->count++] = certificate;
}

/* By a connection of our own: to go through those of the SSL_CTX would change which one is current. */
static void collect_certificates(struct ticket_identity *identity, SSL_CTX *ctx)
{
    libssl.ERR_set_mark();
    SSL *ssl = libssl.SSL_new(ctx);
    long which = SSL_CERT_SET_FIRST;
    while (ssl != NULL && identity->count < CERTIFICATES_MAX &&
           libssl.SSL_ctrl(ssl, SSL_CTRL_SET_CURRENT_CERT, which, NULL) == 1) {
        keep_certificate(identity, libssl.SSL_get_certificate(ssl));
        which = SSL_CERT_SET_NEXT;
    }
    libssl.SSL_free(ssl);
    libssl.ERR_pop_to_mark();
}

static bool digest_certificates(struct ticket_identity *identity)
{
    unsigned char digests[CERTIFICATES_MAX * DIGEST_SIZE];
    for (unsigned i = 0; i < identity->count; i++)
        if (!digest_key(identity->certificates[i], digests + i * DIGEST_SIZE))
            return false;
    return identity->count > 0 &&
           digest(digests, identity->count * DIGEST_SIZE, identity->of_certificates);
}

/* ---- rules for clients' certificates ---- */

enum kind { NAME, CERTIFICATE, REVOCATION_LIST, DEPTH };

struct part {
    unsigned char kind;
    unsigned char hash[DIGEST_SIZE];
};

struct parts {
    struct part *part;
    size_t count;
    bool is_whole;
};

static struct part *next_part(struct parts *parts, enum kind kind)
{
    struct part *part = &parts->part[parts->count++];
    part->kind = (unsigned char)kind;
    return part;
}

static void add_authorities(struct parts *parts, const OPENSSL_STACK *names, int count)
{
    unsigned int size = DIGEST_SIZE;
    for (int i = 0; i < count; i++) {
        const X509_NAME *name = libssl.OPENSSL_sk_value(names, i);
        struct part *part = next_part(parts, NAME);
        if (libssl.X509_NAME_digest(name, libssl.EVP_sha256(), part->hash, &size) != 1)
            parts->is_whole = false;
    }
}

static void add_object(struct parts *parts, X509_OBJECT *object)
{
    unsigned int size = DIGEST_SIZE;
    X509_CRL *list = libssl.X509_OBJECT_get0_X509_CRL(object);
    X509 *certificate = libssl.X509_OBJECT_get0_X509(object);
    struct part *part = next_part(parts, list != NULL ? REVOCATION_LIST : CERTIFICATE);
    int done = list != NULL
                   ? libssl.X509_CRL_digest(list, libssl.EVP_sha256(), part->hash, &size)
                   : certificate != NULL &&
                         libssl.X509_digest(certificate, libssl.EVP_sha256(), part->hash, &size);
    if (done != 1)
        parts->is_whole = false;
}

static int compare_parts(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(struct part));
}

/* In an order of their own: that of a store is that of the files that it was read from. */
static bool digest_parts(struct parts *parts, struct ticket_identity *identity)
{
    qsort(parts->part, parts->count, sizeof(*parts->part), compare_parts);
    unsigned char both[2 * DIGEST_SIZE];
    memcpy(both, identity->of_certificates, DIGEST_SIZE);
    return parts->is_whole &&
           digest(parts->part, parts->count * sizeof(*parts->part), both + DIGEST_SIZE) &&
           digest(both, sizeof(both), identity->with_rules);
}

#ifndef SSL_CTRL_GET_VERIFY_CERT_STORE
#define SSL_CTRL_GET_VERIFY_CERT_STORE 137 /* libssl 3.0 and later */
#endif

/* The one that clients' certificates are verified with. */
static X509_STORE *store_of(SSL_CTX *ctx)
{
    X509_STORE *store = NULL;
    libssl.ERR_set_mark();
    long is_known = libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_GET_VERIFY_CERT_STORE, 0, &store);
    libssl.ERR_pop_to_mark();
    return is_known != 0 && store != NULL ? store : libssl.SSL_CTX_get_cert_store(ctx);
}

static const OPENSSL_STACK *authorities_of(SSL_CTX *ctx, int *count)
{
    const OPENSSL_STACK *names = (const OPENSSL_STACK *)libssl.SSL_CTX_get_client_CA_list(ctx);
    *count = names != NULL ? libssl.OPENSSL_sk_num(names) : 0;
    return names;
}

static void make_rules(struct ticket_identity *identity, SSL_CTX *ctx)
{
    int names_count;
    const OPENSSL_STACK *names = authorities_of(ctx, &names_count);
    X509_STORE *store = store_of(ctx);
    libssl.ERR_set_mark();
    libssl.X509_STORE_lock(store);
    const OPENSSL_STACK *objects = (const OPENSSL_STACK *)libssl.X509_STORE_get0_objects(store);
    int objects_count = libssl.OPENSSL_sk_num(objects);
    size_t room = (size_t)names_count + (size_t)(objects_count > 0 ? objects_count : 0) + 1;
    struct parts parts = {.part = calloc(room, sizeof(struct part)), .is_whole = true};
    for (int i = 0; i < objects_count && parts.part != NULL; i++)
        add_object(&parts, libssl.OPENSSL_sk_value(objects, i));
    libssl.X509_STORE_unlock(store);
    if (parts.part != NULL)
        add_authorities(&parts, names, names_count);
    libssl.ERR_pop_to_mark();
    if (parts.part == NULL)
        return;
    int depth = libssl.SSL_CTX_get_verify_depth(ctx);
    memcpy(next_part(&parts, DEPTH)->hash, &depth, sizeof(depth));
    identity->authorities = names;
    identity->authority_count = names_count;
    identity->store = store;
    identity->has_rules = digest_parts(&parts, identity);
    free(parts.part);
}

/* ---- the identity of an SSL_CTX ---- */

static struct ticket_identity *make_identity(SSL_CTX *ctx, X509 *current, bool with_rules)
{
    struct ticket_identity *identity = libssl_allocate(sizeof(*identity));
    if (identity == NULL)
        return NULL;
    libssl.X509_up_ref(current);
    identity->current = current;
    collect_certificates(identity, ctx);
    if (!digest_certificates(identity)) {
        free_identity(identity);
        return NULL;
    }
    if (with_rules)
        make_rules(identity, ctx);
    return identity;
}

/* The lock of the keys is held. */
static bool is_fresh(const struct ticket_identity *identity, SSL_CTX *ctx, const X509 *current,
                     bool with_rules)
{
    int count;
    if (identity == NULL || identity->current != current)
        return false;
    return !with_rules ||
           (identity->has_rules && identity->authorities == authorities_of(ctx, &count) &&
            identity->authority_count == count && identity->store == store_of(ctx));
}

static void refresh(struct context *context, X509 *current, bool with_rules)
{
    ticket_keys_lock();
    bool is_there = is_fresh(context->tickets.identity, context->ctx, current, with_rules);
    ticket_keys_unlock();
    if (is_there)
        return;
    struct ticket_identity *fresh = make_identity(context->ctx, current, with_rules);
    ticket_keys_lock();
    struct ticket_identity *before = context->tickets.identity;
    context->tickets.identity = fresh;
    ticket_keys_unlock();
    free_identity(before);
}

static bool asks_for_certificates(int verify_mode)
{
    return (verify_mode & SSL_VERIFY_PEER) != 0;
}

void ticket_identity_prepare(struct context *context)
{
    X509 *current = libssl.SSL_CTX_get0_certificate(context->ctx);
    if (current != NULL && asks_for_certificates(libssl.SSL_CTX_get_verify_mode(context->ctx)))
        refresh(context, current, true);
}

/* The lock of the keys is held. */
static bool has_certificate(const struct ticket_identity *identity, const X509 *used)
{
    for (unsigned i = 0; i < identity->count; i++)
        if (identity->certificates[i] == used)
            return true;
    return false;
}

/* Of a certificate that the program has given to the connection alone. */
static bool identity_of_connection(const SSL *ssl, const X509 *used, struct context *context,
                                   struct ticket_label *label)
{
    unsigned char key[DIGEST_SIZE];
    if (asks_for_certificates(libssl.SSL_get_verify_mode(ssl)) || !digest_key(used, key))
        return false;
    /* From now on one is to be expected for any name. */
    atomic_store(&context->tickets.chooses_by_name, true);
    return digest(key, sizeof(key), label->identity);
}

bool ticket_identity_of(const SSL *ssl, struct ticket_label *label)
{
    struct context *context = context_attached(libssl.SSL_get_SSL_CTX(ssl));
    const X509 *used = libssl.SSL_get_certificate(ssl);
    if (context == NULL || used == NULL)
        return false;
    X509 *current = libssl.SSL_CTX_get0_certificate(context->ctx);
    int verify_mode = libssl.SSL_get_verify_mode(ssl);
    bool with_rules = asks_for_certificates(verify_mode);
    if (current != NULL)
        refresh(context, current, with_rules);
    label->verify_mode = (uint32_t)verify_mode;
    ticket_keys_lock();
    const struct ticket_identity *identity = current != NULL ? context->tickets.identity : NULL;
    bool is_its_own = identity != NULL && has_certificate(identity, used);
    bool is_known = is_its_own && (!with_rules || identity->has_rules);
    if (is_known)
        memcpy(label->identity, with_rules ? identity->with_rules : identity->of_certificates,
               DIGEST_SIZE);
    ticket_keys_unlock();
    return is_its_own ? is_known : identity_of_connection(ssl, used, context, label);
}

void ticket_identity_forget(struct context *context)
{
    free_identity(context->tickets.identity);
}
