/* SSL_CTX_remove_session, as its manual page states it: answers, references, marking, callback. */
#include "session.h"

static void gives_the_reference_back(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 300);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    STEP(ctx, SSL_SESSION_is_resumable(session));
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    STEP(ctx, SSL_SESSION_is_resumable(session));
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    DO(ctx, SSL_SESSION_free(session));
    DO(NULL, SSL_CTX_free(ctx));
}

static void the_last_reference_may_be_the_cache_s(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 300);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    DO(ctx, SSL_SESSION_free(session));
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    DO(NULL, SSL_CTX_free(ctx));
}

static void what_is_not_there_is_marked_all_the_same(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 300);
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    STEP(ctx, SSL_SESSION_is_resumable(session));
    DO(ctx, SSL_SESSION_free(session));
    DO(NULL, SSL_CTX_free(ctx));
}

/* The argument names the key: it is marked and reported, and the cached object just goes. */
static void a_twin_removes_what_is_cached(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *cached = make_session("cached", TLS1_2_VERSION, "same", 4, 1000, 300);
    SSL_SESSION *twin = make_session("twin", TLS1_2_VERSION, "same", 4, 1000, 300);
    STEP(ctx, SSL_CTX_add_session(ctx, cached));
    STEP(ctx, SSL_CTX_remove_session(ctx, twin));
    STEP(ctx, SSL_SESSION_is_resumable(cached));
    STEP(ctx, SSL_SESSION_is_resumable(twin));
    DO(ctx, SSL_SESSION_free(cached));
    DO(ctx, SSL_SESSION_free(twin));
    DO(NULL, SSL_CTX_free(ctx));
}

static void added_again_after_its_removal(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 300);
    for (int turn = 0; turn < 3; turn++) {
        STEP(ctx, SSL_CTX_add_session(ctx, session));
        STEP(ctx, SSL_CTX_remove_session(ctx, session));
    }
    DO(ctx, SSL_SESSION_free(session));
    DO(NULL, SSL_CTX_free(ctx));
}

static void a_duplicate_is_not_cached_and_keeps_the_mark(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 300);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    SSL_SESSION *before = SSL_SESSION_dup(session);
    name_session(before, "before");
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    SSL_SESSION *after = SSL_SESSION_dup(session);
    name_session(after, "after");
    STEP(ctx, SSL_SESSION_is_resumable(before));
    STEP(ctx, SSL_SESSION_is_resumable(after));
    STEP(ctx, SSL_CTX_add_session(ctx, before));
    STEP(ctx, SSL_CTX_add_session(ctx, after));
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    SSL_SESSION_free(before);
    SSL_SESSION_free(after);
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(ctx));
}

static void keep(SSL_CTX *ctx UNUSED, SSL_SESSION *session)
{
    note(&removals, name_of(session));
    SSL_SESSION_up_ref(session);
}

static void the_callback_may_keep_a_reference(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("kept", 1000, 300);
    SSL_CTX_sess_set_remove_cb(ctx, keep);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    DO(ctx, SSL_SESSION_free(session));
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    STEP(ctx, SSL_SESSION_get_timeout(session));
    DO(ctx, SSL_SESSION_free(session));
    DO(NULL, SSL_CTX_free(ctx));
}

int main(void)
{
    gives_the_reference_back();
    the_last_reference_may_be_the_cache_s();
    what_is_not_there_is_marked_all_the_same();
    a_twin_removes_what_is_cached();
    added_again_after_its_removal();
    a_duplicate_is_not_cached_and_keeps_the_mark();
    the_callback_may_keep_a_reference();
    return 0;
}
