/*
 * memory.c - the store that is memory: of a process and all that it forks (SSLCACHE_STORE=memory), or of a file
 * (memory:FILE). The table in it is internal/arena.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cshim/process/clock.h"
#include "cshim/process/lock_order.h"
#include "cshim/settings/config.h"
#include "cshim/settings/fault.h"
#include "cshim/share/arena.h"
#include "cshim/share/backend.h"
#include "cshim/share/key_text.h"
#include "cshim/share/memory_keys.h"
#include "cshim/share/owner.h"
#include "cshim/share/record.h"
#include "cshim/share/region.h"

/* Guards the opening and the keys. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct region region;      /* changed once, before there are keys */
static bool is_file;              /* records are sealed */
static _Atomic int64_t next_look; /* whether the keys have changed, by CLOCK_MONOTONIC_COARSE */

/* The fields of "store" in a report. */
#define MEMORY_COUNTERS(X)                                                                         \
    X(written) /* sessions stored */                                                               \
    X(deleted) /* sessions removed that were there */                                              \
    X(found)                                                                                       \
    X(missed)                                                                                      \
    X(refused)   /* records that did not open */                                                   \
    X(timed_out) /* look-ups that waited in vain for whoever held a bucket */                      \
    X(dropped)   /* sessions not stored for the same reason, or since they are too long */         \
    X(evicted)   /* sessions that gave way before they expired */                                  \
    X(emptied)   /* buckets that were emptied: their owner died, or they were in disorder */       \
    X(gone)      /* sessions of this process that another has removed */

static struct {
#define X(name) _Atomic uint64_t name;
    MEMORY_COUNTERS(X)
#undef X
} counters;

bool memory_is_wanted(void)
{
    static const char scheme[] = "memory";
    const char *address = config.settings.store;
    char next = address[sizeof(scheme) - 1];
    return strncmp(address, scheme, sizeof(scheme) - 1) == 0 &&
           (next == '\0' || next == ':' || next == '?');
}

const unsigned char *memory_family_root(void)
{
    const struct memory_keys *keys = memory_keys_current();
    return keys != NULL && !is_file ? keys->root : NULL;
}

/* ---- opening ---- */

static bool parse_address(struct region_address *address)
{
    const char *fault = region_parse(config.settings.store, address);
    if (fault != NULL)
        store_note_off(fault);
    return fault == NULL;
}

/* lock is held. */
static bool open_family(uint64_t size)
{
    const char *fault = region_map_family(&region, size);
    if (fault == NULL && !memory_keys_make_random())
        fault = "there is no memory for its key";
    if (fault != NULL)
        store_note_off(fault);
    return fault == NULL;
}

/* lock is held. */
static bool open_file(const struct region_address *address)
{
    if (!store_find_keys())
        return false;
    const char *fault = region.memory == NULL ? region_map_file(&region, address) : NULL;
    if (fault != NULL) {
        store_note(STORE_STAYS_OFF, "the store stays off: the file %s can't be used: %s",
                   address->path, fault);
        return false;
    }
    is_file = true;
    memory_keys_use_newest();
    return memory_keys_current() != NULL;
}

/* lock is held. */
static bool open_region(void)
{
    struct region_address address;
    if (!parse_address(&address))
        return false;
    return address.path[0] == '\0' ? open_family(address.size) : open_file(&address);
}

/*
 * The store is opened when the library is loaded: a program may make its first context in a child, or when it has given
 * up its user and its root. The memory costs nothing until it is used. What fails here is tried again, and complained
 * about, with the first context.
 */
__attribute__((constructor(102))) static void memory_begin(void)
{
    struct region_address address;
    if (config.settings.disable || !memory_is_wanted() ||
        region_parse(config.settings.store, &address) != NULL)
        return;
    if (address.path[0] == '\0')
        open_family(address.size);
    else if (config.settings.store_key[0] != '\0' && key_text_look() == NULL)
        region_map_file(&region, &address);
}

static void look_at_keys(void)
{
    int64_t now = clock_now(CLOCK_MONOTONIC_COARSE), next = atomic_load(&next_look);
    if (!is_file || now < next ||
        !atomic_compare_exchange_strong(&next_look, &next, now + CLOCK_SECOND))
        return;
    lock_take(&lock, LOCK_MEMORY_STORE);
    key_text_look();
    memory_keys_use_newest();
    lock_release(&lock, LOCK_MEMORY_STORE);
}

static bool memory_prepare(bool again)
{
    if (again) {
        look_at_keys();
        return true;
    }
    lock_take(&lock, LOCK_MEMORY_STORE);
    bool is_open = memory_keys_current() != NULL || open_region();
    lock_release(&lock, LOCK_MEMORY_STORE);
    return is_open;
}

/* ---- one operation on the table ---- */

static void count(const struct arena_call *call)
{
    if (call->evicted > 0)
        atomic_fetch_add(&counters.evicted, call->evicted);
    if (call->emptied > 0)
        atomic_fetch_add(&counters.emptied, call->emptied);
}

static bool empty_behind(struct arena_call *call, enum arena_operation operation)
{
    struct arena_call next = *call;
    next.operation = operation;
    bool done = direct_arena_run(&next) == ARENA_DONE;
    count(&next);
    return done;
}

/* Longer each time: a bucket is held for microseconds. */
static void pause_for(unsigned round)
{
    enum { SHORTEST_NS = 1000, LONGEST = 10 };
    clock_sleep((int64_t)SHORTEST_NS << (round < LONGEST ? round : LONGEST));
}

/*
 * Whether it is worth while to try again: after a pause, or since the bucket was taken from a dead process or one that
 * has held it too long. False: a handshake may wait no longer, or another process has waited for this owner in vain.
 */
static bool wait_for_bucket(struct arena_call *call, unsigned round, int64_t deadline)
{
    enum { ROUNDS_BEFORE_LOOK = 4 };
    if (round >= ROUNDS_BEFORE_LOOK && owner_is_dead(call->owner)) {
        empty_behind(call, ARENA_TAKE_OVER);
        return true;
    }
    if (round < ROUNDS_BEFORE_LOOK || (!call->suspected && clock_now(CLOCK_MONOTONIC) < deadline)) {
        pause_for(round);
        return true;
    }
    return empty_behind(call, ARENA_SUSPECT);
}

static enum arena_status run_until_free(struct arena_call *call)
{
    int64_t deadline = 0;
    if (fault_strikes(FAULT_STORE_KILLS))
        call->die_at = 1 + fault_random(FAULT_STORE_KILLS) % 8;
    for (unsigned round = 0;; round++) {
        enum arena_status status = (enum arena_status)direct_arena_run(call);
        count(call);
        if (status == ARENA_ABANDONED)
            syscall(SYS_kill, getpid(), SIGKILL);
        if (status != ARENA_BUSY)
            return status;
        if (deadline == 0)
            deadline = clock_now(CLOCK_MONOTONIC) + config.settings.store_timeout;
        if (!wait_for_bucket(call, round, deadline))
            return ARENA_BUSY;
    }
}

static struct arena_call call_of(enum arena_operation operation)
{
    return (struct arena_call){.region = region.memory,
                               .size = region.size,
                               .me = owner_self(),
                               .now = time(NULL),
                               .operation = operation};
}

static bool set_name(struct arena_call *call, const struct record_key *key,
                     const struct record_place *place)
{
    memset(call->name, 0, sizeof(call->name));
    return record_name(key, place, call->name);
}

/* ---- records: sealed in a file, and as they are in memory that nobody else has ---- */

static uint32_t make_record(const struct record_key *key, const struct record_place *place,
                            const unsigned char *session, uint32_t length, bool single_use,
                            unsigned char *record)
{
    if (is_file)
        return record_seal(key, place, session, length, single_use, record);
    record[0] = single_use;
    memcpy(record + 1, session, length);
    return length + 1;
}

static uint32_t read_record(const struct record_key *key, const struct record_place *place,
                            const unsigned char *record, uint32_t length, unsigned char *room,
                            uint32_t size, bool *single_use)
{
    if (is_file)
        return record_open(key, place, record, length, room, size, single_use);
    if (length <= 1 || length - 1 > size)
        return 0;
    *single_use = record[0] != 0;
    memcpy(room, record + 1, length - 1);
    return length - 1;
}

/* ---- the functions of the store ---- */

static bool place_of(struct record_place *place, const struct requests_session *known)
{
    return record_place(place, config_application(), known);
}

static bool put(const struct record_place *place, const unsigned char *session, uint32_t length,
                int64_t life, bool single_use, unsigned char *record)
{
    const struct record_key *key = &memory_keys_current()->keys[0];
    struct arena_call call = call_of(ARENA_PUT);
    call.record = record;
    call.length = make_record(key, place, session, length, single_use, record);
    call.expiry = call.now + life;
    return call.length > 0 && set_name(&call, key, place) && run_until_free(&call) == ARENA_DONE;
}

static bool memory_put(const struct requests_session *known, SSL_SESSION *session, uint32_t length,
                       int64_t life, bool single_use)
{
    struct record_place place;
    size_t size = 2 * (size_t)length + RECORD_OVERHEAD;
    unsigned char *room = place_of(&place, known) ? malloc(size) : NULL;
    bool done = room != NULL && store_serialise(session, room, length) &&
                put(&place, room, length, life, single_use, room + length);
    if (room != NULL)
        explicit_bzero(room, size);
    free(room);
    atomic_fetch_add(done ? &counters.written : &counters.dropped, 1);
    return done;
}

/* Room for a record and for the session in it. */
struct room {
    unsigned char record[RECORD_SIZE_MAX];
    unsigned char session[STORE_SESSION_MAX];
};

/* Looks under one key. Gives the length of the session in the room, or 0. A session for one use is taken out in any case. */
static uint32_t find(const struct record_key *key, const struct record_place *place, bool take,
                     struct room *room, enum arena_status *status)
{
    bool single_use = false;
    struct arena_call call = call_of(take ? ARENA_TAKE : ARENA_FIND);
    call.record = room->record;
    call.length = sizeof(room->record);
    if (!set_name(&call, key, place) || (*status = run_until_free(&call)) != ARENA_DONE)
        return 0;
    uint32_t length = read_record(key, place, room->record, (uint32_t)call.length, room->session,
                                  sizeof(room->session), &single_use);
    if (length == 0)
        atomic_fetch_add(&counters.refused, 1);
    explicit_bzero(room->record, call.length);
    if (length == 0 || take || !single_use)
        return length;
    explicit_bzero(room->session, length);
    return find(key, place, true, room, status);
}

static uint32_t find_under_all(const struct record_place *place, bool take, struct room *room)
{
    const struct memory_keys *keys = memory_keys_current();
    for (unsigned i = 0; i < keys->count; i++) {
        enum arena_status status = ARENA_MISSED;
        uint32_t length = find(&keys->keys[i], place, take, room, &status);
        if (length > 0) {
            atomic_fetch_add(&counters.found, 1);
            return length;
        }
        if (status == ARENA_BUSY) {
            atomic_fetch_add(&counters.timed_out, 1);
            return 0;
        }
        if (status == ARENA_GONE)
            break;
    }
    atomic_fetch_add(&counters.missed, 1);
    return 0;
}

static SSL_SESSION *memory_get(const struct requests_session *known, bool take)
{
    struct record_place place;
    SSL_SESSION *session = NULL;
    look_at_keys();
    struct room *room = place_of(&place, known) ? malloc(sizeof(*room)) : NULL;
    uint32_t length = room != NULL ? find_under_all(&place, take, room) : 0;
    if (length > 0) {
        session = store_parse(room->session, length);
        explicit_bzero(room->session, length);
    }
    free(room);
    return session;
}

/* A session that can't be removed in time must not be found any more, so its whole bucket is emptied. */
static void memory_remove(const struct requests_session *known, int64_t life)
{
    struct record_place place;
    const struct memory_keys *keys = memory_keys_current();
    if (!place_of(&place, known))
        return;
    for (unsigned i = 0; i < keys->count; i++) {
        struct arena_call call = call_of(ARENA_REMOVE);
        call.expiry = call.now + life;
        if (!set_name(&call, &keys->keys[i], &place))
            continue;
        enum arena_status status = run_until_free(&call);
        if (status == ARENA_DONE)
            atomic_fetch_add(&counters.deleted, 1);
        if (status == ARENA_BUSY)
            empty_behind(&call, ARENA_SPOIL);
    }
}

static bool memory_was_removed(const struct requests_session *known)
{
    struct record_place place;
    struct arena_call call = call_of(ARENA_LOOK);
    if (!place_of(&place, known))
        return false;
    if (!set_name(&call, &memory_keys_current()->keys[0], &place))
        return true; /* nobody can ask, so it must not resume */
    if (run_until_free(&call) != ARENA_GONE)
        return false;
    atomic_fetch_add(&counters.gone, 1);
    return true;
}

static bool memory_describe(char *json, size_t size)
{
    int length = snprintf(json, size, "\"store\":{\"kind\":\"%s\"", is_file ? "file" : "memory");
#define X(name)                                                                                    \
    if (length > 0 && (size_t)length < size)                                                       \
        length += snprintf(json + length, size - (size_t)length, ",\"" #name "\":%" PRIu64,        \
                           atomic_load(&counters.name));
    MEMORY_COUNTERS(X)
#undef X
    if (length > 0 && (size_t)length < size)
        length += snprintf(json + length, size - (size_t)length, "}");
    return length > 0 && (size_t)length < size;
}

/* ---- fork ---- */

/* The child's counters begin at 0. */
static void memory_fork_child(void)
{
    lock_make_free(&lock, LOCK_MEMORY_STORE);
    owner_fork_child();
#define X(name) atomic_store(&counters.name, 0);
    MEMORY_COUNTERS(X)
#undef X
}

const struct store_backend memory_backend = {
    .prepare = memory_prepare,
    .put = memory_put,
    .get = memory_get,
    .remove = memory_remove,
    .was_removed = memory_was_removed,
    .describe = memory_describe,
    .fork_child = memory_fork_child,
};
