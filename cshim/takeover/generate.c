#include "cshim/takeover/generate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cshim/context/connection.h"
#include "cshim/process/fork.h"
#include "cshim/takeover/sessions.h"

/* A session in libssl's cache, with a reference of our own. */
struct bait {
    SSL_SESSION *session;
    pthread_t layer;
    struct bait *next;
};

/* What tells a bait from a session of the program: its session id context. */
static const unsigned char mark[] = "libsslcache bait";

static SSL_SESSION *make_session(int version, const unsigned char *id, unsigned int length)
{
    SSL_SESSION *session = libssl.SSL_SESSION_new();
    if (session == NULL)
        return NULL;
    libssl.SSL_SESSION_set_protocol_version(session, version);
    libssl.SSL_SESSION_set1_id(session, id, length);
    libssl.SSL_SESSION_set1_id_context(session, mark, sizeof(mark));
    return session;
}

bool generate_is_bait(const SSL_SESSION *session)
{
    unsigned int length;
    const unsigned char *context = libssl.SSL_SESSION_get0_id_context(session, &length);
    return length == sizeof(mark) && memcmp(context, mark, sizeof(mark)) == 0;
}

static void push(struct context *context, struct bait *bait)
{
    bait->next = atomic_load(&context->baits);
    while (!atomic_compare_exchange_weak(&context->baits, &bait->next, bait))
        ;
}

static void lay(struct context *context, int version, const unsigned char *id, unsigned int length)
{
    struct bait *bait = malloc(sizeof(*bait));
    SSL_SESSION *session = make_session(version, id, length);
    if (bait == NULL || session == NULL) {
        libssl.SSL_SESSION_free(session);
        free(bait);
        return;
    }
    gate_enter();
    libssl.SSL_CTX_add_session(context->ctx, session);
    *bait = (struct bait){.session = session, .layer = pthread_self()};
    push(context, bait);
    gate_leave();
}

static void release(struct bait *bait)
{
    libssl.SSL_SESSION_free(bait->session);
    free(bait);
}

static void take_up(struct context *context, struct bait *bait)
{
    libssl.SSL_CTX_remove_session(context->ctx, bait->session);
    release(bait);
}

/*
 * libssl asks right after we have laid a bait, on the same thread. And where the session has left our
 * cache in the meantime, it may find none as well.
 */
static bool is_done(struct context *context, const struct bait *bait)
{
    unsigned int length;
    const unsigned char *id = libssl.SSL_SESSION_get_id(bait->session, &length);
    int version = libssl.SSL_SESSION_get_protocol_version(bait->session);
    return pthread_equal(bait->layer, pthread_self()) ||
           !sessions_have(context, version, id, length);
}

void generate_mend(struct context *context)
{
    if (atomic_load_explicit(&context->baits, memory_order_relaxed) == NULL)
        return;
    gate_enter(); /* a forked child must not miss the baits that are in this thread's hand */
    struct bait *next = atomic_exchange(&context->baits, NULL);
    for (struct bait *bait = next; bait != NULL; bait = next) {
        next = bait->next;
        if (is_done(context, bait))
            take_up(context, bait);
        else
            push(context, bait);
    }
    gate_leave();
}

void generate_forget(struct context *context)
{
    struct bait *next = atomic_load(&context->baits);
    for (struct bait *bait = next; bait != NULL; bait = next) {
        next = bait->next;
        release(bait);
    }
}

/* ---- the generators ---- */

static session_id_generator generator_of(const SSL *ssl, struct context *context)
{
    struct connection *connection = connection_of(ssl);
    session_id_generator generator = NULL;
    if (connection != NULL)
        generator = atomic_load(&connection->generator);
    if (generator == NULL && context != NULL)
        generator = atomic_load(&context->generator);
    return generator;
}

/* The generator that libssl calls: the program's, and then what libssl's own check is to find. */
static int generate(SSL *ssl, unsigned char *id, unsigned int *length)
{
    struct context *context = context_of_connection(ssl);
    session_id_generator generator = generator_of(ssl, context);
    if (generator == NULL) /* taken away by another thread just now */
        return libssl.RAND_bytes(id, (int)*length) > 0;
    if (generator(ssl, id, length) == 0)
        return 0;
    if (context == NULL)
        return 1;
    generate_mend(context);
    int version = connection_version(ssl);
    if (sessions_have(context, version, id, *length))
        lay(context, version, id, *length);
    return 1;
}

int generate_set_for_context(struct context *context, session_id_generator generator)
{
    if (libssl.rules.calls_by_name)
        return libssl.SSL_CTX_set_generate_session_id(context->ctx, generator);
    atomic_store(&context->generator, generator);
    return libssl.SSL_CTX_set_generate_session_id(context->ctx,
                                                  generator != NULL ? generate : NULL);
}

int generate_set_for_connection(SSL *ssl, session_id_generator generator)
{
    if (libssl.rules.calls_by_name)
        return libssl.SSL_set_generate_session_id(ssl, generator);
    struct connection *connection = connection_make(ssl);
    if (connection == NULL)
        return libssl.SSL_set_generate_session_id(ssl, generator);
    atomic_store(&connection->generator, generator);
    return libssl.SSL_set_generate_session_id(ssl, generator != NULL ? generate : NULL);
}

void generate_inherit(SSL *ssl, struct context *context)
{
    session_id_generator generator = atomic_load(&context->generator);
    struct connection *connection = generator != NULL ? connection_make(ssl) : NULL;
    if (connection != NULL)
        atomic_store(&connection->generator, generator);
}
