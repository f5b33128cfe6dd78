#define _GNU_SOURCE
#include "cshim/share/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cshim/process/cancel.h"
#include "cshim/process/error.h"
#include "cshim/process/futex.h"
#include "cshim/process/golibrary.h"
#include "cshim/process/say.h"
#include "cshim/settings/config.h"
#include "cshim/share/password.h"
#include "cshim/share/requests.h"
#include "cshim/takeover/connection.h"

enum store_state {
    STORE_UNKNOWN, /* nobody has looked for the keys yet */
    STORE_OFF,     /* for good */
    STORE_ON,      /* there are keys, and a library */
};

static _Atomic enum store_state state = STORE_UNKNOWN;

static bool store_is_wanted(void)
{
    return config.settings.store[0] != '\0';
}

static bool is_on(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) == STORE_ON;
}

/* ---- what there is to say ---- */

/* The store's thread has not the program's standard error: it notes what is to be said, and a thread of the program says it. */
enum message { STAYS_OFF, KEYS_UNUSABLE, KEYS_KEPT, MESSAGES };

enum { UNUSED, WRITING, NOTED, SAID };

static struct {
    atomic_uint state;
    char text[512];
} messages[MESSAGES];

static atomic_bool have_noted;

/* Each is said once. */
static void __attribute__((format(printf, 2, 3)))
note(enum message message, const char *format, ...)
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
    for (int i = 0; i < MESSAGES; i++) {
        unsigned noted = NOTED;
        atomic_flag said = ATOMIC_FLAG_INIT;
        if (atomic_compare_exchange_strong(&messages[i].state, &noted, SAID))
            say_once(&said, "%s", messages[i].text);
    }
}

__attribute__((destructor)) static void say_the_rest(void)
{
    say_noted();
}

/* Whether a handshake has something to ask for. */
static bool is_open(void)
{
    bool is_so = is_on();
    if (!is_so)
        say_noted();
    return is_so;
}

static void note_off(const char *reason)
{
    note(STAYS_OFF, "the store stays off: %s", reason);
}

/* ---- the keys ---- */

enum { KEYS_MAX = 16384 };

/* The content of the key file. It does not change until it is wiped, and is never unmapped: threads read it without a lock. */
struct keys {
    struct stat file; /* that it is of */
    struct keys *older;
    uint32_t length;
    unsigned char text[KEYS_MAX];
};

static _Atomic(struct keys *) newest_keys;

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_dev == other->st_dev &&
           one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

/* Why a file of that kind is no key file, or NULL. */
static const char *fault_of(const struct stat *file)
{
    if (!S_ISREG(file->st_mode))
        return "it is not a regular file";
    if (file->st_uid != geteuid())
        return "it belongs to another user";
    if ((file->st_mode & 077) != 0)
        return "others than its owner may use it (chmod 600)";
    if (file->st_size > KEYS_MAX)
        return "it is too large";
    return NULL;
}

/* Never in a core dump, never on a disk where that can be had. */
static struct keys *new_keys(void)
{
    void *keys =
        mmap(NULL, sizeof(struct keys), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (keys == MAP_FAILED)
        return NULL;
    madvise(keys, sizeof(struct keys), MADV_DONTDUMP);
    mlock(keys, sizeof(struct keys));
    return keys;
}

static void wipe_keys(struct keys *keys)
{
    explicit_bzero(keys->text, keys->length);
    munlock(keys, sizeof(*keys));
}

/* Why the file can't be read, or NULL. */
static const char *read_keys(int file, const struct stat *now, struct keys *before)
{
    const char *fault = fault_of(now);
    if (fault != NULL)
        return fault;
    struct keys *keys = new_keys();
    if (keys == NULL)
        return "there is no memory for it";
    ssize_t got;
    while (keys->length < KEYS_MAX &&
           (got = read(file, keys->text + keys->length, KEYS_MAX - keys->length)) > 0)
        keys->length += (uint32_t)got;
    keys->file = *now;
    keys->older = before;
    if (!atomic_compare_exchange_strong(&newest_keys, &before, keys)) {
        wipe_keys(keys); /* another thread was faster */
        munmap(keys, sizeof(*keys));
    }
    return NULL;
}

static const char *look_at_file(struct keys *before)
{
    struct stat now;
    const char *fault = NULL;
    int file = open(config.settings.store_key, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    /* A worker that has given up its user or its root keeps what it has, without a word. */
    if (file < 0 && before != NULL && (errno == EACCES || errno == ENOENT))
        return NULL;
    if (file < 0)
        return error_name(errno);
    if (fstat(file, &now) != 0)
        fault = error_name(errno);
    else if (before == NULL || !is_same_file(&now, &before->file))
        fault = read_keys(file, &now, before);
    close(file);
    return fault;
}

/* Why the keys can't be had, or NULL. Keys that are there stay where it fails. The thread can't be cancelled here: a file is open. */
static const char *look_at_keys(void)
{
    int before_us = cancel_forbid();
    struct keys *before = atomic_load(&newest_keys);
    const char *fault = look_at_file(before);
    if (fault != NULL && before != NULL)
        note(KEYS_KEPT, "the new keys in %s can't be used: %s; those from before stay",
             config.settings.store_key, fault);
    cancel_allow(before_us);
    return fault;
}

/* ---- the store, on its own thread ---- */

static struct keys *given; /* to Go */
static bool go_has_keys;

static const struct store_functions *open_store(void (*answered)(struct store_request *request))
{
    static struct store_settings settings;
    const char *reason;
    char problem[256];
    const struct go_library *library = golibrary_start(&reason);
    if (library == NULL) {
        note_off(reason);
        return NULL;
    }
    settings = (struct store_settings){
        .address = config.settings.store,
        .password = password_text(),
        .application = config.settings.app[0] != '\0' ? config.settings.app : config.program,
        .timeout = config.settings.store_timeout,
        .answered = answered,
    };
    given = NULL;
    go_has_keys = false;
    if (library->store.store_open(&settings, problem, sizeof(problem)) != 0)
        return &library->store;
    note_off(problem);
    atomic_store(&state, STORE_OFF);
    return NULL;
}

/* Gives Go the newest keys that it has not seen; in a forked child, whose Go has none yet, older ones where they are no keys. */
static void give_keys(const struct store_functions *store)
{
    char problem[256];
    struct keys *newest = atomic_load(&newest_keys), *keys = newest;
    for (; keys != given; keys = keys->older) {
        if (store->store_keys(keys->text, keys->length, problem, sizeof(problem)) != 0) {
            go_has_keys = true;
            break;
        }
        note(KEYS_UNUSABLE, "the keys in %s can't be used: %s; %s", config.settings.store_key,
             problem, go_has_keys ? "those from before stay" : "the store stays off");
        if (go_has_keys)
            break;
    }
    given = newest;
}

static bool look(const struct store_functions *store)
{
    static int64_t next_look;
    const int64_t every = 1000000000;
    int64_t now = futex_now();
    if (given != NULL && now < next_look)
        return true;
    next_look = now + every;
    look_at_keys();
    give_keys(store);
    if (!go_has_keys)
        atomic_store(&state, STORE_OFF);
    return go_has_keys;
}

static const struct requests_user user = {open_store, look, note_off};

/* Reports whether there is all that a store needs. */
static bool find_all(void)
{
    if (config.settings.store_key[0] == '\0') {
        note_off("SSLCACHE_STORE needs a key, and SSLCACHE_STORE_KEY names no file of one");
        return false;
    }
    const char *fault = look_at_keys();
    if (fault != NULL) {
        note(STAYS_OFF, "the store stays off: the keys in %s can't be used: %s",
             config.settings.store_key, fault);
        return false;
    }
    fault = password_read();
    if (fault != NULL) {
        note(STAYS_OFF, "the store stays off: the password in %s can't be used: %s",
             config.settings.store_password_file, fault);
        return false;
    }
    fault = golibrary_load();
    if (fault != NULL)
        note_off(fault);
    return fault == NULL;
}

void store_prepare(void)
{
    if (!store_is_wanted() || atomic_load(&state) == STORE_OFF)
        return;
    int saved_errno = errno;
    if (is_on())
        look_at_keys();
    else {
        requests_prepare(&user);
        atomic_store_explicit(&state, find_all() ? STORE_ON : STORE_OFF, memory_order_release);
    }
    say_noted();
    errno = saved_errno;
}

bool store_describe(char *json, size_t size)
{
    struct store_stats stats;
    struct requests_waits waits;
    if (!is_on() || !requests_stats(&stats, &waits))
        return false;
#define X(name) "\"" #name "\":%" PRIu64 ","
    static const char format[] =
        "\"store\":{" STORE_COUNTERS(X) "\"breaker\":\"%s\",\"waited\":%.6f,"
                                        "\"slowest\":%.6f,\"failure\":\"%s\"}";
#undef X
#define X(name) stats.name,
    int length = snprintf(json, size, format, STORE_COUNTERS(X) stats.open ? "open" : "closed",
                          (double)waits.together / 1e9, (double)waits.slowest / 1e9, stats.failure);
#undef X
    return length > 0 && (size_t)length < size;
}

/* ---- where a session belongs ---- */

void store_set_context_of(struct context *context, const unsigned char *id_context,
                          unsigned int length)
{
    if (!store_is_wanted() || context == NULL || length > sizeof(context->session_context.bytes))
        return;
    contexts_lock();
    memcpy(context->session_context.bytes, id_context, length);
    context->session_context.length = length;
    contexts_unlock();
}

void store_set_connection_of(SSL *ssl, const unsigned char *id_context, unsigned int length)
{
    if (!store_is_wanted() || !libssl_ready() || !libssl.complete ||
        length > sizeof(((struct session_context *)0)->bytes))
        return;
    struct connection *connection = connection_make(ssl);
    if (connection == NULL)
        return;
    memcpy(connection->session_context.bytes, id_context, length);
    connection->session_context.length = length;
}

/*
 * The session id context of a connection. libssl copies that of the SSL_CTX when the SSL is made, and
 * that of another one in SSL_set_SSL_CTX.
 */
static struct session_context context_of_ssl(const SSL *ssl)
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
    static atomic_flag said = ATOMIC_FLAG_INIT;
    say_once(&said, "sessions without a session id context are not shared: the program sets none "
                    "(SSL_CTX_set_session_id_context)");
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

static bool put(const struct requests_session *known, SSL_SESSION *session, bool single_use)
{
    int length = libssl.i2d_SSL_SESSION(session, NULL);
    if (length <= 0 || length > STORE_SESSION_MAX)
        return false;
    struct store_request *request = requests_new_put(known, (uint32_t)length);
    if (request == NULL)
        return false;
    unsigned char *end = request->session;
    if (libssl.i2d_SSL_SESSION(session, &end) != length) {
        requests_give_up(request); /* another thread has changed the session */
        return false;
    }
    request->life = life_of(session);
    request->single_use = single_use;
    requests_push(request);
    return true;
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

/* A session does not say whose it is: the mode of its context does. */
bool store_put_added(struct context *context, SSL_SESSION *session)
{
    const long client = SSL_SESS_CACHE_CLIENT, server = SSL_SESS_CACHE_SERVER;
    if (!is_open() || (atomic_load(&context->mode) & (client | server)) != server)
        return false;
    return share(session);
}

/* What the store gave, back to an SSL_SESSION. libssl's error queue is as it was. */
static SSL_SESSION *parse(const unsigned char *serialised, long length)
{
    libssl.ERR_set_mark();
    SSL_SESSION *session = libssl.d2i_SSL_SESSION(NULL, &serialised, length);
    libssl.ERR_pop_to_mark();
    return session;
}

static SSL_SESSION *get(const struct requests_session *known, bool take)
{
    struct store_request *answer = requests_get(known, take, config.settings.store_timeout);
    if (answer == NULL)
        return NULL;
    SSL_SESSION *session = parse(answer->session, (long)answer->length);
    requests_give_up(answer);
    return session;
}

SSL_SESSION *store_find(SSL *ssl, const unsigned char *id, unsigned int length, bool take)
{
    if (!is_open() || length == 0 || length > STORE_ID_MAX)
        return NULL;
    struct session_context of_ssl = context_of_ssl(ssl);
    if (of_ssl.length == 0)
        return NULL;
    struct requests_session known = {.context = of_ssl.bytes,
                                     .context_length = of_ssl.length,
                                     .id = id,
                                     .id_length = length,
                                     .version = connection_version(ssl)};
    int saved_errno = errno;
    SSL_SESSION *session = get(&known, take);
    say_noted();
    errno = saved_errno;
    return session;
}

void store_remove(const SSL_SESSION *session)
{
    /* libssl may hold its lock here. */
    if (!is_on())
        return;
    int saved_errno = errno;
    struct requests_session known = known_by(session);
    if (known.id_length > 0 && known.context_length > 0)
        requests_remove(&known, life_of(session));
    errno = saved_errno;
}

void store_fork_child(void)
{
    requests_fork_child();
    golibrary_fork_child();
}
