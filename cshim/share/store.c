#define _GNU_SOURCE
#include "cshim/share/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cshim/context/connection.h"
#include "cshim/process/say.h"
#include "cshim/settings/config.h"
#include "cshim/share/backend.h"
#include "cshim/share/key_text.h"

enum store_state {
    STORE_UNKNOWN, /* no context was made yet */
    STORE_OFF,     /* for good */
    STORE_ON,
};

static _Atomic enum store_state state = STORE_UNKNOWN;

static const struct store_backend *backend(void)
{
    return memory_is_wanted() ? &memory_backend : &valkey_backend;
}

static bool store_is_wanted(void)
{
    return config.settings.store[0] != '\0';
}

static bool is_on(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) == STORE_ON;
}

void store_turn_off(void)
{
    atomic_store(&state, STORE_OFF);
}

/* ---- what there is to say ---- */

enum { UNUSED, WRITING, NOTED, SAID };

static struct {
    atomic_uint state;
    char text[512];
} messages[STORE_MESSAGES];

static atomic_bool have_noted;

void store_note(enum store_message message, const char *format, ...)
{
    unsigned unused = UNUSED;
    va_list arguments;
    if (!atomic_compare_exchange_strong(&messages[message].state, &unused, WRITING))
        return;
    va_start(arguments, format);
    vsnprintf(messages[message].text, sizeof(messages[message].text), format, arguments);
    va_end(arguments);
    atomic_store(&messages[message].state, NOTED);
    atomic_store(&have_noted, true);
}

static void say_noted(void)
{
    if (!atomic_load_explicit(&have_noted, memory_order_relaxed))
        return;
    atomic_store(&have_noted, false);
    for (int i = 0; i < STORE_MESSAGES; i++) {
        unsigned noted = NOTED;
        atomic_flag was_said = ATOMIC_FLAG_INIT;
        if (atomic_compare_exchange_strong(&messages[i].state, &noted, SAID))
            say_once(&was_said, "%s", messages[i].text);
    }
}

__attribute__((destructor)) static void say_the_rest(void)
{
    say_noted();
}

/* Whether there is a store. If not, what was noted of that is said now. */
static bool is_open(void)
{
    bool is_so = is_on();
    if (!is_so)
        say_noted();
    return is_so;
}

void store_note_off(const char *reason)
{
    store_note(STORE_STAYS_OFF, "the store stays off: %s", reason);
}

bool store_find_keys(void)
{
    if (config.settings.store_key[0] == '\0') {
        store_note_off("SSLCACHE_STORE needs a key, and SSLCACHE_STORE_KEY names no file of one");
        return false;
    }
    const char *fault = key_text_look();
    if (fault != NULL)
        store_note(STORE_STAYS_OFF, "the store stays off: the keys in %s can't be used: %s",
                   config.settings.store_key, fault);
    return fault == NULL;
}

void store_prepare(void)
{
    if (!store_is_wanted() || atomic_load(&state) == STORE_OFF)
        return;
    int saved_errno = errno;
    bool again = is_on(), prepared = backend()->prepare(again);
    if (!again)
        atomic_store_explicit(&state, prepared ? STORE_ON : STORE_OFF, memory_order_release);
    say_noted();
    errno = saved_errno;
}

bool store_describe(char *json, size_t size)
{
    return is_on() && backend()->describe(json, size);
}

/* ---- where a session belongs ---- */

static bool contexts_are_noted(void)
{
    return store_is_wanted() || config.settings.tickets >= TICKETS_SHARED;
}

void store_set_context_of(struct context *context, const unsigned char *id_context,
                          unsigned int length)
{
    if (!contexts_are_noted() || context == NULL || length > sizeof(context->session_context.bytes))
        return;
    contexts_lock();
    if (length > 0) /* with length 0 the program may give NULL */
        memcpy(context->session_context.bytes, id_context, length);
    context->session_context.length = length;
    contexts_unlock();
}

void store_set_connection_of(SSL *ssl, const unsigned char *id_context, unsigned int length)
{
    if (!contexts_are_noted() || !libssl_ready() || !libssl.complete ||
        length > sizeof(((struct session_context *)0)->bytes))
        return;
    struct connection *connection = connection_make(ssl);
    if (connection == NULL)
        return;
    if (length > 0)
        memcpy(connection->session_context.bytes, id_context, length);
    connection->session_context.length = length;
}

/*
 * The session id context of a connection. libssl copies that of the SSL_CTX when the SSL is made, and
 * that of another one in SSL_set_SSL_CTX.
 */
struct session_context store_context_of(const SSL *ssl)
{
    const struct connection *connection = connection_of(ssl);
    if (connection != NULL && connection->session_context.length > 0)
        return connection->session_context;
    struct session_context found = {.length = 0};
    struct context *context = context_attached(libssl.SSL_get_SSL_CTX(ssl));
    if (context == NULL)
        return found;
    contexts_lock();
    found = context->session_context;
    contexts_unlock();
    return found;
}

static struct requests_session known_by(const SSL_SESSION *session)
{
    struct requests_session known = {.version = libssl.SSL_SESSION_get_protocol_version(session)};
    known.context = libssl.SSL_SESSION_get0_id_context(session, &known.context_length);
    known.id = libssl.SSL_SESSION_get_id(session, &known.id_length);
    return known;
}

/* ---- putting, finding, removing ---- */

/* time + timeout, from now on, in seconds. */
static int64_t life_of(const SSL_SESSION *session)
{
    const int64_t most = 366LL * 24 * 3600;
    int64_t life = (int64_t)libssl.SSL_SESSION_get_time(session) - (int64_t)time(NULL) +
                   (int64_t)libssl.SSL_SESSION_get_timeout(session);
    return life < most ? life : most;
}

static void say_no_context(void)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    say_once(&was_said,
             "sessions without a session id context are not shared: the program sets none "
             "(SSL_CTX_set_session_id_context), and no SSLCACHE_SESSION_CONTEXT=NAME does");
}

static bool is_shared(const SSL_SESSION *session, const struct requests_session *known)
{
    if (known->id_length == 0 || !libssl.SSL_SESSION_is_resumable(session) || life_of(session) <= 0)
        return false;
    if (known->context_length > 0)
        return true;
    say_no_context();
    return false;
}

bool store_serialise(SSL_SESSION *session, unsigned char *room, uint32_t length)
{
    return libssl.i2d_SSL_SESSION(session, &room) == (int)length;
}

static bool put(const struct requests_session *known, SSL_SESSION *session, bool single_use)
{
    int length = libssl.i2d_SSL_SESSION(session, NULL);
    return length > 0 && length <= STORE_SESSION_MAX &&
           backend()->put(known, session, (uint32_t)length, life_of(session), single_use);
}

static bool share(SSL_SESSION *session)
{
    struct requests_session known = known_by(session);
    if (!is_shared(session, &known))
        return false;
    int saved_errno = errno;
    bool single_use = libssl.SSL_SESSION_get_max_early_data(session) > 0;
    bool done = put(&known, session, single_use);
    say_noted();
    errno = saved_errno;
    return done && single_use;
}

bool store_put(const SSL *ssl, SSL_SESSION *session)
{
    if (!is_open() || !libssl.SSL_is_server(ssl))
        return false;
    return share(session);
}

/* Whether it is a server's does not stand in a session: the mode of its context tells. */
bool store_put_added(struct context *context, SSL_SESSION *session)
{
    const long client = SSL_SESS_CACHE_CLIENT, server = SSL_SESS_CACHE_SERVER;
    if (!is_open() || (atomic_load(&context->mode) & (client | server)) != server)
        return false;
    return share(session);
}

SSL_SESSION *store_parse(const unsigned char *serialised, uint32_t length)
{
    libssl.ERR_set_mark();
    SSL_SESSION *session = libssl.d2i_SSL_SESSION(NULL, &serialised, (long)length);
    libssl.ERR_pop_to_mark();
    return session;
}

SSL_SESSION *store_find(SSL *ssl, const unsigned char *id, unsigned int length, bool take)
{
    if (!is_open() || length == 0 || length > STORE_ID_MAX)
        return NULL;
    struct session_context of_ssl = store_context_of(ssl);
    if (of_ssl.length == 0)
        return NULL;
    struct requests_session known = {.context = of_ssl.bytes,
                                     .context_length = of_ssl.length,
                                     .id = id,
                                     .id_length = length,
                                     .version = connection_version(ssl)};
    int saved_errno = errno;
    SSL_SESSION *session = backend()->get(&known, take);
    say_noted();
    errno = saved_errno;
    return session;
}

/* False: it is not in the store. */
static bool find_known(struct requests_session *known, const SSL_SESSION *session)
{
    if (!is_on())
        return false;
    *known = known_by(session);
    return known->id_length > 0 && known->context_length > 0;
}

void store_remove(const SSL_SESSION *session)
{
    /* libssl may hold its lock of the context here, so nothing is waited for that needs it. */
    int saved_errno = errno;
    struct requests_session known;
    if (find_known(&known, session))
        backend()->remove(&known, life_of(session));
    errno = saved_errno;
}

bool store_was_removed(const SSL_SESSION *session)
{
    int saved_errno = errno;
    struct requests_session known;
    bool was_removed = is_on() && backend()->was_removed != NULL && find_known(&known, session) &&
                       backend()->was_removed(&known);
    errno = saved_errno;
    return was_removed;
}

void store_fork_child(void)
{
    if (store_is_wanted())
        backend()->fork_child();
}
