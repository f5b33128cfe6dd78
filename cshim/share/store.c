#define _GNU_SOURCE
#include "cshim/share/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cshim/process/say.h"
#include "cshim/settings/config.h"
#include "cshim/takeover/connection.h"

enum { KEYS_MAX = 16384 };

enum store_state {
    STORE_UNKNOWN, /* nobody has looked for the keys yet */
    STORE_OFF,     /* for good */
    STORE_ON,      /* there are keys */
};

static _Atomic enum store_state state = STORE_UNKNOWN;

/* Guards all that follows and is rare. Nothing of ours is called under it but the core. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char *keys; /* content of the key file, on a page that no core dump has */
static uint32_t keys_length;
static struct stat keys_file; /* the file that they are of */
static unsigned keys_read;    /* how often they changed */
static unsigned keys_given;   /* which of them the core was given */
static bool core_has_keys;    /* it could use one of them */
static atomic_long next_look; /* milliseconds: whether the file has changed; read without lock */

/* The store that is open in this process, NULL for none; changed under lock. */
static _Atomic(const struct store_functions *) opened;

static bool store_is_wanted(void)
{
    return config.settings.store[0] != '\0';
}

static bool is_on(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) == STORE_ON;
}

/* ---- the connections of the core, for a forked child to close ---- */

enum { DESCRIPTORS_MAX = 256 };

static atomic_int descriptors[DESCRIPTORS_MAX]; /* descriptor + 1, or 0 */

static void exchange_descriptor(int from, int to)
{
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        int expected = from;
        if (atomic_compare_exchange_strong(&descriptors[i], &expected, to))
            return;
    }
}

static void note_connected(int descriptor)
{
    exchange_descriptor(0, descriptor + 1);
}

static void note_disconnected(int descriptor)
{
    exchange_descriptor(descriptor + 1, 0);
}

static void close_inherited(void)
{
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        int descriptor = atomic_exchange(&descriptors[i], 0) - 1;
        if (descriptor >= 0)
            close(descriptor);
    }
}

/* ---- the keys ---- */

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
static bool make_room(void)
{
    if (keys != NULL)
        return true;
    void *page = mmap(NULL, KEYS_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    madvise(page, KEYS_MAX, MADV_DONTDUMP);
    mlock(page, KEYS_MAX);
    keys = page;
    return true;
}

/* lock is held. Why the file can't be read, or NULL; keys that were read before stay then. */
static const char *read_keys(int file, const struct stat *now)
{
    const char *fault = fault_of(now);
    if (fault != NULL)
        return fault;
    if (!make_room())
        return "there is no memory for it";
    explicit_bzero(keys, KEYS_MAX);
    keys_length = 0;
    ssize_t got;
    while (keys_length < KEYS_MAX &&
           (got = read(file, keys + keys_length, KEYS_MAX - keys_length)) > 0)
        keys_length += (uint32_t)got;
    keys_file = *now;
    keys_read++;
    return NULL;
}

static void say_kept(const char *reason)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    say_once(&said, "the new keys in %s can't be used: %s; those from before stay",
             config.settings.store_key, reason);
}

/* lock is held. Why the keys can't be had, or NULL. Keys that are there stay where it fails. */
static const char *look_at_keys(void)
{
    struct stat now;
    const char *path = config.settings.store_key;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return strerrordesc_np(errno);
    const char *fault = NULL;
    if (fstat(file, &now) != 0)
        fault = strerrordesc_np(errno);
    else if (!is_same_file(&now, &keys_file))
        fault = read_keys(file, &now);
    close(file);
    if (fault != NULL && keys_read > 0)
        say_kept(fault);
    return fault;
}

static long milliseconds(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0)
        return 0;
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say_off(const char *reason)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    say_once(&said, "the store stays off: %s", reason);
}

static void say_off_for_key(const char *reason)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    say_once(&said, "the store stays off: the keys in %s can't be used: %s",
             config.settings.store_key, reason);
}

/* lock is held. */
static enum store_state find_keys(void)
{
    if (config.settings.store_key[0] == '\0') {
        say_off("SSLCACHE_STORE needs a key, and SSLCACHE_STORE_KEY names no file of one");
        return STORE_OFF;
    }
    const char *fault = look_at_keys();
    if (fault != NULL) {
        say_off_for_key(fault);
        return STORE_OFF;
    }
    core_want_store();
    return STORE_ON;
}

void store_prepare(void)
{
    if (!store_is_wanted() || atomic_load(&state) == STORE_OFF)
        return;
    int saved_errno = errno;
    pthread_mutex_lock(&lock);
    if (atomic_load(&state) == STORE_UNKNOWN)
        atomic_store_explicit(&state, find_keys(), memory_order_release);
    else
        look_at_keys();
    pthread_mutex_unlock(&lock);
    errno = saved_errno;
}

/* ---- the core ---- */

static struct core_store_settings core_settings = {.connected = note_connected,
                                                   .disconnected = note_disconnected};

/*
 * Go ends a process in which it can't have the descriptors of its poller, so we look first. Answers
 * whether they can be had; it may be so later.
 */
static bool has_descriptors(void)
{
    enum { NEEDED = 4 };
    int trial[NEEDED], count = 0;
    trial[0] = epoll_create1(EPOLL_CLOEXEC);
    for (count = trial[0] >= 0; count > 0 && count < NEEDED; count++)
        if ((trial[count] = fcntl(trial[0], F_DUPFD_CLOEXEC, 0)) < 0)
            break;
    for (int i = 0; i < count; i++)
        close(trial[i]);
    return count == NEEDED;
}

/* lock is held. */
static bool open_in(const struct store_functions *store)
{
    char problem[256];
    if (!has_descriptors())
        return false;
    core_settings.address = config.settings.store;
    core_settings.application =
        config.settings.app[0] != '\0' ? config.settings.app : config.program;
    core_settings.timeout = config.settings.store_timeout;
    if (store->store_open(&core_settings, problem, sizeof(problem)) == 0) {
        say_off(problem);
        atomic_store(&state, STORE_OFF);
        return false;
    }
    keys_given = 0;
    core_has_keys = false;
    atomic_store_explicit(&opened, store, memory_order_release);
    return true;
}

/* lock is held. */
static void give_keys(const struct store_functions *store)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    char problem[256];
    if (keys_given == keys_read)
        return;
    keys_given = keys_read;
    if (store->store_keys(keys, keys_length, problem, sizeof(problem)) != 0) {
        core_has_keys = true;
        return;
    }
    if (!core_has_keys)
        atomic_store(&state, STORE_OFF);
    say_once(&said, "the keys in %s can't be used: %s; %s", config.settings.store_key, problem,
             core_has_keys ? "those from before stay" : "the store stays off");
}

/* The store, open and with the newest keys in it, or NULL. The core is started if need be. */
static const struct store_functions *ready_store(void)
{
    enum { LOOK_EVERY_MS = 1000 };
    const struct store_functions *store = core_store();
    if (store == NULL) {
        if (core_running() != NULL)
            say_off("libsslcache-store.so.1 can't be loaded from the folder of libsslcache.so");
        return NULL;
    }
    long now = milliseconds();
    if (atomic_load_explicit(&opened, memory_order_acquire) == store &&
        now < atomic_load(&next_look))
        return store;

    pthread_mutex_lock(&lock);
    if (atomic_load(&opened) == store || open_in(store)) {
        look_at_keys();
        give_keys(store);
        atomic_store(&next_look, now + LOOK_EVERY_MS);
    }
    pthread_mutex_unlock(&lock);
    return is_on() && atomic_load(&opened) == store ? store : NULL;
}

bool store_describe(char *json, size_t size)
{
    const struct store_functions *store = atomic_load(&opened);
    struct core_store_stats stats = {0};
    if (store == NULL || core_running() == NULL)
        return false;
    store->store_stats(&stats);
    int length =
        snprintf(json, size,
                 "\"store\":{\"written\":%" PRIu64 ",\"deleted\":%" PRIu64 ",\"found\":%" PRIu64
                 ",\"missed\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"timed_out\":%" PRIu64
                 ",\"failed\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"dropped\":%" PRIu64
                 ",\"queued\":%" PRIu64 ",\"openings\":%" PRIu64
                 ",\"breaker\":\"%s\",\"waited\":%.6f,\"slowest\":%.6f,\"failure\":\"%s\"}",
                 stats.written, stats.deleted, stats.found, stats.missed, stats.refused,
                 stats.timed_out, stats.failed, stats.skipped, stats.dropped, stats.queued,
                 stats.openings, stats.open ? "open" : "closed", (double)stats.waited / 1e9,
                 (double)stats.slowest / 1e9, stats.failure);
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

static void set_place(struct core_place *place, const SSL_SESSION *session)
{
    place->context = libssl.SSL_SESSION_get0_id_context(session, &place->context_length);
    place->id = libssl.SSL_SESSION_get_id(session, &place->id_length);
    place->version = libssl.SSL_SESSION_get_protocol_version(session);
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

static bool is_shared(const SSL_SESSION *session, const struct core_place *place)
{
    if (place->id_length == 0 || !libssl.SSL_SESSION_is_resumable(session) || life_of(session) <= 0)
        return false;
    if (place->context_length > 0)
        return true;
    say_no_context();
    return false;
}

static bool put(const struct store_functions *store, struct core_place *place, SSL_SESSION *session,
                bool single_use)
{
    int length = libssl.i2d_SSL_SESSION(session, NULL);
    if (length <= 0 || length > CORE_STORE_SESSION_MAX)
        return false;
    unsigned char *serialised = malloc((size_t)length);
    if (serialised == NULL)
        return false;
    unsigned char *end = serialised;
    length = libssl.i2d_SSL_SESSION(session, &end);
    store->store_put(place, serialised, (uint32_t)length, life_of(session), single_use);
    explicit_bzero(serialised, (size_t)length);
    free(serialised);
    return true;
}

static bool share(SSL_SESSION *session)
{
    struct core_place place;
    set_place(&place, session);
    if (!is_shared(session, &place))
        return false;
    int saved_errno = errno;
    bool single_use = libssl.SSL_SESSION_get_max_early_data(session) > 0;
    const struct store_functions *store = ready_store();
    bool done = store != NULL && put(store, &place, session, single_use);
    errno = saved_errno;
    return done && single_use;
}

bool store_put(struct context *context, const SSL *ssl, SSL_SESSION *session)
{
    if (!is_on() || !context_is_ours(context) || !libssl.SSL_is_server(ssl))
        return false;
    return share(session);
}

/* A session does not say whose it is: the mode of its context does. */
bool store_put_added(struct context *context, SSL_SESSION *session)
{
    const long client = SSL_SESS_CACHE_CLIENT, server = SSL_SESS_CACHE_SERVER;
    if (!is_on() || (atomic_load(&context->mode) & (client | server)) != server)
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

static SSL_SESSION *get(const struct store_functions *store, struct core_place *place, bool take)
{
    unsigned char *room = malloc(CORE_STORE_SESSION_MAX);
    if (room == NULL)
        return NULL;
    uint32_t length = store->store_get(place, take, room, CORE_STORE_SESSION_MAX);
    SSL_SESSION *session = length > 0 ? parse(room, (long)length) : NULL;
    explicit_bzero(room, length);
    free(room);
    return session;
}

SSL_SESSION *store_find(struct context *context, SSL *ssl, const unsigned char *id,
                        unsigned int length, bool take)
{
    if (!is_on() || length == 0 || !context_is_ours(context))
        return NULL;
    struct session_context of_ssl = context_of_ssl(ssl);
    if (of_ssl.length == 0)
        return NULL;
    struct core_place place = {.context = of_ssl.bytes,
                               .context_length = of_ssl.length,
                               .id = id,
                               .id_length = length,
                               .version = libssl.SSL_version(ssl)};
    int saved_errno = errno;
    const struct store_functions *store = ready_store();
    SSL_SESSION *session = store != NULL ? get(store, &place, take) : NULL;
    errno = saved_errno;
    return session;
}

void store_remove(const SSL_SESSION *session)
{
    /* libssl may hold its lock here: nothing is opened. */
    const struct store_functions *store = is_on() ? atomic_load(&opened) : NULL;
    if (store == NULL)
        return;
    struct core_place place;
    set_place(&place, session);
    if (place.id_length > 0 && place.context_length > 0)
        store->store_remove(&place);
}

/* ---- fork ---- */

void store_fork_prepare(void)
{
    pthread_mutex_lock(&lock);
}

void store_fork_parent(void)
{
    pthread_mutex_unlock(&lock);
}

void store_fork_child(void)
{
    pthread_mutex_init(&lock, NULL);
    atomic_store(&opened, NULL);
    close_inherited();
}
