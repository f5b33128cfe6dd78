#include "cshim/takeover/handshake.h"

#include "cshim/context/context.h"
#include "cshim/context/policy.h"
#include "cshim/process/fork.h"
#include "cshim/report/live.h"
#include "cshim/settings/fault.h"
#include "cshim/share/clients.h"
#include "cshim/share/store.h"
#include "cshim/takeover/flush_detection.h"
#include "cshim/takeover/generate.h"
#include "cshim/takeover/sessions.h"
#include "cshim/takeover/unresumable.h"
#include "cshim/trace/references.h"

static bool has(const struct context *context, long mode)
{
    return (policy_mode(atomic_load(&context->mode)) & mode) != 0;
}

/* libssl counts a miss where it has looked into its own cache. */
static void count_miss(struct context *context)
{
    if (!has(context, SSL_SESS_CACHE_NO_INTERNAL_LOOKUP))
        atomic_fetch_add(&context->misses, 1);
}

/* Each ticket resumes once: libssl removes the session right after it has looked it up. */
static bool is_single_use(const SSL *ssl, int version)
{
    return libssl.SSL_is_server(ssl) && version == TLS1_3_VERSION &&
           libssl.SSL_get_max_early_data(ssl) > 0 &&
           (connection_options(ssl) & SSL_OP_NO_ANTI_REPLAY) == 0;
}

/*
 * Whether libssl would store the session: ssl_update_cache() in OpenSSL's ssl_lib.c. It calls
 * new_cb also where it stores nothing. A TLS 1.3 server stores only what a stateless ticket does
 * not carry, unless the program wants to hear of removals.
 */
static bool is_stored(const struct context *context, const SSL *ssl, const SSL_SESSION *session)
{
    int version = libssl.SSL_SESSION_get_protocol_version(session);
    if (has(context, SSL_SESS_CACHE_NO_INTERNAL_STORE))
        return false;
    if (version != TLS1_3_VERSION || !libssl.SSL_is_server(ssl))
        return true;
    return is_single_use(ssl, version) || atomic_load(&context->remove_callback) != NULL ||
           (connection_options(ssl) & SSL_OP_NO_TICKET) != 0;
}

/* The program's new_cb, which keeps the reference (1) or not (0). */
static int call_new_callback(const struct context *context, SSL *ssl, SSL_SESSION *session)
{
    new_session_callback callback = atomic_load(&context->new_callback);
    if (callback == NULL)
        return 0;
    int64_t since = trace_clock();
    int keeps = callback(ssl, session);
    if (!tracing())
        return keeps;
    trace_callback(context, session, OUTCOME_NEW, since);
    if (keeps != 0)
        trace_take(session, "new_callback", (const char *)callback + 1);
    return keeps;
}

/* What earlier callbacks had to leave undone, since libssl held its lock. */
static void do_deferred(struct context *context)
{
    flush_detection_restore(context);
    generate_remove_placeholders(context);
}

/* For the trace. */
static enum event_role role_of(const SSL *ssl)
{
    return libssl.SSL_is_server(ssl) ? ROLE_SERVER : ROLE_CLIENT;
}

int handshake_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct context *context = context_of_connection(ssl);
    if (context == NULL)
        return 0;
    if (clients_take_ticket(context, ssl, session))
        return 0;
    do_deferred(context);
    if (is_stored(context, ssl, session) && !store_put(ssl, session))
        sessions_add(context, session,
                     (struct origin){.cause = CAUSE_HANDSHAKE, .role = role_of(ssl)});
    return call_new_callback(context, ssl, session);
}

static void put_into_libssl(struct context *context, SSL_SESSION *session)
{
    /* 1.1.1 asks for the number and the limit by name: they must be those of its own cache. */
    contexts_suspend();
    gate_enter();
    libssl.SSL_CTX_add_session(context->ctx, session);
    gate_leave();
    contexts_resume();
}

/*
 * libssl is about to call its own SSL_CTX_remove_session, which may not come to us, and goes on
 * only if that finds the session: so it moves from our cache to libssl's. Of several connections
 * one gets it.
 */
static bool move_to_libssl(struct context *context, SSL_SESSION *session)
{
    if (!libssl.SSL_SESSION_is_resumable(session) || !sessions_take(context, session))
        return false;
    put_into_libssl(context, session);
    sessions_note_single_use(session);
    return true;
}

/*
 * What another process has stored. A session that is taken out satisfies libssl's removal as one of
 * our own does; the others are in our cache from now on.
 */
static SSL_SESSION *look_up_in_store(struct context *context, SSL *ssl, const unsigned char *id,
                                     unsigned int length, int *copy)
{
    bool take = is_single_use(ssl, connection_version(ssl));
    SSL_SESSION *session = store_find(ssl, id, length, take);
    if (session == NULL)
        return NULL;
    if (take) {
        put_into_libssl(context, session);
        sessions_note_single_use(session);
    } else if (libssl.SSL_SESSION_get_max_early_data(session) == 0) {
        sessions_add(context, session, (struct origin){.cause = CAUSE_STORE});
    }
    *copy = 0;
    return session;
}

/* Our cache; the reference goes to libssl (*copy 0), which frees what it refuses. */
static SSL_SESSION *look_up(struct context *context, SSL *ssl, const unsigned char *id,
                            unsigned int length, int *copy)
{
    int version = connection_version(ssl);
    SSL_SESSION *session = sessions_find(context, version, id, length);
    if (session == NULL)
        return NULL;
    if (store_was_removed(session)) {
        sessions_take(context, session);
        libssl.SSL_SESSION_free(session);
        return NULL;
    }
    if (fault_strikes(FAULT_EXPIRE_NOW))
        sessions_make_expired(context, session);
    if (is_single_use(ssl, version) && !move_to_libssl(context, session)) {
        libssl.SSL_SESSION_free(session);
        return NULL;
    }
    *copy = 0;
    return session;
}

static bool is_refused(const SSL_SESSION *session)
{
    unsigned int length;
    libssl.SSL_SESSION_get_id(session, &length);
    return libssl.rules.refuses_not_resumable && length > 0 &&
           !libssl.SSL_SESSION_is_resumable(session);
}

static SSL_SESSION *call_get_callback(const struct context *context, SSL *ssl,
                                      const unsigned char *id, int length, int *copy)
{
    get_session_callback callback = atomic_load(&context->get_callback);
    if (callback == NULL)
        return NULL;
    int64_t since = trace_clock();
    SSL_SESSION *session = callback(ssl, id, length, copy);
    if (!tracing())
        return session;
    trace_callback(context, session, OUTCOME_GET, since);
    if (session != NULL && *copy == 0)
        trace_give(session, "get_callback", (const char *)callback + 1);
    return session;
}

/* The program's own get_cb, asked as libssl asks it: after its own look-up, which ours stands for.
 */
static SSL_SESSION *ask_program(struct context *context, SSL *ssl, const unsigned char *id,
                                int length, int *copy)
{
    SSL_SESSION *session = call_get_callback(context, ssl, id, length, copy);
    if (session == NULL || is_refused(session))
        return session;
    atomic_fetch_add(&context->callback_hits, 1);
    if (fault_strikes(FAULT_EXPIRE_NOW))
        sessions_make_expired(context, session);
    if (!has(context, SSL_SESS_CACHE_NO_INTERNAL_STORE))
        sessions_add(context, session, (struct origin){.cause = CAUSE_CALLBACK});
    /* The program may also have added it itself, as the manual page says it may. */
    if (is_single_use(ssl, connection_version(ssl)))
        move_to_libssl(context, session);
    return session;
}

/* Ours, the store, then the program's: *outcome says which, in the words of a trace. */
static SSL_SESSION *find(struct context *context, SSL *ssl, const unsigned char *id, int length,
                         int *copy, enum event_outcome *outcome)
{
    SSL_SESSION *session = NULL;
    bool looks_up = !has(context, SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    if (looks_up)
        session = look_up(context, ssl, id, (unsigned int)length, copy);
    *outcome = OUTCOME_FOUND;
    if (session != NULL)
        return session;
    if (looks_up)
        session = look_up_in_store(context, ssl, id, (unsigned int)length, copy);
    *outcome = OUTCOME_FOUND_IN_STORE;
    if (session != NULL)
        return session;
    count_miss(context);
    session = ask_program(context, ssl, id, length, copy);
    *outcome = session != NULL ? OUTCOME_FOUND_BY_PROGRAM : OUTCOME_MISSED;
    return session;
}

SSL_SESSION *handshake_get_session(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    struct context *context = context_of_connection(ssl);
    if (context == NULL)
        return NULL;
    do_deferred(context);

    live_start_if_due();
    int64_t since = trace_clock();
    enum event_outcome outcome = OUTCOME_MISSED;
    if (fault_strikes(FAULT_LOOKUP_SLOW))
        fault_wait();
    bool is_fault = fault_strikes(FAULT_LOOKUP_MISS);
    SSL_SESSION *session = NULL;
    if (is_fault || policy_finds_nothing())
        count_miss(context);
    else
        session = find(context, ssl, id, length, copy, &outcome);
    if (tracing())
        trace_lookup(context, session,
                     trace_hash(connection_version(ssl), id, (unsigned int)length), outcome,
                     is_fault ? CAUSE_FAULT : CAUSE_NONE, since);
    return session;
}

void handshake_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct context *context = sessions_removing_from(ctx);
    if (context == NULL)
        context = context_attached(ctx);
    if (context == NULL || unresumable_is_marking(session))
        return;
    /* Only where its calls don't come to us by name are there sessions of ours in libssl's cache. */
    if (!libssl.rules.calls_by_name &&
        (flush_detection_notice(context, session) || generate_is_placeholder(session)))
        return;
    if (!clients_have_offered(context, session))
        sessions_dropped(context, session);
}

/*
 * libssl stores no session of a server that asks for certificates and has not set a session id context,
 * and calls nobody then.
 */
void handshake_trace_refused(const SSL *ssl)
{
    unsigned int length = 1;
    const struct context *context = context_of_connection(ssl);
    if (context == NULL || !libssl.SSL_is_server(ssl) || !libssl.SSL_is_init_finished(ssl) ||
        (libssl.SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0)
        return;
    const SSL_SESSION *session = libssl.SSL_get_session(ssl);
    if (session != NULL)
        libssl.SSL_SESSION_get0_id_context(session, &length);
    if (length == 0)
        trace_refused(context);
}
