/* SSL_CTX_free: the sessions go first, while the context can still be read. */
#include "session.h"

static int tag_index;

static void tag_freed(void *ctx UNUSED, void *tag, CRYPTO_EX_DATA *data UNUSED, int index UNUSED,
                      long number UNUSED, void *argument UNUSED)
{
    if (tag != NULL)
        printf("  ex_data freed: %s\n", (const char *)tag);
}

static void read_context(SSL_CTX *ctx, SSL_SESSION *session)
{
    printf("  removed %s: ex_data %s held %ld resumable %d\n", name_of(session),
           (const char *)SSL_CTX_get_ex_data(ctx, tag_index), SSL_CTX_sess_number(ctx),
           SSL_SESSION_is_resumable(session));
}

static SSL_CTX *tagged_context(const char *tag)
{
    SSL_CTX *ctx = noting_context();
    SSL_CTX_set_ex_data(ctx, tag_index, (void *)tag);
    SSL_CTX_sess_set_remove_cb(ctx, read_context);
    return ctx;
}

static SSL_SESSION *kept;

static void fill(SSL_CTX *ctx)
{
    SSL_SESSION *sessions[] = {simple_session("third", 1000, 30), simple_session("first", 1000, 10),
                               simple_session("fourth", 1000, 40),
                               simple_session("second", 1000, 20)};
    for (int i = 0; i < 4; i++) {
        SSL_CTX_add_session(ctx, sessions[i]);
        if (i > 0)
            SSL_SESSION_free(sessions[i]);
    }
    kept = sessions[0];
}

static void references_of_the_context(void)
{
    SSL_CTX *ctx = tagged_context("counted");
    fill(ctx);
    STEP(ctx, SSL_CTX_up_ref(ctx));
    DO(ctx, SSL_CTX_free(ctx));
    SSL_SESSION *session = simple_session("more", 1000, 5);
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    SSL_SESSION_free(session);
    DO(NULL, SSL_CTX_free(ctx));
    SHOW(SSL_SESSION_is_resumable(kept));
    DO(NULL, SSL_SESSION_free(kept));
}

static void a_connection_holds_the_context(void)
{
    SSL_CTX *ctx = tagged_context("held"), *other = tagged_context("other");
    fill(ctx);
    SSL *ssl = SSL_new(ctx);
    DO(ctx, SSL_CTX_free(ctx));
    STEP(ctx, SSL_set_SSL_CTX(ssl, other) == other);
    DO(ctx, SSL_CTX_free(other));
    DO(NULL, SSL_free(ssl));
    DO(NULL, SSL_SESSION_free(kept));
}

static void without_sessions(void)
{
    SSL_CTX *ctx = tagged_context("empty");
    DO(NULL, SSL_CTX_free(ctx));
}

static void without_callback(void)
{
    SSL_CTX *ctx = tagged_context("silent");
    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    fill(ctx);
    DO(NULL, SSL_CTX_free(ctx));
    SHOW(SSL_SESSION_is_resumable(kept));
    DO(NULL, SSL_SESSION_free(kept));
}

static void with_the_cache_off(void)
{
    SSL_CTX *ctx = tagged_context("off");
    fill(ctx);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    DO(NULL, SSL_CTX_free(ctx));
    DO(NULL, SSL_SESSION_free(kept));
}

static void many_contexts(void)
{
    SSL_CTX *contexts[20];
    for (int i = 0; i < 20; i++) {
        contexts[i] = noting_context();
        for (int j = 0; j <= i; j++) {
            char name[12];
            snprintf(name, sizeof(name), "%d.%d", i, j);
            SSL_SESSION *session = simple_session(name, 1000, j);
            SSL_CTX_add_session(contexts[i], session);
            SSL_SESSION_free(session);
        }
    }
    for (int i = 0; i < 20; i += 2)
        DO(contexts[i + 1], SSL_CTX_free(contexts[i]));
    for (int i = 1; i < 20; i += 2)
        DO(NULL, SSL_CTX_free(contexts[i]));
}

int main(void)
{
    tag_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, tag_freed);
    references_of_the_context();
    a_connection_holds_the_context();
    without_sessions();
    without_callback();
    with_the_cache_off();
    many_contexts();
    return 0;
}
