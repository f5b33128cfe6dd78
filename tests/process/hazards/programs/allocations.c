/*
 * All that a server does with sessions, first while an allocation of the library fails (failing.c), then while none
 * does. What is printed of the first is what must be so whatever failed: it says of which sessions it was done. What
 * is printed of the second is all.
 */
#include "hazard.h"

/* Of failing.c, where it is preloaded. */
void failing_end(void) __attribute__((weak));

enum { SESSIONS = 400, LIMIT = 100 };

static long born, gone, called_back;

static void note_birth(void *session UNUSED, void *pointer UNUSED, CRYPTO_EX_DATA *data UNUSED,
                       int index UNUSED, long number UNUSED, void *argument UNUSED)
{
    born++;
}

static void note_end(void *session UNUSED, void *pointer UNUSED, CRYPTO_EX_DATA *data UNUSED,
                     int index UNUSED, long number UNUSED, void *argument UNUSED)
{
    gone++;
}

static void count_removal(SSL_CTX *ctx UNUSED, SSL_SESSION *session UNUSED)
{
    called_back++;
}

/* ---- sessions ---- */

static SSL_SESSION *sessions[SESSIONS];

static long add_all(SSL_CTX *ctx)
{
    long added = 0;
    for (int i = 0; i < SESSIONS; i++)
        added += SSL_CTX_add_session(ctx, sessions[i]);
    return added;
}

static long remove_all(SSL_CTX *ctx)
{
    long removed = 0;
    for (int i = 0; i < SESSIONS; i++)
        removed += SSL_CTX_remove_session(ctx, sessions[i]);
    return removed;
}

static void use_sessions(int is_strict)
{
    SSL_CTX *ctx = unlimited_context();
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"tests", 5);
    SSL_CTX_sess_set_remove_cb(ctx, count_removal);
    for (unsigned i = 0; i < SESSIONS; i++)
        sessions[i] = numbered_session(i);

    long added = add_all(ctx), known = SSL_CTX_sess_number(ctx), removed = remove_all(ctx);
    printf("added are known %d, removed %d, left %ld\n", known == added, removed == added,
           SSL_CTX_sess_number(ctx));
    long again = add_all(ctx);
    printf("again %d\n", SSL_CTX_sess_number(ctx) == again);
    if (is_strict)
        printf("added %ld, again %ld\n", added, again);

    SSL_CTX_sess_set_cache_size(ctx, LIMIT);
    SSL_SESSION *last = numbered_session(SESSIONS);
    again += SSL_CTX_add_session(ctx, last);
    known = SSL_CTX_sess_number(ctx);
    printf("limited %d\n", known <= LIMIT);
    if (is_strict)
        printf("to %ld\n", known);
    SSL_SESSION_free(last);
    for (int i = 0; i < SESSIONS; i++)
        SSL_SESSION_free(sessions[i]);
    SSL_CTX_flush_sessions(ctx, time(NULL) + 10000000);
    printf("flushed to %ld\n", SSL_CTX_sess_number(ctx));
    SSL_CTX_free(ctx);
    /* libssl calls back for a session that it is told to remove and has not, too. */
    printf("called back for each %d\n", called_back == SESSIONS + again);
    called_back = 0;
}

/* ---- handshakes ---- */

struct tally {
    int done, resumed, elsewhere;
};

enum end { FAILED, DONE, WITHOUT_KEY };

/* What seals a ticket libssl alone asks memory for too, and fails where it gets none: it has no key to seal with then. */
static enum end shake(struct connection connection)
{
    int client = 1, server = 1;
    for (int round = 0; round < 20 && (client > 0 || server > 0); round++) {
        if (client > 0 && (client = advance(connection.client)) < 0)
            show_failure("client");
        if (server > 0 && (server = advance(connection.server)) < 0) {
            if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_CALLBACK_FAILED)
                return ERR_clear_error(), WITHOUT_KEY;
            show_failure("server");
        }
    }
    return client == 0 && server == 0 && say_hello(connection) ? DONE : FAILED;
}

static SSL_SESSION *go(SSL_CTX *ours, SSL_CTX *theirs, SSL_SESSION *offered, struct tally *tally,
                       int *resumed)
{
    struct connection connection = open_connection(ours, theirs, offered);
    SSL_SESSION *session = NULL;
    enum end end = shake(connection);
    tally->done += end != FAILED;
    if (end == DONE) {
        *resumed += SSL_session_reused(connection.server);
        session = SSL_get1_session(connection.client);
    }
    part(connection);
    return session;
}

static void shake_hands(int version, long options, int verify_mode, struct tally *tally)
{
    int unused = 0;
    SSL_CTX *ours = client_context(), *one = server_context(version),
            *other = server_context(version);
    SSL_CTX_set_options(one, options), SSL_CTX_set_options(other, options);
    SSL_CTX_set_verify(one, verify_mode, NULL), SSL_CTX_set_verify(other, verify_mode, NULL);
    SSL_SESSION *first = go(ours, one, NULL, tally, &unused),
                *second = go(ours, one, first, tally, &tally->resumed);
    SSL_SESSION_free(go(ours, other, second, tally, &tally->elsewhere));
    SSL_SESSION_free(first), SSL_SESSION_free(second);
    SSL_CTX_free(ours), SSL_CTX_free(one), SSL_CTX_free(other);
}

static void shake_all_hands(int is_strict)
{
    struct tally stateful = {0, 0, 0}, stateless = {0, 0, 0};
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (int verify_mode = SSL_VERIFY_NONE; verify_mode <= SSL_VERIFY_PEER; verify_mode++) {
            shake_hands(version, SSL_OP_NO_TICKET, verify_mode, &stateful);
            shake_hands(version, 0, verify_mode, &stateless);
        }
    }
    printf("stateful: done %d\nstateless: done %d\n", stateful.done, stateless.done);
    if (is_strict)
        printf("resumed %d %d\n", stateful.resumed, stateless.resumed);
    if (is_strict)
        fprintf(stderr, "elsewhere: %d stateful %d stateless\n", stateful.elsewhere,
                stateless.elsewhere);
}

/* A child that finds a lock taken would wait in it for ever. */
static void use_in_child(void)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct tally tally = {0, 0, 0};
        shake_hands(TLS1_3_VERSION, SSL_OP_NO_TICKET, SSL_VERIFY_NONE, &tally);
        _exit(tally.done == 3 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    printf("child %d\n", status);
}

int main(void)
{
    int index = SSL_SESSION_get_ex_new_index(0, NULL, note_birth, NULL, note_end);
    make_certificate();
    use_sessions(0);
    shake_all_hands(0);
    use_in_child();
    if (failing_end != NULL)
        failing_end();
    use_sessions(1);
    shake_all_hands(1);
    use_in_child();
    printf("sessions that live %ld, errors %d\n", born - gone, ERR_peek_error() != 0);
    return index < 0;
}
