/* The key of a session: the protocol version, the length of the id, and its bytes. */
#include "session.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static const unsigned char bytes[33] = "0123456789abcdef0123456789abcdef";

static void all_of_these_are_different(void)
{
    const struct {
        const char *name;
        int version;
        const char *id;
        unsigned length;
    } keys[] = {
        {"one", TLS1_2_VERSION, "x", 1},
        {"other", TLS1_2_VERSION, "y", 1},
        {"prefix", TLS1_2_VERSION, "xx", 2},
        {"zero", TLS1_2_VERSION, "\0", 1},
        {"zeros", TLS1_2_VERSION, "\0\0", 2},
        {"after0", TLS1_2_VERSION, "x\0", 2},
        {"after0a", TLS1_2_VERSION, "x\0a", 3},
        {"after0b", TLS1_2_VERSION, "x\0b", 3},
        {"tls13", TLS1_3_VERSION, "x", 1},
        {"tls1", TLS1_VERSION, "x", 1},
        {"dtls12", DTLS1_2_VERSION, "x", 1},
        {"v0", 0, "x", 1},
        {"negative", -1, "x", 1},
        {"31", TLS1_2_VERSION, (const char *)bytes, 31},
        {"32", TLS1_2_VERSION, (const char *)bytes, 32},
        {"last", TLS1_2_VERSION, (const char *)bytes + 1, 31},
    };
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *sessions[COUNT(keys)];
    for (int i = 0; i < COUNT(keys); i++) {
        sessions[i] =
            make_session(keys[i].name, keys[i].version, keys[i].id, keys[i].length, 1000, 9);
        printf("%s ", keys[i].name);
        STEP(ctx, SSL_CTX_add_session(ctx, sessions[i]));
    }
    for (int i = 0; i < COUNT(keys); i += 2) {
        printf("%s ", keys[i].name);
        STEP(ctx, SSL_CTX_remove_session(ctx, sessions[i]));
    }
    for (int i = 0; i < COUNT(keys); i++)
        SSL_SESSION_free(sessions[i]);
    DO(NULL, SSL_CTX_free(ctx));
}

static void lengths(void)
{
    SSL_CTX *ctx = noting_context();
    for (unsigned length = 1; length <= 32; length++) {
        SSL_SESSION *session = make_session("short", TLS1_2_VERSION, bytes, length, 1000, 9);
        SSL_SESSION *twin = make_session("twin", TLS1_2_VERSION, bytes, length, 1000, 9);
        printf("%u: %d", length, SSL_CTX_add_session(ctx, session));
        printf(" %d", SSL_CTX_add_session(ctx, twin));
        printf(" %d", SSL_CTX_remove_session(ctx, session));
        printf(" %d", SSL_CTX_add_session(ctx, session));
        printf(" %ld\n", SSL_CTX_sess_number(ctx));
        SSL_SESSION_free(session);
        SSL_SESSION_free(twin);
    }
    DO(NULL, SSL_CTX_free(ctx));
}

static void longer_than_32_is_refused(void)
{
    SSL_SESSION *session = simple_session("short", 1000, 9);
    SHOW(SSL_SESSION_set1_id(session, bytes, 33));
    show("refused", NULL);
    ERR_clear_error();
    unsigned length;
    SSL_SESSION_get_id(session, &length);
    SHOW(length);
    SSL_SESSION_free(session);
    show("freed", NULL);
}

/* A session without an id can be added; it cannot be removed by name. */
static void without_id(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *first = make_session("first", TLS1_2_VERSION, "", 0, 1000, 9);
    SSL_SESSION *second = make_session("second", TLS1_2_VERSION, "", 0, 1000, 9);
    STEP(ctx, SSL_SESSION_is_resumable(first));
    STEP(ctx, SSL_CTX_add_session(ctx, first));
    STEP(ctx, SSL_CTX_add_session(ctx, first));
    STEP(ctx, SSL_CTX_remove_session(ctx, first));
    STEP(ctx, SSL_CTX_add_session(ctx, second));
    DO(ctx, SSL_SESSION_free(first));
    DO(ctx, SSL_SESSION_free(second));
    DO(ctx, SSL_CTX_flush_sessions(ctx, 2000));
    DO(NULL, SSL_CTX_free(ctx));
}

/* Evicting stops at a session that cannot be removed. */
static void without_id_blocks_eviction(void)
{
    SSL_CTX *ctx = noting_context();
    SSL_CTX_sess_set_cache_size(ctx, 2);
    SSL_SESSION *sessions[] = {make_session("no id", TLS1_2_VERSION, "", 0, 1000, 1),
                               simple_session("a", 1000, 2), simple_session("b", 1000, 3),
                               simple_session("c", 1000, 4)};
    for (int i = 0; i < COUNT(sessions); i++) {
        STEP(ctx, SSL_CTX_add_session(ctx, sessions[i]));
        SSL_SESSION_free(sessions[i]);
    }
    DO(NULL, SSL_CTX_free(ctx));
}

int main(void)
{
    all_of_these_are_different();
    lengths();
    longer_than_32_is_refused();
    without_id();
    without_id_blocks_eviction();
    return 0;
}
