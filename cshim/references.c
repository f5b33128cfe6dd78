#include "cshim/references.h"

#include <pthread.h>
#include <stdatomic.h>

#include "cshim/trace.h"

static int object_index = -1; /* of a token among the ex_data of an SSL_SESSION */
static _Atomic uint64_t tokens;
static _Thread_local unsigned depth; /* of references_enter */

static void *next_token(void)
{
    return (void *)(uintptr_t)(atomic_fetch_add(&tokens, 1) + 1);
}

/* CRYPTO_EX_new: a session is made. Nobody else knows it yet. */
static void give_token(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index, long argument,
                       void *pointer)
{
    (void)parent, (void)data, (void)argument, (void)pointer;
    libssl.CRYPTO_set_ex_data(ex_data, index, next_token());
}

/* CRYPTO_EX_dup: the copy is another object. */
static int renew_token(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **data, int index,
                       long argument, void *pointer)
{
    (void)to, (void)from, (void)index, (void)argument, (void)pointer;
    *data = next_token();
    return 1;
}

/* CRYPTO_EX_free: the session goes. */
static void note_freed(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index, long argument,
                       void *pointer)
{
    (void)ex_data, (void)index, (void)argument, (void)pointer;
    if (data != NULL && tracing())
        trace_freed(parent, (uintptr_t)data);
}

static void take_index(void)
{
    object_index = libssl.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, give_token,
                                                  renew_token, note_freed);
}

void references_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (libssl_ready() && libssl.complete)
        pthread_once(&once, take_index);
}

uint64_t references_object(const SSL_SESSION *session)
{
    if (object_index < 0)
        return 0;
    return (uintptr_t)libssl.SSL_SESSION_get_ex_data(session, object_index);
}

static bool is_programs(const void *caller)
{
    return depth == 0 && !libssl_or_libcrypto_contains(caller);
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

void references_enter(void)
{
    depth++;
}

void references_leave(void)
{
    depth--;
}
