#include "cshim/takeover/unresumable.h"

#include <stdlib.h>

#include "cshim/process/fork.h"

/* ---- the order ---- */

enum { UNKNOWN = -1 };

static atomic_int order = UNKNOWN; /* an enum release_order */

/* How many sessions were left in the cache when the first callback of a flush of two came. An argument could not pass
 * through libssl, which calls us back with these two alone. */
static _Thread_local long left_at_first_callback __attribute__((tls_model("initial-exec")));

static void note_number(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)session;
    if (left_at_first_callback == UNKNOWN)
        left_at_first_callback = libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_NUMBER, 0, NULL);
}

static void add_session(SSL_CTX *ctx, unsigned char id)
{
    SSL_SESSION *session = libssl.SSL_SESSION_new();
    if (session == NULL)
        return;
    libssl.SSL_SESSION_set1_id(session, &id, 1);
    libssl.SSL_CTX_add_session(ctx, session);
    libssl.SSL_SESSION_free(session);
}

/* Distributions bring the change of order to older versions too, so the version does not tell. */
static enum release_order try_order(SSL_CTX *ctx)
{
    remove_session_callback before = libssl.SSL_CTX_sess_get_remove_cb(ctx);
    left_at_first_callback = UNKNOWN;
    libssl.SSL_CTX_sess_set_remove_cb(ctx, note_number);
    add_session(ctx, 1);
    add_session(ctx, 2);
    libssl.SSL_CTX_flush_sessions(ctx, 0);
    libssl.SSL_CTX_sess_set_remove_cb(ctx, before);
    return left_at_first_callback == 0 ? CALLBACKS_LAST_FIRST : FREES_AT_END;
}

void release_order_probe(SSL_CTX *ctx)
{
    if (atomic_load_explicit(&order, memory_order_relaxed) != UNKNOWN)
        return;
    libssl.ERR_set_mark();
    contexts_suspend(); /* parts of libssl call others through us */
    atomic_store(&order, libssl.rules.frees_one_by_one ? ONE_BY_ONE : try_order(ctx));
    contexts_resume();
    libssl.ERR_pop_to_mark();
}

/* Of a library context, or of the default one (NULL). No error of ours stays in the queue. */
static SSL_CTX *make_ctx(struct ossl_lib_ctx_st *library, const char *properties)
{
    libssl.ERR_set_mark();
    contexts_suspend();
    SSL_CTX *ctx = library != NULL && libssl.SSL_CTX_new_ex != NULL
                       ? libssl.SSL_CTX_new_ex(library, properties, libssl.TLS_method())
                       : libssl.SSL_CTX_new(libssl.TLS_method());
    contexts_resume();
    libssl.ERR_pop_to_mark();
    return ctx;
}

/* Where no context was made through us yet: one is made for the question. */
enum release_order release_order(void)
{
    int known = atomic_load_explicit(&order, memory_order_relaxed);
    if (known != UNKNOWN)
        return (enum release_order)known;
    SSL_CTX *ctx = make_ctx(NULL, NULL);
    if (ctx == NULL)
        return libssl.rules.frees_one_by_one ? ONE_BY_ONE : FREES_AT_END;
    release_order_probe(ctx);
    contexts_suspend();
    libssl.SSL_CTX_free(ctx);
    contexts_resume();
    return (enum release_order)atomic_load(&order);
}

/* ---- the mark ---- */

/* The session that this thread is marking, for our remove_cb, which libssl calls with no argument of ours. */
static _Thread_local const SSL_SESSION *marking __attribute__((tls_model("initial-exec")));

/* Contexts of our own, one for each library context; under the contexts lock. */
struct helper {
    struct ossl_lib_ctx_st *library;
    SSL_CTX *ctx;
    struct helper *next;
};

static struct helper *helpers;

static SSL_CTX *find_helper(const struct ossl_lib_ctx_st *library)
{
    struct helper *helper = helpers;
    while (helper != NULL && helper->library != library)
        helper = helper->next;
    return helper != NULL ? helper->ctx : NULL;
}

static void keep_helper(struct ossl_lib_ctx_st *library, SSL_CTX *ctx)
{
    struct helper *helper = malloc(sizeof(*helper));
    if (helper == NULL)
        return;
    contexts_lock();
    *helper = (struct helper){library, ctx, helpers};
    helpers = helper;
    contexts_unlock();
}

/* NULL where none can be had. Of two threads that make one at once both are kept. */
static SSL_CTX *helper_of(const struct context *context)
{
    contexts_lock();
    SSL_CTX *ctx = find_helper(context->library);
    contexts_unlock();
    if (ctx != NULL)
        return ctx;
    ctx = make_ctx(context->library, context->properties);
    if (ctx != NULL)
        keep_helper(context->library, ctx);
    return ctx;
}

void unresumable_mark(struct context *context, SSL_SESSION *session, bool is_locked)
{
    SSL_CTX *ctx = is_locked ? helper_of(context) : context->ctx;
    if (ctx == NULL)
        return;
    marking = session;
    gate_enter();
    libssl.SSL_CTX_remove_session(ctx, session);
    gate_leave();
    marking = NULL;
}

bool unresumable_is_marking(const SSL_SESSION *session)
{
    return marking == session;
}

struct search {
    const struct ossl_lib_ctx_st *library;
    bool is_found;
};

static void compare_library(struct context *context, void *argument)
{
    struct search *search = argument;
    search->is_found |= context->library == search->library;
}

static SSL_CTX *take_helper(const struct ossl_lib_ctx_st *library)
{
    struct helper **place = &helpers;
    while (*place != NULL && (*place)->library != library)
        place = &(*place)->next;
    struct helper *helper = *place;
    if (helper == NULL)
        return NULL;
    SSL_CTX *ctx = helper->ctx;
    *place = helper->next;
    free(helper);
    return ctx;
}

void unresumable_forget(struct ossl_lib_ctx_st *library)
{
    struct search search = {library, false};
    if (library == NULL)
        return;
    contexts_all(compare_library, &search);
    for (SSL_CTX *ctx = NULL; !search.is_found;) {
        contexts_lock();
        ctx = take_helper(library);
        contexts_unlock();
        if (ctx == NULL)
            return;
        contexts_suspend();
        libssl.SSL_CTX_free(ctx);
        contexts_resume();
    }
}
