#include "cshim/takeover/nobody.h"

#include <pthread.h>

#include "cshim/process/fork.h"
#include "cshim/takeover/context.h"

static SSL_CTX *nobody;
static enum release_order order;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* How many sessions were left in the cache when the first callback of a flush of two came. */
static long left_at_first_callback = -1;

static void note_number(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)session;
    if (left_at_first_callback < 0)
        left_at_first_callback = libssl.SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_NUMBER, 0, NULL);
}

static void add_session(unsigned char id)
{
    SSL_SESSION *session = libssl.SSL_SESSION_new();
    if (session == NULL)
        return;
    libssl.SSL_SESSION_set1_id(session, &id, 1);
    libssl.SSL_CTX_add_session(nobody, session);
    libssl.SSL_SESSION_free(session);
}

/* Distributions bring the change of order to older versions too, so the version does not tell. */
static enum release_order find_order(void)
{
    if (libssl.rules.frees_one_by_one)
        return ONE_BY_ONE;
    libssl.SSL_CTX_sess_set_remove_cb(nobody, note_number);
    add_session(1);
    add_session(2);
    libssl.SSL_CTX_flush_sessions(nobody, 0);
    libssl.SSL_CTX_sess_set_remove_cb(nobody, NULL);
    return left_at_first_callback == 0 ? CALLBACKS_LAST_FIRST : FREES_AT_END;
}

static void make_nobody(void)
{
    contexts_leave_alone(); /* parts of libssl call others through us */
    nobody = libssl.SSL_CTX_new(libssl.TLS_method());
    if (nobody != NULL)
        order = find_order();
    contexts_go_on();
}

void nobody_mark(SSL_SESSION *session)
{
    pthread_once(&once, make_nobody);
    if (nobody == NULL)
        return;
    gate_enter();
    libssl.SSL_CTX_remove_session(nobody, session);
    gate_leave();
}

enum release_order nobody_release_order(void)
{
    pthread_once(&once, make_nobody);
    return order;
}
