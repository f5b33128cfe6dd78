/*
 * session.h - sessions with names, and a record of what becomes of them.
 *
 * The programs of tests/ print what they see and judge nothing: they run under libssl alone and
 * under our library, and both runs must print the same. All here is static, so that a program is
 * one file.
 */
#ifndef TESTS_SESSION_H
#define TESTS_SESSION_H

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

#define SHOW(expression) printf("%s: %ld\n", #expression, (long)(expression))

/* The names that happened to something, in the order in which it happened. */
struct happenings {
    const char *names[1024];
    int count;
};

static struct happenings removals; /* calls of note_removal */
static struct happenings frees;    /* named sessions whose last reference went */
static int name_index = -1;        /* of the name among a session's ex_data */
static char names[2048][12];
static int name_count;

static void note(struct happenings *happenings, const char *name)
{
    if (happenings->count < 1024)
        happenings->names[happenings->count++] = name;
}

static void note_free(void *session UNUSED, void *name, CRYPTO_EX_DATA *data UNUSED,
                      int index UNUSED, long number UNUSED, void *argument UNUSED)
{
    if (name != NULL)
        note(&frees, name);
}

/* A duplicate is another session: it has no name until someone asks for it. */
static int forget_name(CRYPTO_EX_DATA *to UNUSED, const CRYPTO_EX_DATA *from UNUSED,
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
                       void **name,
#else
                       void *name,
#endif
                       int index UNUSED, long number UNUSED, void *argument UNUSED)
{
    *(void **)name = NULL;
    return 1;
}

static void name_session(SSL_SESSION *session, const char *name)
{
    if (name_index < 0)
        name_index = SSL_SESSION_get_ex_new_index(0, NULL, NULL, forget_name, note_free);
    if (name_index < 0 || name_count == 2048)
        abort();
    char *copy = names[name_count++];
    snprintf(copy, sizeof(names[0]), "%s", name);
    if (!SSL_SESSION_set_ex_data(session, name_index, copy))
        abort();
}

/* A session that nobody named gets a number, in the order in which sessions come to our sight. */
UNUSED static const char *name_of(SSL_SESSION *session)
{
    static int strangers;
    if (session == NULL)
        return "none";
    if (name_index < 0 || SSL_SESSION_get_ex_data(session, name_index) == NULL) {
        char name[12];
        snprintf(name, sizeof(name), "#%d", ++strangers);
        name_session(session, name);
    }
    return SSL_SESSION_get_ex_data(session, name_index);
}

/* A session as a program makes it by hand. The caller has the only reference. */
static SSL_SESSION *make_session(const char *name, int version, const void *id, unsigned id_length,
                                 long time, long timeout)
{
    SSL_SESSION *session = SSL_SESSION_new();
    if (session == NULL || !SSL_SESSION_set1_id(session, id, id_length))
        abort();
    name_session(session, name);
    SSL_SESSION_set_protocol_version(session, version);
    SSL_SESSION_set_time(session, time);
    SSL_SESSION_set_timeout(session, timeout);
    return session;
}

/* A session whose id is its name. */
UNUSED static SSL_SESSION *simple_session(const char *name, long time, long timeout)
{
    return make_session(name, TLS1_2_VERSION, name, (unsigned)strlen(name), time, timeout);
}

/* For SSL_CTX_sess_set_remove_cb. */
UNUSED static void note_removal(SSL_CTX *ctx UNUSED, SSL_SESSION *session)
{
    note(&removals, name_of(session));
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void show_happenings(const char *title, struct happenings *happenings)
{
    printf(" %s", title);
    /* The flush of 1.1.1 follows the order of its hash table, which means nothing. */
    if (OpenSSL_version_num() < 0x30000000L)
        qsort(happenings->names, happenings->count, sizeof(happenings->names[0]), compare_names);
    for (int i = 0; i < happenings->count; i++)
        printf(" %s", happenings->names[i]);
    happenings->count = 0;
}

/* What happened since it was last shown, and what the context holds now; NULL: no context. */
UNUSED static void show(const char *when, SSL_CTX *ctx)
{
    printf("%s:", when);
    show_happenings("removed", &removals);
    show_happenings("freed", &frees);
    if (ctx != NULL)
        printf(" held %ld full %ld", SSL_CTX_sess_number(ctx), SSL_CTX_sess_cache_full(ctx));
    printf(" errors %s\n", ERR_peek_error() == 0 ? "none" : "some");
}

/* Calls show after an expression that has a value. */
#define STEP(ctx, expression)                                                                      \
    do {                                                                                           \
        printf("%ld = ", (long)(expression));                                                      \
        show(#expression, ctx);                                                                    \
    } while (0)

/* Calls show after a statement that has none. */
#define DO(ctx, statement)                                                                         \
    do {                                                                                           \
        statement;                                                                                 \
        show(#statement, ctx);                                                                     \
    } while (0)

/* A context that notes what it removes. */
UNUSED static SSL_CTX *noting_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (ctx == NULL)
        abort();
    SSL_CTX_sess_set_remove_cb(ctx, note_removal);
    return ctx;
}

UNUSED static void show_counters(const char *name, SSL_CTX *ctx)
{
    printf(
        "%s: accept %ld good %ld renegotiate %ld; connect %ld good %ld renegotiate %ld; hits %ld "
        "cb_hits %ld misses %ld timeouts %ld full %ld number %ld\n",
        name, SSL_CTX_sess_accept(ctx), SSL_CTX_sess_accept_good(ctx),
        SSL_CTX_sess_accept_renegotiate(ctx), SSL_CTX_sess_connect(ctx),
        SSL_CTX_sess_connect_good(ctx), SSL_CTX_sess_connect_renegotiate(ctx),
        SSL_CTX_sess_hits(ctx), SSL_CTX_sess_cb_hits(ctx), SSL_CTX_sess_misses(ctx),
        SSL_CTX_sess_timeouts(ctx), SSL_CTX_sess_cache_full(ctx), SSL_CTX_sess_number(ctx));
}

#endif
