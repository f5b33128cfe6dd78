/* clang-format off */
/*
 * driver.c - does to libssl's session cache what a script says, and prints all that can be observed.
 *
 * The same script is run under libssl alone and under ours: the outputs must be equal to the byte. So
 * nothing printed may differ from run to run: sessions and contexts go by name, in the order in which
 * they appear, and the clock stands still unless the script moves it.
 *
 * A script comes on standard input, one operation a line; "end" ends it, gives everything back and leaves
 * the driver ready for the next script. Operands: C a context (c0..c5), S a slot for a reference to a
 * session (s0..s15), P a connection (p0..p5), X any session: a slot, p0.server, p0.client, or @, which is
 * the session that a callback got. What cannot be done (no such session) says so and does nothing.
 *
 *   context C tls|tls12|tls13|dtls     free C
 *   mode C BITS     size C N     lifetime C N     getters C     stats C     walk C     number C
 *   callbacks C new=off|keep|drop get=off|copy|give|fresh|wrong remove=off|on
 *       keep: new_cb keeps its reference in the program's own cache, where get_cb looks; it gives what it
 *       finds with or without a reference, or reads it anew from its serialised form, or gives another
 *   react C new|get|remove OPERATION   what the callback does to the API, where libssl permits it
 *   dare C                             and from now on also where libssl forbids it
 *   options C no_ticket,no_anti_replay     early C BYTES     tickets C N     sid C TEXT
 *   verify C none|accept|refuse     sni C none|fatal|C     hello C none|C     idgen C none|fixed|next
 *   ticketcb C none|use|ignore|renew   what the program says of a ticket that it was shown
 *   session S C VERSION ID TIME TIMEOUT    a new session by hand; ID in hex, - is none
 *   copy S X     take S X     drop S     show X
 *   add X     remove X     flush C T     flushex C T     time X T     timex X T     timeout X T
 *   match C|P ID|=X                    SSL_has_matching_session_id
 *   connect P CLIENT SERVER [resume=X] [early] [dup] [fixed] [switch=C]     over memory BIOs
 *   again P     renegotiate P     garbage P server|client     finish P quiet|shutdown|bad|badclient
 *   many N CLIENT SERVER [resume=X]    connections one after another, each ended well
 *   clock N                            N seconds go by
 *
 * A session is only ever added to the context that it was made for: libssl has no answer for one session in
 * two caches. And one that came from a handshake is not added once it was marked not resumable: libssl would
 * resume it from there and we refuse it, on purpose; nor is it offered by a client of another context than the
 * one that has it cached, where a failure would mark it. Nor is a cached session added again where that would
 * renew its time but not its place among the others, which an order by expiry cannot follow. "dare" lifts
 * the last of these.
 */
/* clang-format on */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* These are deprecated in newer versions, and part of what is tested. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum { CONTEXTS = 6, SLOTS = 16, CONNECTIONS = 6, EXTERNAL = 32, DEPTH = 3, LINE = 256 };

/* ---- the clock: ours, so that no script depends on when it runs ---- */

static const time_t epoch = 1700000000;
static time_t now;

time_t time(time_t *result)
{
    if (result != NULL)
        *result = now;
    return now;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone)
{
    (void)zone;
    *result = (struct timeval){.tv_sec = now};
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *result)
{
    if (clock != CLOCK_REALTIME)
        return (int)syscall(SYS_clock_gettime, clock, result);
    *result = (struct timespec){.tv_sec = now};
    return 0;
}

/* ---- what is printed ---- */

static char output[1 << 20];
static size_t output_length;
static int depth;

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof(output) - output_length;
    int indented = snprintf(output + output_length, room, "%*s", depth * 2, "");
    int length = vsnprintf(output + output_length + indented, room - indented, format, arguments);
    va_end(arguments);
    if ((size_t)(indented + length) + 1 >= room) {
        fputs("driver: output too long\n", stderr);
        exit(1);
    }
    output_length += indented + length;
    output[output_length++] = '\n';
}

static int compare_lines(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool of_a_flush(const char *line)
{
    line += strspn(line, " ");
    return strncmp(line, "remove_cb ", 10) == 0 || strncmp(line, "freed ", 6) == 0 ||
           strncmp(line, "number ", 7) == 0 || strncmp(line, "react ", 6) == 0;
}

/* libssl 1.1.1 flushes in the order of its hash table, which nobody can foretell: sort what a flush
 * says. */
static void sort_flushes(void)
{
    static char copy[sizeof(output)];
    static char *lines[1 << 16];
    size_t count = 0;
    memcpy(copy, output, output_length);
    copy[output_length] = '\0';
    for (char *line = strtok(copy, "\n"); line != NULL; line = strtok(NULL, "\n"))
        lines[count++] = line;
    for (size_t start = 0; start < count; start++) {
        size_t stop = start;
        while (stop < count && of_a_flush(lines[stop]))
            stop++;
        if (stop == start)
            continue;
        qsort(lines + start, stop - start, sizeof(*lines), compare_lines);
        start = stop - 1;
    }
    output_length = 0;
    for (size_t i = 0; i < count; i++)
        output_length += sprintf(output + output_length, "%s\n", lines[i]);
}

static bool sorts_flushes(void)
{
    return OPENSSL_VERSION_NUMBER < 0x30000000L;
}

static bool flushed; /* by this operation, perhaps */

static void print_output(void)
{
    if (flushed && sorts_flushes())
        sort_flushes();
    flushed = false;
    fwrite(output, 1, output_length, stdout);
    fflush(stdout);
    output_length = 0;
}

/* An operation leaves OpenSSL's error queue as libssl alone leaves it. */
static void say_errors(void)
{
    unsigned long error = ERR_peek_error();
    if (error != 0)
        say("error %d", ERR_GET_REASON(error));
    ERR_clear_error();
}

/* ---- contexts ---- */

enum callback { NEW, GET, REMOVE };
static const char *const callback_names[] = {"new", "get", "remove"};

/* Lives until the script ends, for sessions and SSLs may outlive their context. */
struct context {
    char name[24];
    SSL_CTX *ctx;
    bool held; /* by the script */
    bool keeps, copies, fresh, wrong, fatal_sni;
    bool dares; /* to call back where libssl holds its lock */
    SSL_SESSION *external[EXTERNAL];
    size_t externals;
    char reaction[3][LINE];
    struct context *sni, *hello;
    unsigned next_id;
    struct context *next;
};

static struct context *contexts;       /* all of this script */
static struct context *held[CONTEXTS]; /* by slot */
static int generation[CONTEXTS];
static int context_index, session_index, connection_index;

static void context_gone(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long argl,
                         void *argp)
{
    (void)parent, (void)all, (void)index, (void)argl, (void)argp;
    struct context *context = data;
    if (context == NULL)
        return;
    context->ctx = NULL;
    say("gone %s", context->name);
}

static struct context *context_of(const SSL_CTX *ctx)
{
    return SSL_CTX_get_ex_data(ctx, context_index);
}

static const char *context_name(const SSL_CTX *ctx)
{
    struct context *context = context_of(ctx);
    return context != NULL ? context->name : "unknown";
}

/* ---- sessions: each gets its name when it is first seen ---- */

struct session {
    char name[24];
    struct context *context; /* the only one that it may be added to */
    bool shaken;             /* came from a handshake */
};

static int sessions_named, sessions_left;

static void session_freed(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long argl,
                          void *argp)
{
    (void)parent, (void)all, (void)index, (void)argl, (void)argp;
    struct session *known = data;
    if (known == NULL)
        return;
    say("freed %s", known->name);
    free(known);
    sessions_left--;
}

/* A copy is a session of its own, without a name yet. */
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static int session_copied(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **data, int index,
                          long argl, void *argp)
#else
static int session_copied(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void *data, int index,
                          long argl, void *argp)
#endif
{
    (void)to, (void)from, (void)index, (void)argl, (void)argp;
    *(void **)data = NULL;
    return 1;
}

static struct session *known_session(const SSL_SESSION *session)
{
    return SSL_SESSION_get_ex_data(session, session_index);
}

static struct session *name_session(SSL_SESSION *session, struct context *context, bool shaken)
{
    struct session *known = known_session(session);
    if (known != NULL)
        return known;
    known = calloc(1, sizeof(*known));
    snprintf(known->name, sizeof(known->name), "n%d", sessions_named++);
    known->context = context;
    known->shaken = shaken;
    sessions_left++;
    SSL_SESSION_set_ex_data(session, session_index, known);
    return known;
}

static const char *session_name(const SSL_SESSION *session)
{
    if (session == NULL)
        return "none";
    struct session *known = known_session(session);
    return known != NULL ? known->name : "unnamed";
}

struct search {
    SSL_SESSION *session;
    bool found;
};

static void compare_session(void *session, void *argument)
{
    struct search *search = argument;
    search->found |= session == search->session;
}

static bool is_cached(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct search search = {.session = session};
    OPENSSL_LH_doall_arg((OPENSSL_LHASH *)SSL_CTX_sessions(ctx), compare_session, &search);
    return search.found;
}

static SSL_SESSION *slots[SLOTS];

static void put(int slot, SSL_SESSION *session)
{
    SSL_SESSION_free(slots[slot]);
    slots[slot] = session;
}

/* ---- connections ---- */

struct side {
    char name[24];
    SSL *ssl;
    struct context *context; /* the one that the SSL was made with */
    bool done, failed;
};

struct connection {
    struct side client, server;
    bool early_client, early_server; /* that side still has early data to do */
};

static struct connection connections[CONNECTIONS + 1]; /* the last is for "many" */

static struct side *side_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, connection_index);
}

/* ---- calls back into the API ---- */

/* Which call we are in: libssl before 4.0 holds its lock in remove_cb, unless a remove calls it. */
enum call { NOTHING, ADDING, REMOVING, FLUSHING, FREEING, SHAKING };
static enum call innermost;

static void run_line(char *line);
static SSL_SESSION *callback_session;

static bool may_react(const struct context *context, enum callback callback)
{
    if (depth >= DEPTH)
        return false;
    if (context->dares || callback != REMOVE || innermost == REMOVING)
        return true;
    return OPENSSL_VERSION_NUMBER >= 0x40000000L && (innermost == ADDING || innermost == FLUSHING);
}

static void react(struct context *context, enum callback callback, SSL_SESSION *session)
{
    char line[LINE];
    SSL_SESSION *outer = callback_session;
    if (context == NULL || context->reaction[callback][0] == '\0' || !may_react(context, callback))
        return;
    strcpy(line, context->reaction[callback]);
    callback_session = session;
    run_line(line);
    callback_session = outer;
}

/* ---- the program's callbacks ---- */

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    struct side *side = side_of(ssl);
    struct context *context = side->context;
    name_session(session, context, true);
    say("new_cb %s %s %s", context_name(SSL_get_SSL_CTX(ssl)), side->name, session_name(session));
    depth++;
    react(context, NEW, session);
    depth--;
    if (!context->keeps || !context->held || context->externals == EXTERNAL)
        return 0;
    context->external[context->externals++] = session;
    return 1;
}

static SSL_SESSION *find_external(struct context *context, const unsigned char *id, int length)
{
    if (context->wrong && context->externals > 0)
        return context->external[context->externals - 1];
    for (size_t i = 0; i < context->externals; i++) {
        unsigned own_length;
        const unsigned char *own = SSL_SESSION_get_id(context->external[i], &own_length);
        if (own_length == (unsigned)length && memcmp(own, id, own_length) == 0)
            return context->external[i];
    }
    return NULL;
}

/* The way of a program that keeps its sessions in a file or in shared memory. */
static SSL_SESSION *read_anew(struct context *context, SSL_SESSION *session)
{
    unsigned char *serialised = NULL;
    int length = i2d_SSL_SESSION(session, &serialised);
    const unsigned char *start = serialised;
    SSL_SESSION *anew = d2i_SSL_SESSION(NULL, &start, length);
    OPENSSL_free(serialised);
    name_session(anew, context, true);
    return anew;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    struct side *side = side_of(ssl);
    struct context *context = side->context;
    SSL_SESSION *found = find_external(context, id, length);
    bool fresh = found != NULL && context->fresh;
    if (fresh)
        found = read_anew(context, found);
    say("get_cb %s %s length %d copy %d gives %s", context_name(SSL_get_SSL_CTX(ssl)), side->name,
        length, *copy, session_name(found));
    depth++;
    react(context, GET, found);
    depth--;
    if (found == NULL || context->copies)
        return found;
    *copy = 0;
    if (!fresh)
        SSL_SESSION_up_ref(found);
    return found;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    /* In a flush of 1.1.1 sessions come in any order, so they must not be named by it. */
    if (!sorts_flushes())
        name_session(session, context_of(ctx), true);
    say("remove_cb %s %s resumable %d", context_name(ctx), session_name(session),
        SSL_SESSION_is_resumable(session));
    depth++;
    say("number %ld", SSL_CTX_sess_number(ctx));
    react(context_of(ctx), REMOVE, session);
    depth--;
}

static int on_sni(SSL *ssl, int *alert, void *argument)
{
    (void)argument;
    struct context *context = side_of(ssl)->context;
    if (context->fatal_sni) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (context->sni != NULL && context->sni->held)
        SSL_set_SSL_CTX(ssl, context->sni->ctx);
    return SSL_TLSEXT_ERR_OK;
}

static int on_hello(SSL *ssl, int *alert, void *argument)
{
    (void)alert, (void)argument;
    struct context *context = side_of(ssl)->context;
    if (context->hello != NULL && context->hello->held)
        SSL_set_SSL_CTX(ssl, context->hello->ctx);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int accept_peer(int verified, X509_STORE_CTX *store)
{
    (void)verified, (void)store;
    return 1;
}

static int refuse_peer(int verified, X509_STORE_CTX *store)
{
    (void)verified, (void)store;
    return 0;
}

static int fixed_id(SSL *ssl, unsigned char *id, unsigned *length)
{
    memset(id, 7, *length);
    say("id %s length %u known %d", side_of(ssl)->name, *length,
        SSL_has_matching_session_id(ssl, id, *length));
    return 1;
}

/* The way of the manual page: try until one is free. */
static int next_id(SSL *ssl, unsigned char *id, unsigned *length)
{
    struct context *context = side_of(ssl)->context;
    context->next_id = 0;
    do {
        memset(id, 0, *length);
        id[0] = (unsigned char)++context->next_id;
    } while (SSL_has_matching_session_id(ssl, id, *length) && context->next_id < 255);
    say("id %s next %u", side_of(ssl)->name, context->next_id);
    return 1;
}

/* ---- operands ---- */

static char *words[24];
static int word_count;

static const char *word(int position)
{
    return position < word_count ? words[position] : "";
}

static bool has_word(const char *wanted)
{
    for (int i = 1; i < word_count; i++)
        if (strcmp(words[i], wanted) == 0)
            return true;
    return false;
}

static const char *option(const char *name)
{
    size_t length = strlen(name);
    for (int i = 1; i < word_count; i++)
        if (strncmp(words[i], name, length) == 0 && words[i][length] == '=')
            return words[i] + length + 1;
    return "";
}

static int slot(const char *operand, char kind, int limit)
{
    if (operand[0] != kind || operand[1] < '0' || operand[1] > '9')
        return -1;
    int number = atoi(operand + 1);
    return number < limit ? number : -1;
}

static struct context *context_operand(const char *operand)
{
    int number = slot(operand, 'c', CONTEXTS);
    return number >= 0 ? held[number] : NULL;
}

static struct connection *connection_operand(const char *operand)
{
    int number = slot(operand, 'p', CONNECTIONS);
    if (number < 0 || connections[number].server.ssl == NULL)
        return NULL;
    return &connections[number];
}

static SSL_SESSION *session_operand(const char *operand)
{
    if (strcmp(operand, "@") == 0)
        return callback_session;
    int number = slot(operand, 's', SLOTS);
    if (number >= 0)
        return slots[number];
    struct connection *connection = connection_operand(operand);
    if (connection == NULL)
        return NULL;
    struct side *side = strstr(operand, ".client") ? &connection->client : &connection->server;
    /* The id of a session may still change until the handshake is done. */
    return side->done ? SSL_get_session(side->ssl) : NULL;
}

static unsigned hex_id(const char *text, unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH])
{
    unsigned length = 0;
    for (; length < SSL_MAX_SSL_SESSION_ID_LENGTH &&
           sscanf(text + 2 * length, "%2hhx", &id[length]) == 1;
         length++)
        ;
    return length;
}

/* ---- operations on contexts ---- */

static EVP_PKEY *key;
static X509 *certificate;

static SSL_CTX *new_ctx(const char *kind)
{
    bool datagram = strcmp(kind, "dtls") == 0;
    SSL_CTX *ctx = SSL_CTX_new(datagram ? DTLS_method() : TLS_method());
    SSL_CTX_use_certificate(ctx, certificate);
    SSL_CTX_use_PrivateKey(ctx, key);
    SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
    if (strcmp(kind, "tls12") == 0)
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (strcmp(kind, "tls13") == 0)
        SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    if (datagram)
        SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_sni);
    return ctx;
}

static void forget_external(struct context *context)
{
    while (context->externals > 0)
        SSL_SESSION_free(context->external[--context->externals]);
}

static void free_context(int number)
{
    struct context *context = held[number];
    if (context == NULL)
        return;
    held[number] = NULL;
    context->held = false;
    forget_external(context);
    innermost = FREEING;
    flushed = true;
    SSL_CTX_free(context->ctx);
}

static void op_context(void)
{
    int number = slot(word(1), 'c', CONTEXTS);
    if (number < 0)
        return;
    free_context(number);
    struct context *context = calloc(1, sizeof(*context));
    if (generation[number]++ == 0)
        snprintf(context->name, sizeof(context->name), "c%d", number);
    else
        snprintf(context->name, sizeof(context->name), "c%d.%d", number, generation[number]);
    context->ctx = new_ctx(word(2));
    context->held = true;
    context->next = contexts;
    contexts = held[number] = context;
    SSL_CTX_set_ex_data(context->ctx, context_index, context);
}

static void op_free(struct context *context)
{
    (void)context;
    free_context(slot(word(1), 'c', CONTEXTS));
}

static void op_mode(struct context *context)
{
    say("was %lx", SSL_CTX_set_session_cache_mode(context->ctx, strtol(word(2), NULL, 16)));
}

static void op_size(struct context *context)
{
    say("was %ld", SSL_CTX_sess_set_cache_size(context->ctx, atol(word(2))));
}

static void op_lifetime(struct context *context)
{
    say("was %ld", SSL_CTX_set_timeout(context->ctx, atol(word(2))));
}

static void op_callbacks(struct context *context)
{
    const char *kept = option("new"), *got = option("get");
    context->keeps = strcmp(kept, "keep") == 0;
    context->copies = strcmp(got, "copy") == 0;
    context->fresh = strcmp(got, "fresh") == 0;
    context->wrong = strcmp(got, "wrong") == 0;
    SSL_CTX_sess_set_new_cb(context->ctx, strcmp(kept, "off") == 0 ? NULL : on_new);
    SSL_CTX_sess_set_get_cb(context->ctx, strcmp(got, "off") == 0 ? NULL : on_get);
    SSL_CTX_sess_set_remove_cb(context->ctx,
                               strcmp(option("remove"), "off") == 0 ? NULL : on_remove);
}

static const char *callback_state(bool none, bool own)
{
    return none ? "off" : own ? "on" : "foreign";
}

static void op_getters(struct context *context)
{
    SSL_CTX *ctx = context->ctx;
    say("mode %lx size %ld lifetime %ld", SSL_CTX_get_session_cache_mode(ctx),
        SSL_CTX_sess_get_cache_size(ctx), SSL_CTX_get_timeout(ctx));
    say("new %s get %s remove %s",
        callback_state(SSL_CTX_sess_get_new_cb(ctx) == NULL,
                       SSL_CTX_sess_get_new_cb(ctx) == on_new),
        callback_state(SSL_CTX_sess_get_get_cb(ctx) == NULL,
                       SSL_CTX_sess_get_get_cb(ctx) == on_get),
        callback_state(SSL_CTX_sess_get_remove_cb(ctx) == NULL,
                       SSL_CTX_sess_get_remove_cb(ctx) == on_remove));
}

static void op_react(struct context *context)
{
    for (int callback = NEW; callback <= REMOVE; callback++) {
        if (strcmp(word(2), callback_names[callback]) != 0)
            continue;
        char *line = context->reaction[callback];
        line[0] = '\0';
        for (int i = 3; i < word_count; i++)
            sprintf(line + strlen(line), "%s%s", i > 3 ? " " : "", words[i]);
    }
}

static void op_options(struct context *context)
{
    unsigned long options = 0;
    if (strstr(word(2), "no_ticket"))
        options |= SSL_OP_NO_TICKET;
    if (strstr(word(2), "no_anti_replay"))
        options |= SSL_OP_NO_ANTI_REPLAY;
    SSL_CTX_clear_options(context->ctx, SSL_OP_NO_TICKET | SSL_OP_NO_ANTI_REPLAY);
    SSL_CTX_set_options(context->ctx, options);
}

static void op_early(struct context *context)
{
    SSL_CTX_set_max_early_data(context->ctx, atoi(word(2)));
}

static void op_tickets(struct context *context)
{
    SSL_CTX_set_num_tickets(context->ctx, atoi(word(2)));
}

static void op_sid(struct context *context)
{
    SSL_CTX_set_session_id_context(context->ctx, (const unsigned char *)word(2), strlen(word(2)));
}

static void op_verify(struct context *context)
{
    if (strcmp(word(2), "none") == 0)
        SSL_CTX_set_verify(context->ctx, SSL_VERIFY_NONE, NULL);
    else
        SSL_CTX_set_verify(context->ctx, SSL_VERIFY_PEER,
                           strcmp(word(2), "accept") == 0 ? accept_peer : refuse_peer);
}

static void op_sni(struct context *context)
{
    context->fatal_sni = strcmp(word(2), "fatal") == 0;
    context->sni = context_operand(word(2));
}

static void op_hello(struct context *context)
{
    context->hello = context_operand(word(2));
    SSL_CTX_set_client_hello_cb(context->ctx, on_hello, NULL);
}

static void op_dare(struct context *context)
{
    context->dares = true;
}

static SSL_TICKET_RETURN ticket_verdict = SSL_TICKET_RETURN_USE;

static int on_ticket_made(SSL *ssl, void *argument)
{
    (void)ssl, (void)argument;
    return 1;
}

static SSL_TICKET_RETURN on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                   size_t length, SSL_TICKET_STATUS status, void *argument)
{
    (void)session, (void)name, (void)length, (void)argument;
    say("ticket %s status %d", side_of(ssl)->name, status);
    return status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW
               ? ticket_verdict
               : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static void op_ticketcb(struct context *context)
{
    ticket_verdict = SSL_TICKET_RETURN_USE;
    if (strcmp(word(2), "ignore") == 0)
        ticket_verdict = SSL_TICKET_RETURN_IGNORE;
    if (strcmp(word(2), "renew") == 0)
        ticket_verdict = SSL_TICKET_RETURN_USE_RENEW;
    bool none = strcmp(word(2), "none") == 0;
    SSL_CTX_set_session_ticket_cb(context->ctx, on_ticket_made, none ? NULL : on_ticket, NULL);
}

static void op_idgen(struct context *context)
{
    GEN_SESSION_CB generator = NULL;
    if (strcmp(word(2), "fixed") == 0)
        generator = fixed_id;
    if (strcmp(word(2), "next") == 0)
        generator = next_id;
    SSL_CTX_set_generate_session_id(context->ctx, generator);
}

static void op_stats(struct context *context)
{
    SSL_CTX *ctx = context->ctx;
    say("number %ld accept %ld/%ld/%ld connect %ld/%ld/%ld hits %ld cb %ld misses %ld timeouts %ld "
        "full %ld",
        SSL_CTX_sess_number(ctx), SSL_CTX_sess_accept(ctx), SSL_CTX_sess_accept_good(ctx),
        SSL_CTX_sess_accept_renegotiate(ctx), SSL_CTX_sess_connect(ctx),
        SSL_CTX_sess_connect_good(ctx), SSL_CTX_sess_connect_renegotiate(ctx),
        SSL_CTX_sess_hits(ctx), SSL_CTX_sess_cb_hits(ctx), SSL_CTX_sess_misses(ctx),
        SSL_CTX_sess_timeouts(ctx), SSL_CTX_sess_cache_full(ctx));
}

static void op_number(struct context *context)
{
    say("number %ld", SSL_CTX_sess_number(context->ctx));
}

struct walk {
    const char *names[1024];
    size_t count, unnamed;
};

static void visit(void *session, void *argument)
{
    struct walk *walk = argument;
    if (known_session(session) == NULL)
        walk->unnamed++;
    else if (walk->count < 1024)
        walk->names[walk->count++] = session_name(session);
}

static void op_walk(struct context *context)
{
    static struct walk walk;
    OPENSSL_LHASH *sessions = (OPENSSL_LHASH *)SSL_CTX_sessions(context->ctx);
    walk.count = walk.unnamed = 0;
    OPENSSL_LH_doall_arg(sessions, visit, &walk);
    qsort(walk.names, walk.count, sizeof(walk.names[0]), compare_lines);
    say("holds %lu, %zu without a name", OPENSSL_LH_num_items(sessions), walk.unnamed);
    for (size_t i = 0; i < walk.count; i++)
        say("  %s", walk.names[i]);
}

static void op_flush(struct context *context)
{
    innermost = FLUSHING;
    flushed = true;
    SSL_CTX_flush_sessions(context->ctx, atol(word(2)));
}

static void op_flushex(struct context *context)
{
    innermost = FLUSHING;
    flushed = true;
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
    SSL_CTX_flush_sessions_ex(context->ctx, atol(word(2)));
#else
    SSL_CTX_flush_sessions(context->ctx, atol(word(2)));
#endif
}

/* ---- operations on sessions ---- */

static void op_session(void)
{
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    int number = slot(word(1), 's', SLOTS);
    struct context *context = context_operand(word(2));
    if (number < 0 || context == NULL) {
        say("nothing");
        return;
    }
    SSL_SESSION *session = SSL_SESSION_new();
    struct session *known = name_session(session, context, false);
    SSL_SESSION_set_protocol_version(session, atoi(word(3)));
    SSL_SESSION_set1_id(session, id, hex_id(word(4), id));
    SSL_SESSION_set_time(session, atol(word(5)));
    SSL_SESSION_set_timeout(session, atol(word(6)));
    say("is %s", known->name);
    put(number, session);
}

static void op_copy(SSL_SESSION *session)
{
    int number = slot(word(1), 's', SLOTS);
    if (number < 0)
        return;
    struct session *known = known_session(session);
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    name_session(copy, known->context, known->shaken);
    say("is %s of %s", session_name(copy), known->name);
    put(number, copy);
}

static void op_take(SSL_SESSION *session)
{
    int number = slot(word(1), 's', SLOTS);
    if (number < 0)
        return;
    SSL_SESSION_up_ref(session);
    say("is %s", session_name(session));
    put(number, session);
}

static void op_drop(void)
{
    int number = slot(word(1), 's', SLOTS);
    if (number >= 0)
        put(number, NULL);
}

static void op_show(SSL_SESSION *session)
{
    unsigned length;
    SSL_SESSION_get_id(session, &length);
    say("%s version %d id length %u time %ld timeout %ld resumable %d ticket %d",
        session_name(session), SSL_SESSION_get_protocol_version(session), length,
        SSL_SESSION_get_time(session), SSL_SESSION_get_timeout(session),
        SSL_SESSION_is_resumable(session), SSL_SESSION_has_ticket(session));
}

static SSL_CTX *own_ctx(SSL_SESSION *session)
{
    struct session *known = known_session(session);
    if (known == NULL || known->context == NULL || !known->context->held) {
        say("no context");
        return NULL;
    }
    return known->context->ctx;
}

static bool marked(SSL_SESSION *session)
{
    unsigned length;
    SSL_SESSION_get_id(session, &length);
    return length > 0 && !SSL_SESSION_is_resumable(session);
}

/* Since 3.2 this changes the expiry of a session and leaves it in its old place. */
static bool renews(SSL_CTX *ctx, SSL_SESSION *session)
{
    return OPENSSL_VERSION_NUMBER >= 0x30200000L &&
           (SSL_CTX_get_session_cache_mode(ctx) & 0x400 /* SSL_SESS_CACHE_UPDATE_TIME */) != 0 &&
           is_cached(ctx, session);
}

static void op_add(SSL_SESSION *session)
{
    SSL_CTX *ctx = own_ctx(session);
    if (ctx == NULL)
        return;
    if (known_session(session)->shaken && marked(session)) {
        say("not resumable");
        return;
    }
    if (!known_session(session)->context->dares && renews(ctx, session)) {
        say("renews");
        return;
    }
    innermost = ADDING;
    say("added %d", SSL_CTX_add_session(ctx, session));
}

static void op_remove(SSL_SESSION *session)
{
    SSL_CTX *ctx = own_ctx(session);
    if (ctx == NULL)
        return;
    innermost = REMOVING;
    say("removed %d", SSL_CTX_remove_session(ctx, session));
}

static void op_time(SSL_SESSION *session)
{
    say("set %ld", SSL_SESSION_set_time(session, atol(word(2))));
}

static void op_timex(SSL_SESSION *session)
{
#if OPENSSL_VERSION_NUMBER >= 0x30300000L
    say("set %ld", SSL_SESSION_set_time_ex(session, atol(word(2))));
#else
    say("set %ld", SSL_SESSION_set_time(session, atol(word(2))));
#endif
}

static void op_timeout(SSL_SESSION *session)
{
    say("set %ld", SSL_SESSION_set_timeout(session, atol(word(2))));
}

static void op_match(void)
{
    unsigned char buffer[SSL_MAX_SSL_SESSION_ID_LENGTH];
    const unsigned char *id = buffer;
    unsigned length;
    if (word(2)[0] == '=') {
        SSL_SESSION *session = session_operand(word(2) + 1);
        if (session == NULL) {
            say("nothing");
            return;
        }
        id = SSL_SESSION_get_id(session, &length);
    } else {
        length = hex_id(word(2), buffer);
    }
    struct connection *connection = connection_operand(word(1));
    struct context *context = context_operand(word(1));
    if (connection != NULL) {
        say("matches %d", SSL_has_matching_session_id(connection->server.ssl, id, length));
    } else if (context != NULL) {
        SSL *ssl = SSL_new(context->ctx);
        say("matches %d", SSL_has_matching_session_id(ssl, id, length));
        SSL_free(ssl);
    } else {
        say("nothing");
    }
}

/* ---- handshakes ---- */

static void settle(struct side *side, int result)
{
    if (result > 0) {
        side->done = true;
        return;
    }
    int error = SSL_get_error(side->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return;
    side->failed = true;
    int reason = ERR_GET_REASON(ERR_peek_error());
    /* Where libssl's check of a generated id is out of our reach, we let its generator fail: the
     * end is the same, by another name. */
    if (reason == SSL_R_SSL_SESSION_ID_CALLBACK_FAILED)
        reason = SSL_R_SSL_SESSION_ID_CONFLICT;
    say("%s fails, error %d reason %d", side->name, error, reason);
    ERR_clear_error();
}

static void write_early(struct connection *connection)
{
    size_t written;
    struct side *client = &connection->client;
    connection->early_client = false;
    say("early data written %d", SSL_write_early_data(client->ssl, "early", 5, &written));
    ERR_clear_error();
}

static void read_early(struct connection *connection)
{
    char buffer[64];
    size_t length;
    struct side *server = &connection->server;
    for (;;) {
        switch (SSL_read_early_data(server->ssl, buffer, sizeof(buffer), &length)) {
        case SSL_READ_EARLY_DATA_SUCCESS:
            say("early data read %zu", length);
            continue;
        case SSL_READ_EARLY_DATA_FINISH:
            connection->early_server = false;
            return;
        default:
            settle(server, -1);
            return;
        }
    }
}

static void advance(struct connection *connection, struct side *side)
{
    char buffer[256];
    if (side->failed)
        return;
    if (side == &connection->client && connection->early_client)
        write_early(connection);
    if (side == &connection->server && connection->early_server) {
        read_early(connection);
        if (connection->early_server || side->failed)
            return;
    }
    ERR_clear_error();
    if (!side->done) {
        settle(side, SSL_do_handshake(side->ssl));
        return;
    }
    int length = SSL_read(side->ssl, buffer, sizeof(buffer));
    int error = SSL_get_error(side->ssl, length);
    if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL)
        settle(side, length);
    ERR_clear_error();
}

static size_t unread(const struct connection *connection)
{
    return BIO_ctrl_pending(SSL_get_rbio(connection->client.ssl)) +
           BIO_ctrl_pending(SSL_get_rbio(connection->server.ssl));
}

/* Both sides go on for as long as there is something to read; a side that failed reads no more. */
static void pump(struct connection *connection)
{
    size_t before;
    int idle = 0;
    for (int round = 0; round < 30 && idle < 2; round++) {
        before = unread(connection);
        advance(connection, &connection->client);
        advance(connection, &connection->server);
        idle = unread(connection) == before ? idle + 1 : 0;
    }
}

static void connect_bios(struct connection *connection)
{
    BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(to_server, -1);
    BIO_set_mem_eof_return(to_client, -1);
    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL_set_bio(connection->client.ssl, to_client, to_server);
    SSL_set_bio(connection->server.ssl, to_server, to_client);
}

static void open_side(struct side *side, struct context *context)
{
    side->ssl = SSL_new(context->ctx);
    side->context = context;
    side->done = side->failed = false;
    SSL_set_ex_data(side->ssl, connection_index, side);
    SSL_set_mtu(side->ssl, 1400);
}

static void say_sessions(struct connection *connection)
{
    SSL_SESSION *of_client = SSL_get_session(connection->client.ssl);
    SSL_SESSION *of_server = SSL_get_session(connection->server.ssl);
    if (of_client != NULL)
        name_session(of_client, connection->client.context, true);
    if (of_server != NULL)
        name_session(of_server, connection->server.context, true);
    say("sessions %s %s", session_name(of_client), session_name(of_server));
}

static void say_handshake(struct connection *connection)
{
    SSL *client = connection->client.ssl, *server = connection->server.ssl;
    say("client %d server %d version %s context %s", connection->client.done,
        connection->server.done, SSL_get_version(server), context_name(SSL_get_SSL_CTX(server)));
    say("reused %d %d early %d %d verify %ld", SSL_session_reused(client),
        SSL_session_reused(server), SSL_get_early_data_status(client),
        SSL_get_early_data_status(server), SSL_get_verify_result(server));
    say_sessions(connection);
}

/* A connection that fails marks its session, also where it is cached in a context of others. */
static bool may_offer(const struct side *client, SSL_SESSION *session)
{
    if (session == NULL || !known_session(session)->shaken)
        return false;
    struct context *own = known_session(session)->context;
    return own == client->context || own->ctx == NULL || !is_cached(own->ctx, session);
}

static void offer(const struct side *client, const char *operand)
{
    SSL_SESSION *session = session_operand(operand);
    if (may_offer(client, session))
        say("offers %s: %d", session_name(session), SSL_set_session(client->ssl, session));
}

/*
 * Newer versions lose the age of a ticket where its random addition overflows 32 bits, and then refuse
 * early data: once in some thousand handshakes with an old ticket.
 */
static bool is_aged(const SSL *client)
{
    const SSL_SESSION *session = SSL_get_session(client);
    return session != NULL && SSL_SESSION_get_time(session) != now;
}

static void close_side(struct side *side)
{
    for (struct context *each = contexts; each != NULL; each = each->next)
        flushed |= !each->held; /* it may go with the SSL */
    SSL_free(side->ssl);
    side->ssl = NULL;
}

static void finish(struct connection *connection, const char *how)
{
    if (connection->server.ssl == NULL)
        return;
    innermost = SHAKING;
    if (strcmp(how, "quiet") == 0) {
        SSL_set_shutdown(connection->server.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_set_shutdown(connection->client.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    } else if (strcmp(how, "shutdown") == 0) {
        int server = SSL_shutdown(connection->server.ssl);
        int client = SSL_shutdown(connection->client.ssl);
        say("shutdown %d %d", server, client);
        ERR_clear_error();
    } else if (strcmp(how, "badclient") == 0) {
        SSL_set_shutdown(connection->server.ssl, SSL_SENT_SHUTDOWN);
    }
    close_side(&connection->server);
    close_side(&connection->client);
}

static bool open_connection(struct connection *connection, const char *client, const char *server)
{
    struct context *of_client = context_operand(client), *of_server = context_operand(server);
    if (of_client == NULL || of_server == NULL) {
        say("nothing");
        return false;
    }
    finish(connection, "quiet");
    innermost = SHAKING;
    open_side(&connection->client, of_client);
    open_side(&connection->server, of_server);
    return true;
}

static void op_connect(void)
{
    int number = slot(word(1), 'p', CONNECTIONS);
    if (number < 0)
        return;
    struct connection *connection = &connections[number];
    if (!open_connection(connection, word(2), word(3)))
        return;
    SSL *client = connection->client.ssl;
    snprintf(connection->client.name, sizeof(connection->client.name), "p%d.client", number);
    snprintf(connection->server.name, sizeof(connection->server.name), "p%d.server", number);
    offer(&connection->client, option("resume"));
    struct context *other = context_operand(option("switch"));
    if (other != NULL)
        SSL_set_SSL_CTX(connection->server.ssl, other->ctx);
    if (has_word("dup")) {
        SSL *copy = SSL_dup(connection->server.ssl);
        SSL_free(connection->server.ssl);
        connection->server.ssl = copy;
        connection->server.context = context_of(SSL_get_SSL_CTX(copy));
    }
    if (has_word("fixed"))
        SSL_set_generate_session_id(connection->server.ssl, fixed_id);
    SSL_set_tlsext_host_name(client, "name.example");
    connection->early_client = connection->early_server = has_word("early") && !is_aged(client);
    connect_bios(connection);
    SSL_set_connect_state(client);
    SSL_set_accept_state(connection->server.ssl);
    pump(connection);
    say_handshake(connection);
}

static void op_again(struct connection *connection)
{
    innermost = SHAKING;
    say("cleared %d %d", SSL_clear(connection->server.ssl), SSL_clear(connection->client.ssl));
    connect_bios(connection);
    connection->client.done = connection->server.done = false;
    connection->client.failed = connection->server.failed = false;
    connection->early_client = connection->early_server = false;
    pump(connection);
    say_handshake(connection);
}

static void op_renegotiate(struct connection *connection)
{
    innermost = SHAKING;
    struct side *server = &connection->server;
    if (!server->done || server->failed || !connection->client.done || connection->client.failed) {
        say("nothing");
        return;
    }
    int asked = SSL_renegotiate(server->ssl);
    say("asked %d", asked);
    say_errors();
    if (asked != 1)
        return;
    server->done = false;
    pump(connection);
    say_handshake(connection);
}

/* A record that cannot be decrypted, or no record at all: the reader ends the connection with a
 * fatal alert. */
static void op_garbage(struct connection *connection)
{
    static const unsigned char garbage[37] = {23, 3, 3, 0, 32};
    innermost = SHAKING;
    struct side *side = strcmp(word(2), "client") == 0 ? &connection->client : &connection->server;
    BIO_write(SSL_get_rbio(side->ssl), garbage, sizeof(garbage));
    pump(connection);
    say_sessions(connection);
}

static void op_finish(struct connection *connection)
{
    finish(connection, word(2));
}

static void op_many(void)
{
    struct connection *connection = &connections[CONNECTIONS];
    int reused = 0, count = atoi(word(1)), done = 0;
    flushed = true; /* automatically */
    for (int i = 0; i < count && open_connection(connection, word(2), word(3)); i++) {
        strcpy(connection->client.name, "many.client");
        strcpy(connection->server.name, "many.server");
        SSL_SESSION *session = session_operand(option("resume"));
        if (may_offer(&connection->client, session))
            SSL_set_session(connection->client.ssl, session);
        SSL_set_tlsext_host_name(connection->client.ssl, "name.example");
        connect_bios(connection);
        SSL_set_connect_state(connection->client.ssl);
        SSL_set_accept_state(connection->server.ssl);
        pump(connection);
        done += connection->server.done;
        reused += SSL_session_reused(connection->server.ssl);
        finish(connection, "quiet");
    }
    say("done %d reused %d", done, reused);
}

static void op_clock(void)
{
    now += atol(word(1));
}

/* ---- the script ---- */

static const struct operation {
    const char *name;
    bool in_callbacks;
    void (*plain)(void);
    void (*on_context)(struct context *);
    void (*on_session)(SSL_SESSION *);
    void (*on_connection)(struct connection *);
} operations[] = {
    {"context", false, op_context, NULL, NULL, NULL},
    {"free", false, NULL, op_free, NULL, NULL},
    {"mode", true, NULL, op_mode, NULL, NULL},
    {"size", true, NULL, op_size, NULL, NULL},
    {"lifetime", true, NULL, op_lifetime, NULL, NULL},
    {"getters", true, NULL, op_getters, NULL, NULL},
    {"stats", true, NULL, op_stats, NULL, NULL},
    {"walk", true, NULL, op_walk, NULL, NULL},
    {"number", true, NULL, op_number, NULL, NULL},
    {"callbacks", false, NULL, op_callbacks, NULL, NULL},
    {"react", false, NULL, op_react, NULL, NULL},
    {"options", false, NULL, op_options, NULL, NULL},
    {"early", false, NULL, op_early, NULL, NULL},
    {"tickets", false, NULL, op_tickets, NULL, NULL},
    {"sid", false, NULL, op_sid, NULL, NULL},
    {"verify", false, NULL, op_verify, NULL, NULL},
    {"sni", false, NULL, op_sni, NULL, NULL},
    {"hello", false, NULL, op_hello, NULL, NULL},
    {"idgen", false, NULL, op_idgen, NULL, NULL},
    {"ticketcb", false, NULL, op_ticketcb, NULL, NULL},
    {"dare", false, NULL, op_dare, NULL, NULL},
    {"session", false, op_session, NULL, NULL, NULL},
    {"copy", false, NULL, NULL, op_copy, NULL},
    {"take", false, NULL, NULL, op_take, NULL},
    {"drop", false, op_drop, NULL, NULL, NULL},
    {"show", true, NULL, NULL, op_show, NULL},
    {"add", true, NULL, NULL, op_add, NULL},
    {"remove", true, NULL, NULL, op_remove, NULL},
    {"flush", true, NULL, op_flush, NULL, NULL},
    {"flushex", true, NULL, op_flushex, NULL, NULL},
    {"time", true, NULL, NULL, op_time, NULL},
    {"timex", true, NULL, NULL, op_timex, NULL},
    {"timeout", true, NULL, NULL, op_timeout, NULL},
    {"match", true, op_match, NULL, NULL, NULL},
    {"connect", false, op_connect, NULL, NULL, NULL},
    {"again", false, NULL, NULL, NULL, op_again},
    {"renegotiate", false, NULL, NULL, NULL, op_renegotiate},
    {"garbage", false, NULL, NULL, NULL, op_garbage},
    {"finish", false, NULL, NULL, NULL, op_finish},
    {"many", false, op_many, NULL, NULL, NULL},
    {"clock", false, op_clock, NULL, NULL, NULL},
};

static const struct operation *find_operation(const char *name)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}

static void run_operation(const struct operation *operation)
{
    /* The new slot comes first where an operation has one. */
    bool slot_first = strcmp(operation->name, "take") == 0 || strcmp(operation->name, "copy") == 0;
    const char *operand = word(slot_first ? 2 : 1);
    struct context *context = context_operand(operand);
    SSL_SESSION *session = session_operand(operand);
    struct connection *connection = connection_operand(operand);
    if (operation->plain != NULL)
        operation->plain();
    else if (operation->on_context != NULL && context != NULL)
        operation->on_context(context);
    else if (operation->on_session != NULL && session != NULL && known_session(session) != NULL)
        operation->on_session(session);
    else if (operation->on_connection != NULL && connection != NULL)
        operation->on_connection(connection);
    else
        say("nothing");
}

static void run_line(char *line)
{
    char *outer_words[24];
    int outer_count = word_count;
    enum call outer_call = innermost;
    memcpy(outer_words, words, sizeof(words));

    word_count = 0;
    say("> %s", line);
    for (char *each = strtok(line, " \n"); each != NULL && word_count < 24;
         each = strtok(NULL, " \n"))
        words[word_count++] = each;
    const struct operation *operation = find_operation(word(0));
    if (operation == NULL || (depth > 0 && !operation->in_callbacks)) {
        say("unknown");
    } else {
        depth++;
        run_operation(operation);
        depth--;
        if (depth == 0)
            say_errors();
    }
    memcpy(words, outer_words, sizeof(words));
    word_count = outer_count;
    innermost = outer_call;
}

/* Sessions outlive contexts and connections where references are forgotten: "left" says how many.
 */
static void end_script(void)
{
    say("> end");
    depth++;
    for (int i = 0; i < CONNECTIONS; i++)
        finish(&connections[i], "quiet");
    for (int i = 0; i < SLOTS; i++)
        put(i, NULL);
    for (int i = 0; i < CONTEXTS; i++)
        free_context(i);
    depth--;
    int contexts_left = 0;
    for (struct context *next; contexts != NULL; contexts = next) {
        next = contexts->next;
        contexts_left += contexts->ctx != NULL;
        free(contexts);
    }
    say("left %d sessions, %d contexts", sessions_left, contexts_left);
    say_errors();
    memset(generation, 0, sizeof(generation));
    sessions_named = sessions_left = 0;
    innermost = NOTHING;
    now = epoch;
}

static void make_certificate(void)
{
    EVP_PKEY_CTX *generation_ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY_keygen_init(generation_ctx);
    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generation_ctx, NID_X9_62_prime256v1);
    EVP_PKEY_keygen(generation_ctx, &key);
    EVP_PKEY_CTX_free(generation_ctx);
    certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"name.example", -1,
                               -1, 0);
    X509_set_subject_name(certificate, name);
    X509_set_issuer_name(certificate, name);
    X509_NAME_free(name);
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 315360000);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
}

int main(void)
{
    char line[LINE];
    now = epoch;
    make_certificate();
    context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, context_gone);
    session_index = SSL_SESSION_get_ex_new_index(0, NULL, NULL, session_copied, session_freed);
    connection_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "end") == 0) {
            end_script();
            print_output();
            puts("--");
            fflush(stdout);
            continue;
        }
        if (line[0] == '\0' || line[0] == '#')
            continue;
        run_line(line);
        print_output();
    }
    return 0;
}
