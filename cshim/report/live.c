#define _GNU_SOURCE
#include "cshim/report/live.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cshim/context/context.h"
#include "cshim/context/counters.h"
#include "cshim/process/background.h"
#include "cshim/process/cancel.h"
#include "cshim/process/clock.h"
#include "cshim/process/descriptor.h"
#include "cshim/process/error.h"
#include "cshim/process/fork.h"
#include "cshim/process/lock_order.h"
#include "cshim/process/say.h"
#include "cshim/settings/config.h"
#include "cshim/share/store.h"
#include "cshim/trace/writer.h"

/* Asked for, and this process has no thread yet that serves. */
atomic_bool live_is_due;

static FORK_WRITES atomic_bool is_serving;
static FORK_WRITES _Atomic uint64_t forks; /* by this process */
static int64_t started_at;                 /* by CLOCK_MONOTONIC */

/* Guards all below. Held while an answer is made and sent, so that no fork copies a connection that is being answered. */
static FORK_WRITES pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct descriptor listener = NO_DESCRIPTOR;
static struct sockaddr_un address; /* of our socket, or "" */

/* ---- the socket ---- */

static void say_not_served(const char *folder, const char *reason)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    say_once(&was_said, "the counters are not served: %s %s", folder, reason);
}

static void name_folder(char folder[SETTINGS_FOLDER_SIZE])
{
    if (config.settings.run_folder[0] != '\0')
        snprintf(folder, SETTINGS_FOLDER_SIZE, "%s", config.settings.run_folder);
    else if (config.run_folder[0] != '\0')
        snprintf(folder, SETTINGS_FOLDER_SIZE, "%s/sslcache", config.run_folder);
    else
        snprintf(folder, SETTINGS_FOLDER_SIZE, "/tmp/sslcache-%u", (unsigned)geteuid());
}

/* Made if it is not there. Nobody else may be able to put a socket into it, or to reach one. */
static bool folder_is_private(const char *folder)
{
    struct stat status;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        say_not_served(folder, "can't be made");
        return false;
    }
    if (lstat(folder, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
        (status.st_mode & 077) != 0) {
        say_not_served(folder, "is not a folder of this user alone (mode 0700)");
        return false;
    }
    return true;
}

static void unlink_socket(void)
{
    if (address.sun_path[0] != '\0')
        unlink(address.sun_path);
    address.sun_path[0] = '\0';
}

static bool name_socket(const char *folder)
{
    int length =
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/%d.sock", folder, getpid());
    address.sun_family = AF_UNIX;
    return length > 0 && (size_t)length < sizeof(address.sun_path);
}

/* The lock is held. */
static bool listen_on_socket(void)
{
    char folder[SETTINGS_FOLDER_SIZE];
    name_folder(folder);
    if (!folder_is_private(folder) || !name_socket(folder))
        return false;
    unlink(address.sun_path); /* of a dead process that had our number */
    int number = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0 || bind(number, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(number, SOMAXCONN) != 0) {
        say_not_served(folder, error_name(errno));
        address.sun_path[0] = '\0';
        if (number >= 0)
            close(number);
        return false;
    }
    return descriptor_keep(&listener, number);
}

/* ---- the answer ---- */

struct answer {
    char *text;
    size_t length;
    size_t room;
    bool is_first;
};

static bool make_room(struct answer *answer)
{
    if (answer->room - answer->length > 2 * COUNTERS_TEXT_SIZE)
        return true;
    size_t room = 2 * answer->room + 4 * COUNTERS_TEXT_SIZE;
    char *larger = realloc(answer->text, room);
    if (larger == NULL)
        return false;
    answer->text = larger;
    answer->room = room;
    return true;
}

/* The contexts lock is held. */
static void add_context(struct context *context, void *argument)
{
    struct answer *answer = argument;
    struct counters counters;
    if (!make_room(answer))
        return;
    counters_read(context, &counters);
    answer->length += (size_t)snprintf(answer->text + answer->length, answer->room - answer->length,
                                       "%s{\"context\":%" PRIu32 ",", answer->is_first ? "" : ",",
                                       context->number);
    answer->length +=
        counters_format(&counters, answer->text + answer->length, answer->room - answer->length);
    answer->text[answer->length++] = '}';
    answer->is_first = false;
}

static void add_head(struct answer *answer)
{
    answer->length = (size_t)snprintf(
        answer->text, answer->room,
        "{\"format\":\"sslcache-live\",\"version\":1,\"process\":%d,\"program\":\"%s\","
        "\"libsslcache\":\"%s\",\"libssl\":\"%.64s\",\"uptime\":%" PRId64 ",\"forks\":%" PRIu64
        ",\"contexts\":[",
        getpid(), config.program, SSLCACHE_VERSION,
        libssl_ready() && libssl.complete ? libssl.OpenSSL_version(OPENSSL_VERSION) : "",
        (clock_now(CLOCK_MONOTONIC) - started_at) / CLOCK_SECOND, atomic_load(&forks));
}

static bool make_answer(struct answer *answer)
{
    *answer = (struct answer){.is_first = true};
    if (!make_room(answer))
        return false;
    add_head(answer);
    contexts_all(add_context, answer);
    if (!make_room(answer))
        return false;
    char store[STORE_DESCRIPTION_SIZE];
    bool has_store = store_describe(store, sizeof(store));
    answer->length += (size_t)snprintf(answer->text + answer->length, answer->room - answer->length,
                                       "],\"dropped\":%" PRIu64 "%s%s}\n", writer_lost(),
                                       has_store ? "," : "", has_store ? store : "");
    return true;
}

/* Gives up where the reader takes nothing for a moment. */
static void send_answer(int connection, const struct answer *answer)
{
    enum { MOMENT = 200 }; /* milliseconds */
    for (size_t sent = 0; sent < answer->length;) {
        struct pollfd reader = {.fd = connection, .events = POLLOUT};
        if (poll(&reader, 1, MOMENT) != 1)
            return;
        ssize_t more = send(connection, answer->text + sent, answer->length - sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (more <= 0)
            return;
        sent += (size_t)more;
    }
}

/* The lock is held. */
static void answer_one(void)
{
    struct answer answer;
    int connection = accept4(listener.number, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0)
        return;
    if (make_answer(&answer))
        send_answer(connection, &answer);
    free(answer.text);
    shutdown(connection,
             SHUT_RDWR); /* not only closed: a forked child may have the connection too */
    close(connection);
}

/* ---- the thread ---- */

static void *serve(void *unused)
{
    (void)unused;
    enum {
        LOOK = 1000
    }; /* milliseconds, after which we see that the program has closed our socket */
    for (;;) {
        struct pollfd caller = {.fd = listener.number, .events = POLLIN};
        int count = poll(&caller, 1, LOOK);
        lock_take(&lock, LOCK_LIVE);
        bool is_ours = descriptor_is_ours(&listener) || listen_on_socket();
        if (is_ours && count > 0 && (caller.revents & POLLIN) != 0)
            answer_one();
        lock_release(&lock, LOCK_LIVE);
        if (!is_ours || (caller.revents & ~POLLIN) != 0)
            poll(NULL, 0, LOOK);
    }
    return NULL;
}

void live_start(void)
{
    if (!atomic_exchange(&live_is_due, false))
        return;
    int saved_errno = errno, cancelling = cancel_forbid();
    lock_take(&lock, LOCK_LIVE);
    bool is_ours = descriptor_is_ours(&listener) || listen_on_socket();
    if (started_at == 0)
        started_at = clock_now(CLOCK_MONOTONIC);
    lock_release(&lock, LOCK_LIVE);
    if (is_ours && !background_start(serve)) {
        say_not_served(address.sun_path, "would need a thread, and none can be made");
        unlink_socket();
    } else if (is_ours) {
        atomic_store(&is_serving, true);
    }
    cancel_allow(cancelling);
    errno = saved_errno;
}

/* ---- the beginning and the end of a process ---- */

__attribute__((constructor)) static void ask_for_start(void)
{
    if (config.settings.live)
        atomic_store(&live_is_due, true);
}

__attribute__((destructor)) static void unlink_at_exit(void)
{
    if (config.settings.live)
        unlink_socket();
}

/* ---- fork ---- */

static FORK_WRITES bool locked_for_fork; /* one fork at a time comes here */

void live_fork_prepare(void)
{
    lock_order_check(LOCK_LIVE);
    locked_for_fork = atomic_load(&is_serving) && lock_take_in_time(&lock, LOCK_LIVE);
}

void live_fork_parent(void)
{
    atomic_fetch_add(&forks, 1);
    if (locked_for_fork)
        lock_release(&lock, LOCK_LIVE);
    locked_for_fork = false;
}

void live_fork_child(void)
{
    lock_make_free(&lock, LOCK_LIVE);
    locked_for_fork = false;
    atomic_store(&forks, 0);
    if (!atomic_exchange(&is_serving, false))
        return;
    descriptor_close(&listener); /* the parent's */
    address.sun_path[0] = '\0';
    started_at = clock_now(CLOCK_MONOTONIC);
    listen_on_socket();
    atomic_store(&live_is_due, true);
}
