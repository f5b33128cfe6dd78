#define _GNU_SOURCE
#include "cshim/trace/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cshim/context/context.h"
#include "cshim/process/background.h"
#include "cshim/process/cancel.h"
#include "cshim/process/clock.h"
#include "cshim/process/descriptor.h"
#include "cshim/process/error.h"
#include "cshim/process/fork.h"
#include "cshim/process/lock_order.h"
#include "cshim/process/say.h"
#include "cshim/settings/config.h"
#include "cshim/trace/ring.h"
#include "cshim/trace/trace.h"

/* On unless there is nothing to trace to, or the process is at its end. */
atomic_bool trace_on;

enum {
    PERIOD = 100000000, /* nanoseconds from one round of the writer to the next */
    SECOND =
        1000000000, /* from one look at the counters to the next, and at a file that can't be opened */
    ROUND = RING_SIZE / 8, /* events after which the writer is woken before its time */
};

enum writer_state { ASLEEP, STARTING, WRITES, IS_MISSING };

static FORK_WRITES _Atomic enum writer_state state = ASLEEP;
static _Atomic uint64_t lost;
static sem_t work; /* posted where the ring fills quickly */
static _Thread_local int32_t thread_number;

/* Held by whoever writes; all below is under it. */
static FORK_WRITES pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static struct descriptor file = NO_DESCRIPTOR;
static char pending[PIPE_BUF]; /* whole lines that are not written yet */
static size_t pending_length;
static unsigned pending_events;
static bool has_started; /* the first line of this process is written */
static uint64_t lost_told;
static int64_t started_at; /* times in nanoseconds since 1970 */
static int64_t last_written, last_counted, last_opened;
static FORK_WRITES pid_t parent; /* of a forked child, else 0 */

static int64_t time_now(void)
{
    return clock_now(CLOCK_REALTIME);
}

int32_t writer_thread(void)
{
    if (thread_number == 0)
        thread_number = gettid();
    return thread_number;
}

uint64_t writer_lost(void)
{
    return atomic_load(&lost);
}

/* ---- the file ---- */

static void say_unwritable(int error)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    say_once(&was_said, "the trace can't be written to %s (%s): events are lost",
             config.settings.trace, error_name(error));
}

/* A FIFO that nobody reads yet is tried again, as is what the program has closed. */
static bool open_file(void)
{
    int64_t now = time_now();
    if (descriptor_is_ours(&file))
        return true;
    if (now - last_opened < SECOND && now >= last_opened)
        return false;
    last_opened = now;
    int number = open(config.settings.trace,
                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (number >= 0 && descriptor_keep(&file, number)) {
        last_opened = 0;
        return true;
    }
    if (errno != ENXIO)
        say_unwritable(errno);
    return false;
}

/* Writes what is pending. False: it has to wait. */
static bool write_pending(void)
{
    if (pending_length == 0)
        return true;
    if (!open_file())
        return false;
    ssize_t written = descriptor_write(file.number, pending, pending_length);
    if (written < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (written < 0 && errno == EPIPE) {
        descriptor_close(&file); /* until there is another reader */
        return false;
    }
    if (written != (ssize_t)pending_length) {
        say_unwritable(written < 0 ? errno : ENOSPC);
        atomic_fetch_add(&lost, pending_events);
    }
    pending_length = pending_events = 0;
    return true;
}

static bool append(const char *line, size_t length)
{
    if (pending_length + length > sizeof(pending) && !write_pending())
        return false;
    memcpy(pending + pending_length, line, length);
    pending_length += length;
    pending_events++;
    return true;
}

/* ---- lines of the writer's own ---- */

static int put_head(char *line, size_t size, int64_t now, const char *operation)
{
    return snprintf(line, size,
                    "{\"time\":%" PRId64 ".%06" PRId64 ",\"process\":%d,\"thread\":%" PRId32
                    ",\"operation\":\"%s\"",
                    now / 1000000000, now % 1000000000 / 1000, getpid(), writer_thread(),
                    operation);
}

static bool write_start(void)
{
    char line[512];
    size_t length = (size_t)put_head(line, sizeof(line), started_at, "start");
    length += (size_t)snprintf(line + length, sizeof(line) - length, ",\"cause\":\"%s\"",
                               parent != 0 ? "fork" : "exec");
    if (parent != 0)
        length += (size_t)snprintf(line + length, sizeof(line) - length, ",\"parent\":%d", parent);
    length += (size_t)snprintf(
        line + length, sizeof(line) - length,
        ",\"format\":\"sslcache-trace\",\"version\":1,\"program\":\"%s\",\"libsslcache\":\"%s\","
        "\"libssl\":\"%.64s\"}\n",
        config.program, SSLCACHE_VERSION,
        libssl_ready() && libssl.complete ? libssl.OpenSSL_version(OPENSSL_VERSION) : "");
    return append(line, length);
}

static bool write_lost(void)
{
    char line[256];
    uint64_t now_lost = atomic_load(&lost);
    if (now_lost == lost_told)
        return true;
    size_t length = (size_t)put_head(line, sizeof(line), time_now(), "dropped");
    length += (size_t)snprintf(line + length, sizeof(line) - length, ",\"events\":%" PRIu64 "}\n",
                               now_lost - lost_told);
    if (!append(line, length))
        return false;
    lost_told = now_lost;
    return true;
}

static void write_end(void)
{
    char line[256];
    int64_t now = time_now(), uptime = now > started_at ? now - started_at : 0;
    size_t length = (size_t)put_head(line, sizeof(line), now, "end");
    length += (size_t)snprintf(line + length, sizeof(line) - length,
                               ",\"dropped\":%" PRIu64 ",\"uptime\":%" PRId64 ".%06" PRId64 "}\n",
                               atomic_load(&lost), uptime / 1000000000, uptime % 1000000000 / 1000);
    append(line, length);
}

/* The contexts lock is held. */
static void write_counters(struct context *context, void *unused)
{
    (void)unused;
    struct event event = {.operation = EVENT_COUNTERS,
                          .time = time_now(),
                          .thread = writer_thread(),
                          .context = context->number};
    struct counters counters;
    char line[EVENT_TEXT_SIZE];
    counters_read(context, &counters);
    if (memcmp(&counters, &context->shown, sizeof(counters)) == 0)
        return;
    event.counters = &counters;
    if (append(line, event_format(&event, getpid(), line, sizeof(line))))
        context->shown = counters;
}

/* ---- a round ---- */

static bool write_event(const struct event *event)
{
    char line[EVENT_TEXT_SIZE];
    if (!append(line, event_format(event, getpid(), line, sizeof(line))))
        return false;
    free(event->counters);
    return true;
}

/* Writes what waits in the ring, as far as that is possible now. The lock is held. */
static void write_waiting(void)
{
    const struct event *event;
    last_written = time_now();
    if (!open_file() || (!has_started && !(has_started = write_start())) || !write_lost())
        return;
    while ((event = ring_peek()) != NULL && write_event(event))
        ring_pop();
    if (last_written - last_counted >= SECOND || last_written < last_counted) {
        contexts_try_all(write_counters, NULL);
        last_counted = last_written;
    }
    if (write_lost())
        write_pending();
}

static void *write_on(void *unused)
{
    (void)unused;
    for (;;) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += PERIOD;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        while (sem_clockwait(&work, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
            ;
        lock_take(&writing, LOCK_TRACE);
        if (tracing()) /* else the process is at its end, and its file is closed */
            write_waiting();
        lock_release(&writing, LOCK_TRACE);
    }
    return NULL;
}

/* Where there is no thread to write: by a thread of the program. If another is at it already, this one goes on. */
static void write_now_and_then(int64_t now)
{
    bool is_due = now - last_written > PERIOD || ring_waiting() >= RING_SIZE / 2;
    if (!is_due || !lock_try(&writing, LOCK_TRACE))
        return;
    int saved_errno = errno, cancelling = cancel_forbid();
    write_waiting();
    cancel_allow(cancelling);
    errno = saved_errno;
    lock_release(&writing, LOCK_TRACE);
}

/* ---- events ---- */

static void start(int64_t now)
{
    int saved_errno = errno, cancelling = cancel_forbid();
    lock_take(&writing, LOCK_TRACE);
    started_at = now;
    sem_init(&work, 0, 0);
    open_file(); /* before the program gives up its rights */
    lock_release(&writing, LOCK_TRACE);
    atomic_store(&state, background_start(write_on) ? WRITES : IS_MISSING);
    cancel_allow(cancelling);
    errno = saved_errno;
}

static bool is_ready(int64_t now)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    if (atomic_load_explicit(&state, memory_order_acquire) != ASLEEP)
        return true;
    if (!ring_ready()) {
        atomic_store(&trace_on, false);
        say_once(&was_said, "there is no memory for a trace: nothing is traced");
        return false;
    }
    enum writer_state asleep = ASLEEP;
    if (atomic_compare_exchange_strong(&state, &asleep, STARTING))
        start(now);
    return true;
}

bool writer_put(const struct event *event)
{
    uint64_t position;
    if (!is_ready(event->time))
        return false;
    bool has_room = ring_put(event, &position);
    if (!has_room)
        atomic_fetch_add(&lost, 1);
    enum writer_state now = atomic_load_explicit(&state, memory_order_acquire);
    if (now == IS_MISSING)
        write_now_and_then(event->time);
    else if (now == WRITES && has_room && position % ROUND == ROUND - 1)
        sem_post(&work);
    return has_room;
}

/* ---- the beginning and the end of a process ---- */

__attribute__((constructor)) static void trace_if_asked(void)
{
    if (config.settings.trace[0] != '\0')
        atomic_store(&trace_on, true);
}

/* Waits for a slow reader for a moment. False: it has taken nothing in that time, or is gone. */
static bool reader_is_there(void)
{
    enum { MOMENT = 500 }; /* milliseconds */
    struct pollfd reader = {.fd = file.number, .events = POLLOUT};
    return descriptor_is_ours(&file) && poll(&reader, 1, MOMENT) == 1 &&
           (reader.revents & POLLOUT) != 0;
}

/* What nobody will write any more is lost. */
static void give_up_waiting(void)
{
    atomic_fetch_add(&lost, ring_waiting());
    for (const struct event *event; (event = ring_peek()) != NULL; ring_pop())
        free(event->counters);
    write_lost();
}

static void write_last(void)
{
    const int64_t until = time_now() + 2 * (int64_t)SECOND;
    last_counted = 0;
    do
        write_waiting();
    while ((ring_waiting() > 0 || pending_length > 0) && time_now() < until && reader_is_there());
    give_up_waiting();
    write_end();
    if (!write_pending() && reader_is_there())
        write_pending();
}

/* `sslcache run` names its FIFO after the process that took its place. */
static bool is_followed_by_a_report(void)
{
    char name[32];
    const char *slash = strrchr(config.settings.trace, '/');
    snprintf(name, sizeof(name), "/run-%d", getpid());
    return slash != NULL && strcmp(slash, name) == 0;
}

/*
 * `sslcache run` removes the FIFO when its report is written. So the report is there when whoever waits for this
 * process goes on.
 */
static void wait_for_report(void)
{
    const struct timespec moment = {0, 2000000};
    const int64_t until = time_now() + 3 * (int64_t)SECOND;
    while (access(config.settings.trace, F_OK) == 0 && time_now() < until)
        nanosleep(&moment, NULL);
}

__attribute__((destructor)) static void write_end_at_exit(void)
{
    if (config.settings.trace[0] == '\0' || !tracing())
        return;
    if (atomic_load(&state) == ASLEEP || !lock_take_in_time(&writing, LOCK_TRACE))
        return;
    atomic_store(&trace_on, false);
    write_last();
    bool is_open = descriptor_is_ours(&file);
    descriptor_close(&file);
    lock_release(&writing, LOCK_TRACE);
    if (is_open && is_followed_by_a_report())
        wait_for_report();
}

/* ---- fork ---- */

static FORK_WRITES bool locked_for_fork; /* one fork at a time comes here */

void writer_fork_prepare(void)
{
    lock_order_check(LOCK_TRACE);
    locked_for_fork = atomic_load(&state) != ASLEEP && lock_take_in_time(&writing, LOCK_TRACE);
}

void writer_fork_parent(void)
{
    if (locked_for_fork)
        lock_release(&writing, LOCK_TRACE);
    locked_for_fork = false;
}

void writer_fork_child(void)
{
    lock_make_free(&writing, LOCK_TRACE);
    locked_for_fork = false;
    thread_number = 0;
    parent = getppid();
    if (atomic_exchange(&state, ASLEEP) == ASLEEP)
        return;
    ring_empty();
    pending_length = pending_events = 0;
    has_started = false;
    atomic_store(&lost, 0);
    lost_told = 0;
    last_written = last_counted = last_opened = 0;
}

void writer_fork_child_unprepared(void)
{
    atomic_store(&trace_on, false);
}
