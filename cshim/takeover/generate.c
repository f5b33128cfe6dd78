#include "cshim/takeover/generate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cshim/context/connection.h"
#include "cshim/process/fork.h"
#include "cshim/takeover/sessions.h"

/* A session in libssl's cache, with a reference of our own. */
struct placeholder {
    SSL_SESSION *session;
    pthread_t thread;
    struct placeholder *next;
};

/* What tells a placeholder from a session of the program: its session id context. */
static const unsigned char mark[] = "libsslcache placeholder";

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

bool generate_is_placeholder(const SSL_SESSION *session)
{
    unsigned int length;
    const unsigned char *context = libssl.SSL_SESSION_get0_id_context(session, &length);
    return length == sizeof(mark) && memcmp(context, mark, sizeof(mark)) == 0;
}

static void push(struct context *context, struct placeholder *placeholder)
{
    placeholder->next = atomic_load(&context->placeholders);
    while (!atomic_compare_exchange_weak(&context->placeholders, &placeholder->next, placeholder))
        ;
}

static void add_placeholder(struct context *context, int version, const unsigned char *id,
                            unsigned int length)
{
    struct placeholder *placeholder = malloc(sizeof(*placeholder));
    SSL_SESSION *session = make_session(version, id, length);
    if (placeholder == NULL || session == NULL) {
        libssl.SSL_SESSION_free(session);
        free(placeholder);
        return;
    }
    gate_enter();
    libssl.SSL_CTX_add_session(context->ctx, session);
    *placeholder = (struct placeholder){.session = session, .thread = pthread_self()};
    push(context, placeholder);
    gate_leave();
}

static void release(struct placeholder *placeholder)
{
    libssl.SSL_SESSION_free(placeholder->session);
    free(placeholder);
}

static void remove_placeholder(struct context *context, struct placeholder *placeholder)
{
    libssl.SSL_CTX_remove_session(context->ctx, placeholder->session);
    release(placeholder);
}

/*
 * Whether libssl has found the placeholder, or need not find it any more: it asks right after it was added, on the same
 * thread, and a session that has left our cache since may as well not be found.
 */
static bool is_done(struct context *context, const struct placeholder *placeholder)
{
    unsigned int length;
    const unsigned char *id = libssl.SSL_SESSION_get_id(placeholder->session, &length);
    int version = libssl.SSL_SESSION_get_protocol_version(placeholder->session);
    return pthread_equal(placeholder->thread, pthread_self()) ||
           !sessions_have(context, version, id, length);
}

void generate_remove_placeholders(struct context *context)
{
    if (atomic_load_explicit(&context->placeholders, memory_order_relaxed) == NULL)
        return;
    gate_enter(); /* a fork waits, so that the child has those that are in no list just now */
    struct placeholder *next = atomic_exchange(&context->placeholders, NULL);
    for (struct placeholder *placeholder = next; placeholder != NULL; placeholder = next) {
        next = placeholder->next;
        if (is_done(context, placeholder))
            remove_placeholder(context, placeholder);
        else
            push(context, placeholder);
    }
    gate_leave();
}

void generate_forget(struct context *context)
{
    struct placeholder *next = atomic_load(&context->placeholders);
    for (struct placeholder *placeholder = next; placeholder != NULL; placeholder = next) {
        next = placeholder->next;
        release(placeholder);
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
    if (generator == NULL) /* another thread has just taken it away */
        return libssl.RAND_bytes(id, (int)*length) > 0;
    if (generator(ssl, id, length) == 0)
        return 0;
    if (context == NULL)
        return 1;
    generate_remove_placeholders(context);
    int version = connection_version(ssl);
    if (sessions_have(context, version, id, *length))
        add_placeholder(context, version, id, *length);
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
