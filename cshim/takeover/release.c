#include "cshim/takeover/release.h"

#include <stdlib.h>

#include "cshim/context/policy.h"
#include "cshim/process/scope.h"
#include "cshim/settings/fault.h"
#include "cshim/takeover/release_order.h"
#include "cshim/takeover/session_table.h"
#include "cshim/takeover/sessions.h"
#include "cshim/takeover/unresumable.h"

void call_remove_callback(struct context *context, SSL_SESSION *session)
{
    remove_session_callback callback = atomic_load(&context->remove_callback);
    if (callback == NULL)
        return;
    int64_t since = trace_clock();
    callback(context->ctx, session);
    if (tracing())
        trace_callback(context, session, OUTCOME_REMOVE, since);
}

/* ---- the order in which sessions are released ---- */

/* Sessions that were taken out and are still to be called back for or freed. */
struct session_list {
    SSL_SESSION **sessions;
    size_t count;
    size_t room;
};

static bool list_push(struct session_list *list, SSL_SESSION *session)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 64;
        SSL_SESSION **larger = realloc(list->sessions, room * sizeof(*larger));
        if (larger == NULL)
            return false;
        list->sessions = larger;
        list->room = room;
    }
    list->sessions[list->count++] = session;
    return true;
}

/*
 * Of this thread: it calls back for sessions that libssl would still count. A child that is forked from a callback goes on
 * doing so; those that another thread was about are lost to it.
 */
struct release {
    struct scope scope; /* first, so that the scope is the release */
    struct context *context;
    long left; /* this many of the sessions that are leaving */
};

static SCOPE_KIND releasing;

static void count_as_leaving(struct release *release, struct context *context, size_t count)
{
    release->context = context;
    release->left = (long)count;
    atomic_fetch_add(&context->leaving, release->left);
    scope_enter(&releasing, &release->scope);
}

static void count_as_left(struct release *release)
{
    release->left--;
    atomic_fetch_sub(&release->context->leaving, 1);
}

static void forget_leaving(struct context *context, void *unused)
{
    (void)unused;
    atomic_store(&context->leaving, 0);
}

void release_fork_child(void)
{
    contexts_all(forget_leaving, NULL);
    for (struct scope *scope = scope_current(releasing); scope != NULL;
         scope = scope_current(scope->outer)) {
        const struct release *release = (struct release *)scope;
        atomic_fetch_add(&release->context->leaving, release->left);
    }
}

/*
 * One function for each order (release_order.h). Each calls back for the sessions of the list and frees them, and the
 * list.
 */
static void release_last_first(struct context *context, struct session_list *list)
{
    while (list->count > 0) {
        SSL_SESSION *session = list->sessions[--list->count];
        call_remove_callback(context, session);
        libssl.SSL_SESSION_free(session);
    }
    free(list->sessions);
}

static void release_one_by_one(struct context *context, struct session_list *list)
{
    struct release release;
    count_as_leaving(&release, context, list->count);
    for (size_t i = 0; i < list->count; i++) {
        count_as_left(&release);
        call_remove_callback(context, list->sessions[i]);
        libssl.SSL_SESSION_free(list->sessions[i]);
    }
    scope_leave(&releasing, &release.scope);
    free(list->sessions);
}

static void release_at_end(struct context *context, struct session_list *list)
{
    struct release release;
    count_as_leaving(&release, context, list->count);
    for (size_t i = 0; i < list->count; i++) {
        count_as_left(&release);
        call_remove_callback(context, list->sessions[i]);
    }
    scope_leave(&releasing, &release.scope);
    for (size_t i = 0; i < list->count; i++)
        libssl.SSL_SESSION_free(list->sessions[i]);
    free(list->sessions);
}

static void release(struct context *context, struct session_list *list)
{
    switch (release_order()) {
    case ONE_BY_ONE:
        release_one_by_one(context, list);
        break;
    case FREES_AT_END:
        release_at_end(context, list);
        break;
    case CALLBACKS_LAST_FIRST:
        release_last_first(context, list);
        break;
    }
}

/* A session has left the cache for good, and its reference is ours. */
static void leave_cache(struct context *context, SSL_SESSION *session, bool is_locked)
{
    session_table_update(context, session);
    unresumable_mark(context, session, is_locked);
}

/* One session that a flush took out: noted for later, or released now where there is no memory. */
static void note_or_release(struct context *context, SSL_SESSION *session,
                            struct session_list *list, bool is_locked)
{
    leave_cache(context, session, is_locked);
    if (list_push(list, session))
        return;
    call_remove_callback(context, session);
    libssl.SSL_SESSION_free(session);
}

/* ---- flushing ---- */

/* A session of a context that goes, or of a flush of everything, need not have expired. */
static void trace_flushed(const struct context *context, const SSL_SESSION *session,
                          struct origin origin, bool is_everything)
{
    if (is_everything)
        trace_clear(context, session, origin);
    else
        trace_expire(context, session, CAUSE_FLUSH);
}

/* A flush: of what has expired at `now`, or of everything (0). */
struct flush {
    int64_t now;
    struct origin origin;
    bool is_locked; /* libssl may hold the lock of the context */
};

static size_t take_out(struct context *context, core_handle cache, const struct flush *flush,
                       struct session_list *list)
{
    enum { BATCH = 64 };
    core_session gone[BATCH];
    uint64_t cursor = 0, count;
    size_t total = 0;
    do {
        count = flush->now == 0 ? cache_functions->drain(cache, &cursor, gone, BATCH)
                                : cache_functions->expire(cache, flush->now, &cursor, gone, BATCH);
        for (uint64_t i = 0; i < count; i++) {
            if (tracing())
                trace_flushed(context, (SSL_SESSION *)gone[i], flush->origin, flush->now == 0);
            note_or_release(context, (SSL_SESSION *)gone[i], list, flush->is_locked);
        }
        total += count;
    } while (count == BATCH);
    return total;
}

/*
 * All that goes is taken out before the first callback, so that a callback which adds a session again
 * does not see it flushed again and again. To other threads libssl's flush is one step too.
 */
static void run_flush(struct context *context, struct flush flush)
{
    core_handle cache = context_cache(context);
    if (cache == NULL)
        return;
    if (flush.now < 0 && libssl.rules.flushes_all_before_1970)
        flush.now = 0;
    struct session_list list = {NULL, 0, 0};
    int64_t since = trace_clock();
    size_t total = take_out(context, cache, &flush, &list);
    if (tracing())
        trace_flush(context, flush.origin, total, since);
    release(context, &list);
}

void flush_sessions(struct context *context, int64_t now, struct origin origin)
{
    run_flush(context, (struct flush){now, origin, false});
}

void flush_sessions_from_callback(struct context *context, int64_t now, struct origin origin)
{
    bool is_locked = release_order() != CALLBACKS_LAST_FIRST;
    run_flush(context, (struct flush){now, origin, is_locked});
}

/* ---- evicting ---- */

/*
 * This thread calls the program's remove_cb, because a limit was reached. What the program adds from there comes as any
 * other add, so that no argument could tell.
 */
struct eviction {
    struct scope scope; /* first, so that the scope is the eviction */
    struct context *context;
};

static SCOPE_KIND evicting;

static bool is_evicting(const struct context *context)
{
    const struct eviction *eviction = (struct eviction *)scope_current(evicting);
    return eviction != NULL && eviction->context == context;
}

static void evict(struct context *context, SSL_SESSION *victim, struct session_list *list,
                  enum event_cause cause)
{
    leave_cache(context, victim, false);
    if (tracing())
        trace_evict(context, victim, cause, !session_has_expired(victim));
    if (release_order() != CALLBACKS_LAST_FIRST || !list_push(list, victim)) {
        call_remove_callback(context, victim);
        libssl.SSL_SESSION_free(victim);
    }
    atomic_fetch_add(&context->evictions, 1);
}

/* What an add pushed out: nearly always one session or none. */
void evict_sessions(struct context *context, core_handle cache, int64_t limit,
                    core_session newcomer, struct core_answer *answer, enum event_cause cause)
{
    struct session_list list = {NULL, 0, 0};
    struct eviction eviction = {.context = context};
    scope_enter(&evicting, &eviction.scope);
    while (answer->session != 0 ||
           (answer->more && cache_functions->evict(cache, limit, newcomer, answer) != 0)) {
        evict(context, (SSL_SESSION *)answer->session, &list, cause);
        answer->session = 0;
    }
    release_last_first(context, &list);
    scope_leave(&evicting, &eviction.scope);
}

/* The fault evict=random. */
void evict_random_session(struct context *context, core_handle cache, core_session newcomer)
{
    struct core_answer answer = {.more = 0};
    answer.session =
        cache_functions->evict_random(cache, fault_random(FAULT_EVICT_RANDOM), newcomer);
    if (answer.session != 0)
        evict_sessions(context, cache, 0, newcomer, &answer, CAUSE_FAULT);
}

/*
 * 0, no limit, in a remove_cb that an eviction calls: a program that adds the session again there would evict the next,
 * and so on without end. The next add from elsewhere evicts. Not where libssl itself evicts in such a callback (4.0).
 */
int64_t eviction_limit(struct context *context)
{
    if (is_evicting(context) && release_order() != CALLBACKS_LAST_FIRST)
        return 0;
    return policy_limit(atomic_load(&context->cache_size));
}
