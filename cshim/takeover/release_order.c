#include "cshim/takeover/release_order.h"

#include <stdatomic.h>

#include "cshim/context/context.h"

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

/* Where no context was made through us yet: one is made for the question. */
enum release_order release_order(void)
{
    int known = atomic_load_explicit(&order, memory_order_relaxed);
    if (known != UNKNOWN)
        return (enum release_order)known;
    SSL_CTX *ctx = context_new_own(NULL, NULL);
    if (ctx == NULL)
        return libssl.rules.frees_one_by_one ? ONE_BY_ONE : FREES_AT_END;
    release_order_probe(ctx);
    contexts_suspend();
    libssl.SSL_CTX_free(ctx);
    contexts_resume();
    return (enum release_order)atomic_load(&order);
}
