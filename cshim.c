/*
 * cshim.c - the face of libsslcache: the functions of OpenSSL that it stands before, in the order
 * of OpenSSL's manual. Each finds the context and hands the call on; where libssl keeps the
 * sessions (context_of answers NULL), it calls libssl.
 */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <time.h>

#include "cshim/context/context.h"
#include "cshim/context/policy.h"
#include "cshim/libssl/libssl.h"
#include "cshim/libssl/second_libssl.h"
#include "cshim/process/fork.h"
#include "cshim/share/clients.h"
#include "cshim/share/session_context.h"
#include "cshim/share/store.h"
#include "cshim/share/tickets.h"
#include "cshim/takeover/attach.h"
#include "cshim/takeover/generate.h"
#include "cshim/takeover/handshake.h"
#include "cshim/takeover/release.h"
#include "cshim/takeover/session_table.h"
#include "cshim/takeover/sessions.h"
#include "cshim/trace/references.h"
#include "cshim/trace/trace.h"
#include "include/sslcache.h"

/* Where the call comes from: calls that libssl makes itself are not all taken over. */
#define CALLER __builtin_return_address(0)

/*
 * First in each function: a call that is meant for another libssl than the bound one is handed on to that. It is meant
 * for the bound one if we know its SSL_CTX; else the place that it comes from tells.
 */
#define HAND_ON(ctx, name, ...)                                                                    \
    do {                                                                                           \
        if (second_libssl_is_loaded() && libssl_ready() && !contexts_know(ctx))                    \
            HAND_ON_FROM(CALLER, name, __VA_ARGS__);                                               \
    } while (0)

#define HAND_ON_FROM(address, name, ...)                                                           \
    do {                                                                                           \
        __typeof__(&(name)) theirs = (__typeof__(&(name)))second_libssl_function(#name, address);  \
        if (theirs != NULL)                                                                        \
            return theirs(__VA_ARGS__);                                                            \
    } while (0)

/* Of an operation on sessions that comes from outside: the program wants it, or libssl does. */
static struct origin origin_of(const void *caller)
{
    bool is_programs = tracing() && !libssl_contains(caller);
    return is_programs ? (struct origin){.cause = CAUSE_PROGRAM, .caller = caller}
                       : (struct origin){.cause = CAUSE_NONE};
}

/* To be called where libssl is initialised, and where a context is made. */
static void look_for_second_libssl(const void *caller)
{
    if (second_libssl_look(caller) && tracing())
        trace_fallback(NULL, "two libssls are loaded");
}

/* ---- OPENSSL_init_ssl(3) ---- */

/* Each libssl calls this before it makes anything, by name where its other calls come to us too. */
int OPENSSL_init_ssl(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    if (!libssl_ready())
        return 0;
    look_for_second_libssl(CALLER);
    HAND_ON(NULL, OPENSSL_init_ssl, options, settings);
    return libssl.OPENSSL_init_ssl(options, settings);
}

/* ---- SSL_CTX_add_session(3) ---- */

int SSL_CTX_add_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    HAND_ON(ctx, SSL_CTX_add_session, ctx, session);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL && session != NULL)
        return store_put_added(context, session)
                   ? 1
                   : sessions_add(context, session, origin_of(CALLER));
    return libssl_ready() ? libssl.SSL_CTX_add_session(ctx, session) : 0;
}

int SSL_CTX_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    HAND_ON(ctx, SSL_CTX_remove_session, ctx, session);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL) {
        generate_remove_placeholders(context);
        return sessions_remove(context, session, origin_of(CALLER));
    }
    return libssl_ready() ? libssl.SSL_CTX_remove_session(ctx, session) : 0;
}

int SSL_add_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    HAND_ON(ctx, SSL_CTX_add_session, ctx, session);
    return SSL_CTX_add_session(ctx, session);
}

int SSL_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    HAND_ON(ctx, SSL_CTX_remove_session, ctx, session);
    return SSL_CTX_remove_session(ctx, session);
}

/* ---- SSL_CTX_ctrl(3): SSL_CTX_sess_number(3), _sess_set_cache_size(3), _set_session_cache_mode(3)
 * ---- */

static long set_cache_size(struct context *context, long size)
{
    return size < 0 ? 0 : atomic_exchange(&context->cache_size, size);
}

static long set_cache_mode(struct context *context, long mode)
{
    long stored = (long)(uint32_t)mode; /* libssl keeps 32 bits */
    long before = atomic_exchange(&context->mode, stored);
    libssl.SSL_CTX_ctrl(context->ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
                        policy_real_mode(stored) | clients_mode(context), NULL);
    return before;
}

/* What libssl counts, and beside it what we have counted. */
static long counted(SSL_CTX *ctx, int command, atomic_long *ours)
{
    return atomic_load(ours) + libssl.SSL_CTX_ctrl(ctx, command, 0, NULL);
}

long SSL_CTX_ctrl(SSL_CTX *ctx, int command, long number, void *pointer)
{
    HAND_ON(ctx, SSL_CTX_ctrl, ctx, command, number, pointer);
    struct context *context = context_of(ctx, CALLER);
    tickets_note_ctrl(tickets_context(ctx), command, pointer);
    if (context == NULL)
        return libssl_ready() ? libssl.SSL_CTX_ctrl(ctx, command, number, pointer) : 0;

    switch (command) {
    case SSL_CTRL_SESS_NUMBER:
        return sessions_number(context);
    case SSL_CTRL_SESS_CB_HIT:
        return atomic_load(&context->callback_hits);
    case SSL_CTRL_SESS_MISSES:
        return counted(ctx, command, &context->misses);
    case SSL_CTRL_SESS_CACHE_FULL:
        return atomic_load(&context->evictions);
    case SSL_CTRL_SET_SESS_CACHE_SIZE:
        return set_cache_size(context, number);
    case SSL_CTRL_GET_SESS_CACHE_SIZE:
        return atomic_load(&context->cache_size);
    case SSL_CTRL_SET_SESS_CACHE_MODE:
        return set_cache_mode(context, number);
    case SSL_CTRL_GET_SESS_CACHE_MODE:
        return atomic_load(&context->mode);
    default:
        return libssl.SSL_CTX_ctrl(ctx, command, number, pointer);
    }
}

/* ---- SSL_CTX_set_tlsext_ticket_key_cb(3), SSL_CTX_set_session_ticket_cb(3) ---- */

long SSL_CTX_callback_ctrl(SSL_CTX *ctx, int command, any_callback callback)
{
    HAND_ON(ctx, SSL_CTX_callback_ctrl, ctx, command, callback);
    struct context *context = tickets_context(ctx);
    if (context != NULL)
        return tickets_callback_ctrl(context, command, callback);
    return libssl_ready() ? libssl.SSL_CTX_callback_ctrl(ctx, command, callback) : 0;
}

int SSL_CTX_set_tlsext_ticket_key_evp_cb(SSL_CTX *ctx, evp_ticket_callback callback)
{
    HAND_ON(ctx, SSL_CTX_set_tlsext_ticket_key_evp_cb, ctx, callback);
    if (!libssl_ready() || libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb == NULL)
        return 0;
    struct context *context = tickets_context(ctx);
    if (context != NULL)
        return tickets_set_evp_callback(context, callback);
    return libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, callback);
}

int SSL_CTX_set_session_ticket_cb(SSL_CTX *ctx, SSL_CTX_generate_session_ticket_fn generate,
                                  SSL_CTX_decrypt_session_ticket_fn decrypt, void *argument)
{
    HAND_ON(ctx, SSL_CTX_set_session_ticket_cb, ctx, generate, decrypt, argument);
    struct context *context = tickets_context(ctx);
    if (context != NULL)
        return tickets_set_session_callbacks(context, generate, decrypt, argument);
    return libssl_ready() ? libssl.SSL_CTX_set_session_ticket_cb(ctx, generate, decrypt, argument)
                          : 0;
}

/* ---- SSL_CTX_flush_sessions(3) ---- */

/* libssl flushes all when a context goes, and what has expired now and then. */
static struct origin origin_of_flush(const void *caller, int64_t now)
{
    struct origin origin = origin_of(caller);
    if (origin.cause == CAUSE_NONE)
        origin.cause = now == 0 ? CAUSE_FREED : CAUSE_AUTOMATIC;
    return origin;
}

/*
 * Of libssl's own cache, in which sessions are that resume once. The newer function where there is one: from 3.4 on the
 * older one calls it by name, and so would call ours.
 */
static void flush_libssl(SSL_CTX *ctx, int64_t now)
{
    gate_enter();
    if (libssl.SSL_CTX_flush_sessions_ex != NULL)
        libssl.SSL_CTX_flush_sessions_ex(ctx, (time_t)now);
    else
        libssl.SSL_CTX_flush_sessions(ctx, (long)now);
    gate_leave();
}

void SSL_CTX_flush_sessions(SSL_CTX *ctx, long now)
{
    HAND_ON(ctx, SSL_CTX_flush_sessions, ctx, now);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        flush_sessions(context, now, origin_of_flush(CALLER, now));
    if (libssl_ready() && (context == NULL || libssl.rules.calls_by_name))
        flush_libssl(ctx, now);
}

void SSL_CTX_flush_sessions_ex(SSL_CTX *ctx, time_t now)
{
    HAND_ON(ctx, SSL_CTX_flush_sessions_ex, ctx, now);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        flush_sessions(context, now, origin_of_flush(CALLER, now));
    if (libssl_ready() && libssl.SSL_CTX_flush_sessions_ex != NULL &&
        (context == NULL || libssl.rules.calls_by_name))
        flush_libssl(ctx, now);
}

/* ---- SSL_CTX_new(3) ---- */

/* What libssl has made for the program. */
static void take_over_new(SSL_CTX *ctx, struct context_origin origin)
{
    context_attach_new(ctx, origin);
    struct context *context = context_attached(ctx);
    if (clients_watched())
        clients_note_created(context);
    tickets_begin(context);
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    if (!libssl_ready())
        return NULL;
    look_for_second_libssl(CALLER);
    if (second_libssl_is_loaded()) /* a method is a constant of the libssl that it is of */
        HAND_ON_FROM(method, SSL_CTX_new, method);
    contexts_suspend();
    SSL_CTX *ctx = libssl.SSL_CTX_new(method);
    contexts_resume();
    if (ctx != NULL && !libssl_contains(CALLER))
        take_over_new(ctx, (struct context_origin){NULL, NULL});
    return ctx;
}

SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *library, const char *properties, const SSL_METHOD *method)
{
    if (!libssl_ready())
        return NULL;
    look_for_second_libssl(CALLER);
    if (second_libssl_is_loaded())
        HAND_ON_FROM(method, SSL_CTX_new_ex, library, properties, method);
    if (libssl.SSL_CTX_new_ex == NULL)
        return NULL;
    contexts_suspend();
    SSL_CTX *ctx = libssl.SSL_CTX_new_ex(library, properties, method);
    contexts_resume();
    /*
     * libssl's SSL_CTX_new ends in a jump to here, so a caller that is not linked with this function has called that
     * one, past us.
     */
    if (ctx != NULL && !libssl_contains(CALLER) && libssl_is_linked_with(CALLER, "SSL_CTX_new_ex"))
        take_over_new(ctx, (struct context_origin){library, properties});
    return ctx;
}

void SSL_CTX_free(SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_CTX_free, ctx);
    struct scope scope;
    if (!libssl_ready())
        return;
    contexts_enter_free(&scope);
    libssl.SSL_CTX_free(ctx);
    contexts_leave_free(&scope);
}

/* ---- SSL_CTX_sess_set_get_cb(3) ---- */

void SSL_CTX_sess_set_new_cb(SSL_CTX *ctx, new_session_callback callback)
{
    HAND_ON(ctx, SSL_CTX_sess_set_new_cb, ctx, callback);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        atomic_store(&context->new_callback, callback);
    else if (libssl_ready())
        libssl.SSL_CTX_sess_set_new_cb(ctx, callback);
}

void SSL_CTX_sess_set_get_cb(SSL_CTX *ctx, get_session_callback callback)
{
    HAND_ON(ctx, SSL_CTX_sess_set_get_cb, ctx, callback);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        atomic_store(&context->get_callback, callback);
    else if (libssl_ready())
        libssl.SSL_CTX_sess_set_get_cb(ctx, callback);
}

void SSL_CTX_sess_set_remove_cb(SSL_CTX *ctx, remove_session_callback callback)
{
    HAND_ON(ctx, SSL_CTX_sess_set_remove_cb, ctx, callback);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        atomic_store(&context->remove_callback, callback);
    else if (libssl_ready())
        libssl.SSL_CTX_sess_set_remove_cb(ctx, callback);
}

new_session_callback SSL_CTX_sess_get_new_cb(SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_CTX_sess_get_new_cb, ctx);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        return atomic_load(&context->new_callback);
    return libssl_ready() ? libssl.SSL_CTX_sess_get_new_cb(ctx) : NULL;
}

get_session_callback SSL_CTX_sess_get_get_cb(SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_CTX_sess_get_get_cb, ctx);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        return atomic_load(&context->get_callback);
    return libssl_ready() ? libssl.SSL_CTX_sess_get_get_cb(ctx) : NULL;
}

remove_session_callback SSL_CTX_sess_get_remove_cb(SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_CTX_sess_get_remove_cb, ctx);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        return atomic_load(&context->remove_callback);
    return libssl_ready() ? libssl.SSL_CTX_sess_get_remove_cb(ctx) : NULL;
}

/* ---- SSL_CTX_sessions(3) ---- */

session_hash SSL_CTX_sessions(SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_CTX_sessions, ctx);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        return session_table_of(context);
    return libssl_ready() ? libssl.SSL_CTX_sessions(ctx) : NULL;
}

/* ---- SSL_CTX_set_generate_session_id(3) ---- */

int SSL_CTX_set_generate_session_id(SSL_CTX *ctx, GEN_SESSION_CB generator)
{
    HAND_ON(ctx, SSL_CTX_set_generate_session_id, ctx, generator);
    struct context *context = context_of(ctx, CALLER);
    if (context != NULL)
        return generate_set_for_context(context, generator);
    return libssl_ready() ? libssl.SSL_CTX_set_generate_session_id(ctx, generator) : 0;
}

int SSL_set_generate_session_id(SSL *ssl, GEN_SESSION_CB generator)
{
    HAND_ON(NULL, SSL_set_generate_session_id, ssl, generator);
    if (context_of_connection(ssl) != NULL)
        return generate_set_for_connection(ssl, generator);
    return libssl_ready() ? libssl.SSL_set_generate_session_id(ssl, generator) : 0;
}

int SSL_has_matching_session_id(const SSL *ssl, const unsigned char *id, unsigned int length)
{
    HAND_ON(NULL, SSL_has_matching_session_id, ssl, id, length);
    struct context *context = context_of_connection(ssl);
    if (context != NULL)
        generate_remove_placeholders(context);
    if (context != NULL && sessions_have(context, connection_version(ssl), id, length))
        return 1;
    return libssl_ready() ? libssl.SSL_has_matching_session_id(ssl, id, length) : 0;
}

/* ---- SSL_CTX_set_options(3) ---- */

uint64_t SSL_CTX_set_options(SSL_CTX *ctx, uint64_t options)
{
    HAND_ON(ctx, SSL_CTX_set_options, ctx, options);
    struct context *context = policy_has_tickets(CALLER) ? context_of(ctx, CALLER) : NULL;
    if (context != NULL)
        return policy_set_options(context, options);
    return libssl_ready() ? libssl.SSL_CTX_set_options(ctx, options) : 0;
}

uint64_t SSL_CTX_clear_options(SSL_CTX *ctx, uint64_t options)
{
    HAND_ON(ctx, SSL_CTX_clear_options, ctx, options);
    struct context *context = policy_has_tickets(CALLER) ? context_of(ctx, CALLER) : NULL;
    if (context != NULL)
        return policy_clear_options(context, options);
    return libssl_ready() ? libssl.SSL_CTX_clear_options(ctx, options) : 0;
}

uint64_t SSL_CTX_get_options(const SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_CTX_get_options, ctx);
    struct context *context =
        policy_has_tickets(CALLER) ? context_of((SSL_CTX *)ctx, CALLER) : NULL;
    if (context != NULL)
        return policy_get_options(context);
    return libssl_ready() ? libssl.SSL_CTX_get_options(ctx) : 0;
}

uint64_t SSL_set_options(SSL *ssl, uint64_t options)
{
    HAND_ON(NULL, SSL_set_options, ssl, options);
    if (policy_has_tickets(CALLER) && context_of_connection(ssl) != NULL)
        return policy_set_connection_options(ssl, options);
    return libssl_ready() ? libssl.SSL_set_options(ssl, options) : 0;
}

uint64_t SSL_clear_options(SSL *ssl, uint64_t options)
{
    HAND_ON(NULL, SSL_clear_options, ssl, options);
    if (policy_has_tickets(CALLER) && context_of_connection(ssl) != NULL)
        return policy_clear_connection_options(ssl, options);
    return libssl_ready() ? libssl.SSL_clear_options(ssl, options) : 0;
}

uint64_t SSL_get_options(const SSL *ssl)
{
    HAND_ON(NULL, SSL_get_options, ssl);
    if (policy_has_tickets(CALLER) && context_of_connection(ssl) != NULL)
        return policy_get_connection_options(ssl);
    return libssl_ready() ? libssl.SSL_get_options(ssl) : 0;
}

/* ---- SSL_CTX_set_session_id_context(3) ---- */

/* No getter tells whether there is one, so it is noted for the trace and the live socket. */
static void note_session_context(struct context *context, unsigned int length)
{
    if (context != NULL && length > 0)
        atomic_store(&context->has_session_context, true);
}

int SSL_CTX_set_session_id_context(SSL_CTX *ctx, const unsigned char *id, unsigned int length)
{
    HAND_ON(ctx, SSL_CTX_set_session_id_context, ctx, id, length);
    note_session_context(context_attached(ctx), length);
    store_set_context_of(context_attached(ctx), id, length);
    return libssl_ready() ? libssl.SSL_CTX_set_session_id_context(ctx, id, length) : 0;
}

int SSL_set_session_id_context(SSL *ssl, const unsigned char *id, unsigned int length)
{
    HAND_ON(NULL, SSL_set_session_id_context, ssl, id, length);
    note_session_context(context_of_connection(ssl), length);
    session_context_take_back(ssl);
    store_set_connection_of(ssl, id, length);
    return libssl_ready() ? libssl.SSL_set_session_id_context(ssl, id, length) : 0;
}

/* ---- SSL_CTX_set_timeout(3) ---- */

long SSL_CTX_set_timeout(SSL_CTX *ctx, long timeout)
{
    HAND_ON(ctx, SSL_CTX_set_timeout, ctx, timeout);
    struct context *context = policy_has_timeout(CALLER) ? context_of(ctx, CALLER) : NULL;
    if (context != NULL)
        return policy_set_timeout(context, timeout);
    return libssl_ready() ? libssl.SSL_CTX_set_timeout(ctx, timeout) : 0;
}

long SSL_CTX_get_timeout(const SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_CTX_get_timeout, ctx);
    struct context *context =
        policy_has_timeout(CALLER) ? context_of((SSL_CTX *)ctx, CALLER) : NULL;
    if (context != NULL)
        return policy_get_timeout(context);
    return libssl_ready() ? libssl.SSL_CTX_get_timeout(ctx) : 0;
}

/* ---- SSL_SESSION_free(3), SSL_get_session(3), d2i_SSL_SESSION(3): references ---- */

SSL_SESSION *SSL_SESSION_new(void)
{
    HAND_ON(NULL, SSL_SESSION_new);
    if (!libssl_ready())
        return NULL;
    if (!tracing())
        return libssl.SSL_SESSION_new();
    references_watch();
    return references_take(libssl.SSL_SESSION_new(), "SSL_SESSION_new", CALLER);
}

SSL_SESSION *SSL_SESSION_dup(copied_session *session)
{
    HAND_ON(NULL, SSL_SESSION_dup, session);
    if (!libssl_ready())
        return NULL;
    SSL_SESSION *copy = libssl.SSL_SESSION_dup(session);
    return tracing() ? references_take(copy, "SSL_SESSION_dup", CALLER) : copy;
}

int SSL_SESSION_up_ref(SSL_SESSION *session)
{
    HAND_ON(NULL, SSL_SESSION_up_ref, session);
    int done = libssl_ready() ? libssl.SSL_SESSION_up_ref(session) : 0;
    if (tracing() && done != 0)
        references_take(session, "SSL_SESSION_up_ref", CALLER);
    return done;
}

void SSL_SESSION_free(SSL_SESSION *session)
{
    HAND_ON(NULL, SSL_SESSION_free, session);
    if (!libssl_ready())
        return;
    if (tracing())
        references_give(session, "SSL_SESSION_free", CALLER);
    libssl.SSL_SESSION_free(session);
}

SSL_SESSION *SSL_get1_session(SSL *ssl)
{
    HAND_ON(NULL, SSL_get1_session, ssl);
    SSL_SESSION *session = libssl_ready() ? libssl.SSL_get1_session(ssl) : NULL;
    return tracing() ? references_take(session, "SSL_get1_session", CALLER) : session;
}

/* Whether a new session will be made: into one that the program gives no reference is taken. */
static bool makes_session(SSL_SESSION **place, struct scope *scope)
{
    references_watch();
    references_enter(scope);
    return place == NULL || *place == NULL;
}

static SSL_SESSION *made_session(SSL_SESSION *session, bool is_new, struct scope *scope,
                                 const char *function, const void *caller)
{
    references_leave(scope);
    return is_new ? references_take(session, function, caller) : session;
}

SSL_SESSION *d2i_SSL_SESSION(SSL_SESSION **place, const unsigned char **bytes, long length)
{
    HAND_ON(NULL, d2i_SSL_SESSION, place, bytes, length);
    if (!libssl_ready())
        return NULL;
    if (!tracing())
        return libssl.d2i_SSL_SESSION(place, bytes, length);
    struct scope scope;
    bool is_new = makes_session(place, &scope);
    SSL_SESSION *session = libssl.d2i_SSL_SESSION(place, bytes, length);
    return made_session(session, is_new, &scope, "d2i_SSL_SESSION", CALLER);
}

SSL_SESSION *d2i_SSL_SESSION_ex(SSL_SESSION **place, const unsigned char **bytes, long length,
                                OSSL_LIB_CTX *library, const char *properties)
{
    HAND_ON(NULL, d2i_SSL_SESSION_ex, place, bytes, length, library, properties);
    if (!libssl_ready() || libssl.d2i_SSL_SESSION_ex == NULL)
        return NULL;
    if (!tracing())
        return libssl.d2i_SSL_SESSION_ex(place, bytes, length, library, properties);
    struct scope scope;
    bool is_new = makes_session(place, &scope);
    SSL_SESSION *session = libssl.d2i_SSL_SESSION_ex(place, bytes, length, library, properties);
    return made_session(session, is_new, &scope, "d2i_SSL_SESSION_ex", CALLER);
}

SSL_SESSION *PEM_read_bio_SSL_SESSION(BIO *bio, SSL_SESSION **place, pem_password_cb *callback,
                                      void *argument)
{
    HAND_ON(NULL, PEM_read_bio_SSL_SESSION, bio, place, callback, argument);
    if (!libssl_ready())
        return NULL;
    if (!tracing())
        return libssl.PEM_read_bio_SSL_SESSION(bio, place, callback, argument);
    struct scope scope;
    bool is_new = makes_session(place, &scope);
    SSL_SESSION *session = libssl.PEM_read_bio_SSL_SESSION(bio, place, callback, argument);
    return made_session(session, is_new, &scope, "PEM_read_bio_SSL_SESSION", CALLER);
}

SSL_SESSION *PEM_read_SSL_SESSION(FILE *file, SSL_SESSION **place, pem_password_cb *callback,
                                  void *argument)
{
    HAND_ON(NULL, PEM_read_SSL_SESSION, file, place, callback, argument);
    if (!libssl_ready())
        return NULL;
    if (!tracing())
        return libssl.PEM_read_SSL_SESSION(file, place, callback, argument);
    struct scope scope;
    bool is_new = makes_session(place, &scope);
    SSL_SESSION *session = libssl.PEM_read_SSL_SESSION(file, place, callback, argument);
    return made_session(session, is_new, &scope, "PEM_read_SSL_SESSION", CALLER);
}

/* ---- SSL_connect(3), SSL_do_handshake(3), SSL_shutdown(3) ---- */

int SSL_connect(SSL *ssl)
{
    HAND_ON(NULL, SSL_connect, ssl);
    if (!libssl_ready())
        return -1;
    if (!libssl.complete || !clients_watched())
        return libssl.SSL_connect(ssl);
    clients_begin(ssl, true);
    int done = libssl.SSL_connect(ssl);
    clients_end(ssl, done);
    return done;
}

int SSL_do_handshake(SSL *ssl)
{
    HAND_ON(NULL, SSL_do_handshake, ssl);
    if (!libssl_ready())
        return -1;
    if (!libssl.complete || !clients_watched())
        return libssl.SSL_do_handshake(ssl);
    clients_begin(ssl, false);
    int done = libssl.SSL_do_handshake(ssl);
    clients_end(ssl, done);
    return done;
}

int SSL_shutdown(SSL *ssl)
{
    HAND_ON(NULL, SSL_shutdown, ssl);
    if (!libssl_ready())
        return -1;
    if (libssl.complete && clients_watched())
        clients_close(ssl);
    return libssl.SSL_shutdown(ssl);
}

/* ---- SSL_CTX_set_alpn_select_cb(3): SSL_set_alpn_protos ---- */

int SSL_CTX_set_alpn_protos(SSL_CTX *ctx, const unsigned char *protocols, unsigned int length)
{
    HAND_ON(ctx, SSL_CTX_set_alpn_protos, ctx, protocols, length);
    int failed = libssl_ready() ? libssl.SSL_CTX_set_alpn_protos(ctx, protocols, length) : 1;
    if (failed == 0 && libssl.complete && clients_watched())
        clients_note_context_protocols(context_attached(ctx), protocols, length);
    return failed;
}

int SSL_set_alpn_protos(SSL *ssl, const unsigned char *protocols, unsigned int length)
{
    HAND_ON(NULL, SSL_set_alpn_protos, ssl, protocols, length);
    int failed = libssl_ready() ? libssl.SSL_set_alpn_protos(ssl, protocols, length) : 1;
    if (failed == 0 && libssl.complete && clients_watched())
        clients_note_protocols(ssl, protocols, length);
    return failed;
}

/* ---- SSL_CTX_set_cert_verify_callback(3), SSL_CTX_dane_enable(3): other ways to verify ---- */

void SSL_CTX_set_cert_verify_callback(SSL_CTX *ctx, chain_verifier verifier, void *argument)
{
    HAND_ON(ctx, SSL_CTX_set_cert_verify_callback, ctx, verifier, argument);
    clients_note_own_verification(context_attached(ctx));
    if (libssl_ready())
        libssl.SSL_CTX_set_cert_verify_callback(ctx, verifier, argument);
}

int SSL_CTX_dane_enable(SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_CTX_dane_enable, ctx);
    clients_note_own_verification(context_attached(ctx));
    return libssl_ready() ? libssl.SSL_CTX_dane_enable(ctx) : 0;
}

/* ---- SSL_free(3), SSL_clear(3), SSL_set_session(3): what drops a session ---- */

void SSL_free(SSL *ssl)
{
    HAND_ON(NULL, SSL_free, ssl);
    struct scope scope, shutdown;
    if (!libssl_ready())
        return;
    if (libssl.complete && clients_watched())
        clients_close(ssl);
    contexts_enter_free(&scope);
    if (!tracing() || ssl == NULL) {
        libssl.SSL_free(ssl);
    } else {
        handshake_trace_refused(ssl);
        sessions_enter_shutdown(&shutdown);
        libssl.SSL_free(ssl);
        sessions_leave_shutdown(&shutdown);
    }
    contexts_leave_free(&scope);
}

int SSL_clear(SSL *ssl)
{
    HAND_ON(NULL, SSL_clear, ssl);
    if (!libssl_ready())
        return 0;
    if (libssl.complete && clients_watched())
        clients_clear(ssl);
    if (!tracing())
        return libssl.SSL_clear(ssl);
    struct scope shutdown;
    sessions_enter_shutdown(&shutdown);
    int done = libssl.SSL_clear(ssl);
    sessions_leave_shutdown(&shutdown);
    return done;
}

int SSL_set_session(SSL *ssl, SSL_SESSION *session)
{
    HAND_ON(NULL, SSL_set_session, ssl, session);
    if (!libssl_ready())
        return 0;
    if (session != NULL && libssl.complete && clients_watched())
        clients_stop_offering(context_of_connection(ssl));
    session_context_offer(ssl, session);
    if (!tracing())
        return libssl.SSL_set_session(ssl, session);
    struct scope shutdown;
    sessions_enter_shutdown(&shutdown);
    int done = libssl.SSL_set_session(ssl, session);
    sessions_leave_shutdown(&shutdown);
    return done;
}

/* ---- SSL_new(3) ---- */

SSL *SSL_new(SSL_CTX *ctx)
{
    HAND_ON(ctx, SSL_new, ctx);
    if (!libssl_ready())
        return NULL;
    SSL *ssl = libssl.SSL_new(ctx);
    struct context *context = ssl != NULL ? context_attached(ctx) : NULL;
    if (context == NULL)
        return ssl;
    generate_inherit(ssl, context);
    policy_connect(ssl, context);
    clients_inherit(ssl, context);
    tickets_connect(ssl, context);
    session_context_connect(ssl, context);
    return ssl;
}

/* ---- SSL_set_SSL_CTX ---- */

SSL_CTX *SSL_set_SSL_CTX(SSL *ssl, SSL_CTX *ctx)
{
    HAND_ON(NULL, SSL_set_SSL_CTX, ssl, ctx);
    struct scope scope;
    if (!libssl_ready())
        return NULL;
    context_remember(ssl);
    tickets_connect(ssl, tickets_context(ctx));
    session_context_take_back(ssl);
    contexts_enter_free(&scope); /* ssl may have been the last that used its SSL_CTX */
    SSL_CTX *answer = libssl.SSL_set_SSL_CTX(ssl, ctx);
    contexts_leave_free(&scope);
    session_context_connect(ssl, context_attached(answer));
    return answer;
}

/* ---- SSL_dup ---- */

SSL *SSL_dup(SSL *ssl)
{
    HAND_ON(NULL, SSL_dup, ssl);
    SSL *copy = libssl_ready() ? libssl.SSL_dup(ssl) : NULL;
    connection_copy(ssl, copy);
    return copy;
}

/* ---- SSL_CTX_set_verify(3) ---- */

void SSL_set_verify(SSL *ssl, int mode, SSL_verify_cb callback)
{
    HAND_ON(NULL, SSL_set_verify, ssl, mode, callback);
    if (!libssl_ready())
        return;
    libssl.SSL_set_verify(ssl, mode, callback);
    session_context_verify(ssl, mode, callback);
}

/* ---- SSL_SESSION_get_time(3) ---- */

long SSL_SESSION_set_time(SSL_SESSION *session, long now)
{
    HAND_ON(NULL, SSL_SESSION_set_time, session, now);
    if (!libssl_ready())
        return 0;
    long answer = libssl.SSL_SESSION_set_time(session, now);
    sessions_reschedule(session);
    return answer;
}

time_t SSL_SESSION_set_time_ex(SSL_SESSION *session, time_t now)
{
    HAND_ON(NULL, SSL_SESSION_set_time_ex, session, now);
    if (!libssl_ready() || libssl.SSL_SESSION_set_time_ex == NULL)
        return 0;
    time_t answer = libssl.SSL_SESSION_set_time_ex(session, now);
    sessions_reschedule(session);
    return answer;
}

long SSL_SESSION_set_timeout(SSL_SESSION *session, long timeout)
{
    HAND_ON(NULL, SSL_SESSION_set_timeout, session, timeout);
    if (!libssl_ready())
        return 0;
    long answer = libssl.SSL_SESSION_set_timeout(session, policy_timeout(timeout));
    if (answer != 0)
        sessions_reschedule(session);
    return answer;
}

/* ---- our own: include/sslcache.h ---- */

int sslcache_get_stats(SSL_CTX *ctx, struct sslcache_stats *stats)
{
    if (stats == NULL)
        return 0;
    if (ctx == NULL) {
        contexts_stats(stats);
        return 1;
    }
    struct context *context = context_of(ctx, CALLER);
    if (context == NULL)
        return 0;
    context_stats(context, stats);
    return 1;
}

const char *sslcache_version(void)
{
    return SSLCACHE_VERSION;
}
