#include "cshim/takeover/sessions.h"

#include <string.h>

#include "cshim/context/policy.h"
#include "cshim/process/fork.h"
#include "cshim/process/scope.h"
#include "cshim/report/live.h"
#include "cshim/settings/fault.h"
#include "cshim/share/store.h"
#include "cshim/takeover/attach.h"
#include "cshim/takeover/membership.h"
#include "cshim/takeover/release.h"
#include "cshim/takeover/session_table.h"

/* ---- a session and its key ---- */

/* time + timeout, in seconds; a sum that overflows never comes. */
static int64_t expiry_of(const SSL_SESSION *session)
{
    int64_t start = libssl.SSL_SESSION_get_time(session);
    int64_t expiry;
    if (__builtin_add_overflow(start, (int64_t)libssl.SSL_SESSION_get_timeout(session), &expiry))
        return INT64_MAX;
    if (start < 0 && libssl.rules.keeps_times_before_1970)
        return INT64_MAX;
    return expiry;
}

bool session_has_expired(const SSL_SESSION *session)
{
    return (int64_t)time(NULL) > expiry_of(session);
}

static void set_id(struct core_entry *entry, const unsigned char *id, unsigned int length)
{
    entry->id_length = length;
    memcpy(entry->id, id, length);
    memset(entry->id + length, 0, CORE_ID_MAX - length);
}

static void set_key(struct core_entry *entry, const SSL_SESSION *session)
{
    unsigned int length;
    const unsigned char *id = libssl.SSL_SESSION_get_id(session, &length);
    entry->version = libssl.SSL_SESSION_get_protocol_version(session);
    set_id(entry, id, length);
}

static void set_entry(struct core_entry *entry, const SSL_SESSION *session)
{
    entry->session = (core_session)session;
    entry->expiry = expiry_of(session);
    set_key(entry, session);
}

/* ---- adding and removing ---- */

/* Suspended, for libssl may call SSL_SESSION_set_time_ex by name, and that moves the session in the cache. Here the add that
 * follows decides whether it moves. */
static void update_time(SSL_SESSION *session)
{
    contexts_suspend();
    libssl.SSL_SESSION_set_time(session, (long)time(NULL));
    contexts_resume();
}

static int fail_to_add(const struct context *context, const SSL_SESSION *session,
                       struct origin origin)
{
    origin.cause = CAUSE_FAULT;
    if (tracing())
        trace_add(context, session, OUTCOME_FAILED, origin, 0);
    return 0;
}

static enum event_outcome outcome_of(bool is_new, const struct core_answer *answer)
{
    if (!is_new)
        return OUTCOME_KNOWN;
    return answer->replaced != 0 ? OUTCOME_REPLACED : OUTCOME_STORED;
}

/*
 * What follows reads many fields of a session, with locks in between, so that the processor can't fetch them ahead by
 * itself. We don't know how large it is; to fetch beyond its end does no harm.
 */
static void prefetch(const SSL_SESSION *session)
{
    enum { LINE = 64, LINES = 12 };
    for (int i = 0; i < LINES; i++)
        __builtin_prefetch((const char *)session + (ptrdiff_t)i * LINE);
}

/* The references that an add has pushed out are given back. */
static void release_pushed_out(struct context *context, core_handle cache, core_session newcomer,
                               int64_t limit, struct core_answer *answer)
{
    session_table_update(context, (SSL_SESSION *)newcomer);
    if (answer->replaced != 0) {
        session_table_update(context, (SSL_SESSION *)answer->replaced);
        libssl.SSL_SESSION_free((SSL_SESSION *)answer->replaced);
    }
    if (answer->session != 0 || answer->more)
        evict_sessions(context, cache, limit, newcomer, answer, CAUSE_LIMIT);
    if (fault_strikes(FAULT_EVICT_RANDOM))
        evict_random_session(context, cache, newcomer);
}

int sessions_add(struct context *context, SSL_SESSION *session, struct origin origin)
{
    prefetch(session);
    live_start_if_due();
    int64_t since = trace_clock();
    if (fault_strikes(FAULT_ADD_FAILS))
        return fail_to_add(context, session, origin);
    core_handle cache = context_make_cache(context);
    if (cache == NULL)
        return 0;

    if ((atomic_load(&context->mode) & SSL_SESS_CACHE_UPDATE_TIME) != 0 &&
        libssl.rules.updates_time)
        update_time(session);
    policy_keep(session);

    struct core_entry entry;
    struct core_answer answer = {0};
    int64_t limit = eviction_limit(context);
    set_entry(&entry, session);
    if (libssl.SSL_SESSION_up_ref(session) != 1)
        return 0;
    membership_note(context, session);
    fork_enter();
    bool is_new = cache_functions->add(cache, &entry, limit, &answer) != 0;
    fork_leave();
    if (tracing())
        trace_add(context, session, outcome_of(is_new, &answer), origin, since);
    if (!is_new) {
        libssl.SSL_SESSION_free(session); /* it was there already, or there is no more memory */
        return 0;
    }
    release_pushed_out(context, cache, entry.session, limit, &answer);
    return 1;
}

/* The removal that this thread is in: what libssl's remove_cb found on its way. */
struct removal {
    struct context *context;
    SSL_SESSION *session;
    struct origin origin;
    bool
        was_called; /* libssl has called our remove_cb, which it does not where the session has no id */
    bool found;
};

static _Thread_local struct removal *current;

/* For the trace: why libssl is about to drop a session on this thread, which it does not tell. */
static SCOPE_KIND shutdown;
static _Thread_local const SSL_SESSION *single_use;

void sessions_enter_shutdown(struct scope *scope)
{
    scope_enter(&shutdown, scope);
}

void sessions_leave_shutdown(struct scope *scope)
{
    scope_leave(&shutdown, scope);
}

void sessions_note_single_use(const SSL_SESSION *session)
{
    single_use = session;
}

/*
 * Why libssl drops a session. It does so for a connection that ends without a shutdown or fails, what has
 * expired and what resumes once; and a client that keeps sessions drops what it has resumed or renewed.
 */
static enum event_cause cause_of(const SSL_SESSION *session)
{
    if (session == single_use)
        return CAUSE_SINGLE_USE;
    if (scope_current(shutdown) != NULL)
        return CAUSE_BAD_SHUTDOWN;
    if (session_has_expired(session))
        return CAUSE_EXPIRED;
    return trace_cause_of_error();
}

/* libssl has taken what resumes once out of its own cache, where we had put it. */
static void trace_dropped(const struct context *context, const SSL_SESSION *session, bool is_found)
{
    struct origin origin = {.cause = CAUSE_NONE};
    if (current != NULL && current->session == session)
        origin = current->origin;
    if (origin.cause == CAUSE_NONE)
        origin = (struct origin){.cause = cause_of(session)};
    trace_remove(context, session, is_found || session == single_use, origin);
    single_use = NULL;
}

static SSL_SESSION *take_away(struct context *context, const SSL_SESSION *session)
{
    struct core_entry entry;
    core_handle cache = context_cache(context);
    if (cache == NULL)
        return NULL;
    set_key(&entry, session);
    fork_enter();
    SSL_SESSION *taken = (SSL_SESSION *)cache_functions->remove(cache, &entry);
    fork_leave();
    if (taken != NULL)
        session_table_update(context, taken);
    return taken;
}

/* The program's callback within libssl's removal. libssl holds no lock of the context here, unless it
 * flushes its own cache; the callback may fork, remove, and do what it likes. */
static void call_with_gate_open(struct context *context, SSL_SESSION *session)
{
    unsigned depth = gate_open();
    struct removal *outer = current;
    current = NULL;
    call_remove_callback(context, session);
    current = outer;
    gate_close(depth);
}

struct context *sessions_removing_from(const SSL_CTX *ctx)
{
    return current != NULL && current->context->ctx == ctx ? current->context : NULL;
}

void sessions_dropped(struct context *context, SSL_SESSION *session)
{
    SSL_SESSION *held = take_away(context, session);
    store_remove(session);
    if (current != NULL && current->session == session) {
        current->was_called = true;
        current->found |= held != NULL;
    }
    if (tracing())
        trace_dropped(context, session, held != NULL);

    if (atomic_load(&context->remove_callback) != NULL)
        call_with_gate_open(context, session);
    if (held != NULL)
        libssl.SSL_SESSION_free(held);
}

int sessions_remove(struct context *context, SSL_SESSION *session, struct origin origin)
{
    if (session == NULL)
        return 0;
    prefetch(session);
    /* libssl marks the session and calls our remove_cb, which takes it out of our cache. */
    struct removal removal = {.context = context, .session = session, .origin = origin};
    struct removal *outer = current;
    current = &removal;
    gate_enter();
    int found = libssl.SSL_CTX_remove_session(context->ctx, session);
    gate_leave();
    current = outer;
    if (tracing() && !removal.was_called && origin.cause != CAUSE_NONE)
        trace_remove(context, session, false, origin);
    return found != 0 || removal.found;
}

/* ---- looking ---- */

static bool set_query(struct core_entry *entry, int version, const unsigned char *id,
                      unsigned int length)
{
    if (length > CORE_ID_MAX)
        return false;
    entry->version = version;
    set_id(entry, id, length);
    return true;
}

static SSL_SESSION *look_up(core_handle cache, const struct core_entry *query)
{
    struct core_found found;
    SSL_SESSION *session = NULL;
    fork_enter();
    if (cache_functions->lookup(cache, query, &found) != 0) {
        session = (SSL_SESSION *)found.session;
        libssl.SSL_SESSION_up_ref(session);
        cache_functions->release(found.held);
    }
    fork_leave();
    return session;
}

SSL_SESSION *sessions_find(struct context *context, int version, const unsigned char *id,
                           unsigned int length)
{
    struct core_entry query;
    core_handle cache = context_cache(context);
    if (cache == NULL || !set_query(&query, version, id, length))
        return NULL;
    return look_up(cache, &query);
}

bool sessions_hold(struct context *context, const SSL_SESSION *session)
{
    struct core_entry query;
    core_handle cache = context_cache(context);
    if (cache == NULL)
        return false;
    set_key(&query, session);
    SSL_SESSION *found = look_up(cache, &query);
    libssl.SSL_SESSION_free(found);
    return found == session;
}

bool sessions_take(struct context *context, SSL_SESSION *session)
{
    SSL_SESSION *held = take_away(context, session);
    if (held != NULL)
        libssl.SSL_SESSION_free(held);
    return held != NULL;
}

bool sessions_have(struct context *context, int version, const unsigned char *id,
                   unsigned int length)
{
    struct core_entry query;
    core_handle cache = context_cache(context);
    if (cache == NULL || !set_query(&query, version, id, length))
        return false;
    fork_enter();
    bool is_there = cache_functions->contains(cache, &query) != 0;
    fork_leave();
    return is_there;
}

/* May be asked in a signal handler that interrupted an operation: it waits for nothing. */
long sessions_number(struct context *context)
{
    core_handle cache = context_cache(context);
    return atomic_load(&context->leaving) +
           (cache != NULL ? (long)cache_functions->number(cache) : 0);
}

/* ---- moving ---- */

static void reschedule_in(struct context *context, void *entry)
{
    cache_functions->reschedule(context_cache(context), entry);
}

void sessions_reschedule(SSL_SESSION *session)
{
    if (session == NULL || contexts_are_suspended() || !contexts_have_stored())
        return;
    struct core_entry entry;
    set_entry(&entry, session);
    membership_each(session, reschedule_in, &entry);
}

/* From 1 second after the beginning of 1970, for 1 second: long over, and a time like any other to every version. */
void sessions_make_expired(const struct context *context, SSL_SESSION *session)
{
    if (tracing())
        trace_expire(context, session, CAUSE_FAULT);
    gate_enter();
    contexts_suspend();
    libssl.SSL_SESSION_set_time(session, 1);
    libssl.SSL_SESSION_set_timeout(session, 1);
    contexts_resume();
    gate_leave();
    sessions_reschedule(session);
}
