#include "cshim/trace/references.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>

#include "cshim/trace/trace.h"

static _Atomic uint64_t secret; /* what makes a token of an address; 0: nothing is watched */
static SCOPE_KIND making;       /* of references_enter */

/*
 * Another token for each address, since each step can be undone. It is computed anew each time: in the session's
 * ex_data it would be copied by SSL_SESSION_dup(3), and make libssl call the copy functions of every index, some of
 * which can't copy NULL.
 */
static uint64_t token_of(const SSL_SESSION *session)
{
    uint64_t token = (uintptr_t)session ^ secret;
    token = (token ^ token >> 33) * 0xff51afd7ed558ccdU;
    token = (token ^ token >> 33) * 0xc4ceb9fe1a85ec53U;
    return token ^ token >> 33;
}

/* CRYPTO_EX_free: the session goes. */
static void note_freed(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index, long argument,
                       void *pointer)
{
    (void)data, (void)ex_data, (void)index, (void)argument, (void)pointer;
    if (tracing())
        trace_freed(parent, references_object(parent));
}

static void start_watching(void)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15U;
    if (libssl.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, NULL, NULL,
                                       note_freed) >= 0)
        secret = random | 1;
}

void references_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (libssl_ready() && libssl.complete)
        pthread_once(&once, start_watching);
}

uint64_t references_object(const SSL_SESSION *session)
{
    return secret == 0 ? 0 : token_of(session);
}

static bool is_programs(const void *caller)
{
    return scope_current(making) == NULL && !libssl_or_libcrypto_contains(caller);
}

SSL_SESSION *references_take(SSL_SESSION *session, const char *function, const void *caller)
{
    if (session != NULL && is_programs(caller))
        trace_take(session, function, caller);
    return session;
}

void references_give(const SSL_SESSION *session, const char *function, const void *caller)
{
    if (session != NULL && is_programs(caller))
        trace_give(session, function, caller);
}

void references_enter(struct scope *scope)
{
    scope_enter(&making, scope);
}

void references_leave(struct scope *scope)
{
    scope_leave(&making, scope);
}
