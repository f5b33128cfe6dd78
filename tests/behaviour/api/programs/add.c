/* SSL_CTX_add_session, as its manual page states it: answers, references, replacement. */
#include "session.h"

static void takes_one_reference(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 300);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    DO(ctx, SSL_SESSION_free(session));
    DO(NULL, SSL_CTX_free(ctx));
}

static void the_same_object_twice_is_nothing(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("b", 1000, 300);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    DO(ctx, SSL_SESSION_free(session));
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    DO(NULL, SSL_CTX_free(ctx));
}

static void another_object_with_the_same_id_replaces(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *old = make_session("old", TLS1_2_VERSION, "same", 4, 1000, 300);
    SSL_SESSION *new = make_session("new", TLS1_2_VERSION, "same", 4, 2000, 300);
    STEP(ctx, SSL_CTX_add_session(ctx, old));
    STEP(ctx, SSL_CTX_add_session(ctx, new));
    STEP(ctx, SSL_SESSION_is_resumable(old));
    DO(ctx, SSL_SESSION_free(old));
    DO(ctx, SSL_SESSION_free(new));
    DO(NULL, SSL_CTX_free(ctx));
}

static void the_cache_has_the_last_reference_of_what_is_replaced(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *old = make_session("old", TLS1_2_VERSION, "same", 4, 1000, 300);
    SSL_SESSION *new = make_session("new", TLS1_2_VERSION, "same", 4, 1000, 300);
    STEP(ctx, SSL_CTX_add_session(ctx, old));
    DO(ctx, SSL_SESSION_free(old));
    STEP(ctx, SSL_CTX_add_session(ctx, new));
    STEP(ctx, SSL_CTX_add_session(ctx, new));
    DO(ctx, SSL_SESSION_free(new));
    DO(NULL, SSL_CTX_free(ctx));
}

static void what_was_replaced_can_return(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *one = make_session("one", TLS1_2_VERSION, "same", 4, 1000, 300);
    SSL_SESSION *two = make_session("two", TLS1_2_VERSION, "same", 4, 1000, 300);
    for (int turn = 0; turn < 3; turn++) {
        STEP(ctx, SSL_CTX_add_session(ctx, one));
        STEP(ctx, SSL_CTX_add_session(ctx, two));
    }
    SSL_SESSION_free(one);
    SSL_SESSION_free(two);
    DO(NULL, SSL_CTX_free(ctx));
}

static void no_session_is_turned_away(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *expired = simple_session("expired", 1, 1);
    SSL_SESSION *removed = simple_session("removed", 1000, 300);
    STEP(ctx, SSL_CTX_remove_session(ctx, removed));
    STEP(ctx, SSL_SESSION_is_resumable(removed));
    STEP(ctx, SSL_CTX_add_session(ctx, removed));
    STEP(ctx, SSL_SESSION_is_resumable(removed));
    STEP(ctx, SSL_CTX_add_session(ctx, expired));
    SSL_SESSION_free(expired);
    SSL_SESSION_free(removed);
    DO(NULL, SSL_CTX_free(ctx));
}

static void the_mode_is_not_asked(void)
{
    const long modes[] = {SSL_SESS_CACHE_OFF, SSL_SESS_CACHE_CLIENT,
                          SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
                          SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        SSL_CTX *ctx = noting_context();
        SSL_SESSION *session = simple_session("a", 1000, 300);
        SSL_CTX_set_session_cache_mode(ctx, modes[i]);
        STEP(ctx, SSL_CTX_add_session(ctx, session));
        STEP(ctx, SSL_CTX_add_session(ctx, session));
        STEP(ctx, SSL_CTX_remove_session(ctx, session));
        STEP(ctx, SSL_CTX_remove_session(ctx, session));
        DO(ctx, SSL_SESSION_free(session));
        DO(NULL, SSL_CTX_free(ctx));
    }
}

static void contexts_do_not_share(void)
{
    SSL_CTX *left = noting_context(), *right = noting_context();
    SSL_SESSION *mine = make_session("mine", TLS1_2_VERSION, "same", 4, 1000, 300);
    SSL_SESSION *theirs = make_session("theirs", TLS1_2_VERSION, "same", 4, 1000, 300);
    STEP(left, SSL_CTX_add_session(left, mine));
    STEP(right, SSL_CTX_remove_session(right, mine));
    STEP(right, SSL_CTX_add_session(right, theirs));
    STEP(left, SSL_CTX_remove_session(left, theirs));
    show("right", right);
    SSL_SESSION_free(mine);
    SSL_SESSION_free(theirs);
    DO(right, SSL_CTX_free(left));
    DO(NULL, SSL_CTX_free(right));
}

static int fresh_session_called(SSL *ssl UNUSED, SSL_SESSION *session UNUSED)
{
    printf("new_cb was called\n");
    return 0;
}

static void new_cb_is_for_handshakes_only(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = simple_session("a", 1000, 300);
    SSL_CTX_sess_set_new_cb(ctx, fresh_session_called);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(ctx));
}

int main(void)
{
    takes_one_reference();
    the_same_object_twice_is_nothing();
    another_object_with_the_same_id_replaces();
    the_cache_has_the_last_reference_of_what_is_replaced();
    what_was_replaced_can_return();
    no_session_is_turned_away();
    the_mode_is_not_asked();
    contexts_do_not_share();
    new_cb_is_for_handshakes_only();
    return 0;
}
