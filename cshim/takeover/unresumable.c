#include "cshim/takeover/unresumable.h"

#include <stdlib.h>

#include "cshim/process/fork.h"

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
    ctx = context_new_own(context->library, context->properties);
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
