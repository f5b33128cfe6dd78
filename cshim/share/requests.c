#define _GNU_SOURCE
#include "cshim/share/requests.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "cshim/process/background.h"
#include "cshim/process/clock.h"
#include "cshim/process/futex.h"

static const int64_t second = 1000000000;

/* A request, with the memory of its session behind it. */
struct request {
    struct store_request go; /* first: Go knows it by this address */
    struct request *next;    /* in the queue */
    struct wait *
        wait; /* of the caller that waits for the answer; NULL: a write, whose answer is not waited for */
    unsigned waiting; /* the word that the wait has until it is answered or left */
    uint32_t size;    /* of the session's memory */
    unsigned char session[];
};

static void wipe_and_free(struct request *request)
{
    uint32_t written = request->go.length < request->size ? request->go.length : request->size;
    explicit_bzero(request->session, written);
    free(request);
}

/* ---- those who wait ---- */

/*
 * Who owns the request of a look-up is said by its wait, in one word: a number that is another for each look-up, and
 * one of these states. Each step is one exchange of the word. Waits are never freed, so that a caller may come late, or
 * never.
 */
enum { FREE, WAITING, ANSWERED, LEFT, WAIT_STATES };

struct wait {
    atomic_uint word;
    atomic_bool is_with_go; /* Go has it */
    _Atomic(struct request *) request;
    _Atomic int64_t deadline;
};

enum { WAITS_MAX = 1024 };

static struct wait waits[WAITS_MAX];
static atomic_uint waits_in_use, last_wait;

static unsigned state_of(unsigned word)
{
    return word % WAIT_STATES;
}

static bool change(struct wait *wait, unsigned waiting, unsigned from, unsigned to)
{
    unsigned expected = waiting - WAITING + from;
    if (!atomic_compare_exchange_strong(&wait->word, &expected, waiting - WAITING + to))
        return false;
    if (to == FREE)
        atomic_fetch_sub(&waits_in_use, 1);
    return true;
}

/* Gives the request a wait. False: so many wait already. */
static bool take_wait(struct request *request, int64_t deadline)
{
    for (int i = 0; i < WAITS_MAX; i++) {
        struct wait *wait = &waits[atomic_fetch_add(&last_wait, 1) % WAITS_MAX];
        unsigned word = atomic_load(&wait->word);
        unsigned waiting = word + WAIT_STATES + WAITING;
        if (state_of(word) != FREE || !atomic_compare_exchange_strong(&wait->word, &word, waiting))
            continue;
        atomic_fetch_add(&waits_in_use, 1);
        atomic_store(&wait->is_with_go, false);
        atomic_store(&wait->request, request);
        atomic_store(&wait->deadline, deadline);
        request->wait = wait;
        request->waiting = waiting;
        return true;
    }
    return false;
}

/* Called by Go, or instead of it, when a request is done. It is the waiting caller's then; if that has left, it is freed. */
static void answer(struct store_request *go)
{
    struct request *request = (struct request *)go;
    struct wait *wait = request->wait;
    if (change(wait, request->waiting, WAITING, ANSWERED))
        futex_wake(&wait->word);
    else {
        change(wait, request->waiting, LEFT, FREE);
        wipe_and_free(request);
    }
}

/* What was answered and never fetched: its caller has left by longjmp. */
static void free_forgotten(void)
{
    int64_t now = clock_now(CLOCK_MONOTONIC);
    for (int i = 0; i < WAITS_MAX; i++) {
        struct wait *wait = &waits[i];
        unsigned word = atomic_load(&wait->word);
        if (state_of(word) != ANSWERED || now < atomic_load(&wait->deadline) + second)
            continue;
        struct request *request = atomic_load(&wait->request);
        if (change(wait, word - ANSWERED + WAITING, ANSWERED, FREE))
            wipe_and_free(request);
    }
}

/* ---- the queue ---- */

/* What was pushed, the newest first. It is taken out as a whole. */
struct queue {
    _Atomic(struct request *) newest;
};

enum { QUEUE_MAX = 8192, QUEUE_BYTES_MAX = 8 << 20 };

static struct queue lookups, writes;
static atomic_uint queued, queued_bytes; /* of both */
static atomic_uint
    pushes; /* how many requests were pushed so far; the thread sleeps on this word */
static atomic_ulong dropped, skipped, timed_out;

/*
 * A request was not taken out in time: the runtime has not started yet, or can't go on. Until it does, nobody waits for
 * it, and no session is kept for it.
 */
static atomic_bool is_stalled;
static _Atomic int64_t last_taken; /* by CLOCK_MONOTONIC */

static bool has_stalled(void)
{
    if (atomic_load(&queued) > 0 && clock_now(CLOCK_MONOTONIC) - atomic_load(&last_taken) > second)
        atomic_store(&is_stalled, true);
    return atomic_load(&is_stalled);
}

static bool has_room(int operation, uint32_t size)
{
    if (operation == STORE_PUT && has_stalled())
        return false;
    return atomic_load(&queued) < QUEUE_MAX && atomic_load(&queued_bytes) + size <= QUEUE_BYTES_MAX;
}

static void push(struct queue *queue, struct request *request)
{
    if (atomic_fetch_add(&queued, 1) == 0)
        atomic_store(&last_taken, clock_now(CLOCK_MONOTONIC));
    atomic_fetch_add(&queued_bytes, request->size);
    request->next = atomic_load(&queue->newest);
    while (!atomic_compare_exchange_weak(&queue->newest, &request->next, request))
        ;
    atomic_fetch_add(&pushes, 1);
    futex_wake(&pushes);
}

/* All that was pushed, the oldest first. */
static struct request *take_all(struct queue *queue)
{
    struct request *oldest = NULL, *next;
    for (struct request *each = atomic_exchange(&queue->newest, NULL); each != NULL; each = next) {
        next = each->next;
        each->next = oldest;
        oldest = each;
    }
    return oldest;
}

static void take_out(const struct request *request)
{
    atomic_fetch_sub(&queued, 1);
    atomic_fetch_sub(&queued_bytes, request->size);
    atomic_store(&last_taken, clock_now(CLOCK_MONOTONIC));
}

/* ---- the thread ---- */

enum { ASLEEP, RUNS, OFF };

static atomic_uint thread = ASLEEP;
static const struct requests_user *user;

enum { COUNTERS = -1 }; /* an operation beside those of enum store_operation */

static void answer_counters(const struct store_functions *store, struct request *request)
{
    struct store_stats stats = {0};
    store->store_stats(&stats);
    memcpy(request->session, &stats, sizeof(stats));
    answer(&request->go);
}

static void look_up(const struct store_functions *store, struct request *request)
{
    take_out(request);
    atomic_store(&request->wait->is_with_go, true);
    if (request->go.operation == COUNTERS)
        answer_counters(store, request);
    else
        store->store_serve(&request->go); /* Go's, until it is answered */
}

static void look_up_all(const struct store_functions *store)
{
    struct request *next;
    for (struct request *each = take_all(&lookups); each != NULL; each = next) {
        next = each->next;
        look_up(store, each);
    }
}

/* Nobody waits for a write: look-ups go before it. */
static void write_all(const struct store_functions *store)
{
    struct request *next;
    for (struct request *each = take_all(&writes); each != NULL; each = next) {
        next = each->next;
        look_up_all(store);
        take_out(each);
        store->store_serve(&each->go);
        wipe_and_free(each);
    }
}

/* Of a store that is off. */
static void give_all_up(void)
{
    struct request *next;
    for (struct request *each = take_all(&lookups); each != NULL; each = next) {
        next = each->next;
        each->go.length = 0;
        answer(&each->go);
    }
    for (struct request *each = take_all(&writes); each != NULL; each = next) {
        next = each->next;
        wipe_and_free(each);
    }
}

static void sleep_until_pushed(unsigned seen)
{
    int64_t deadline =
        atomic_load(&waits_in_use) > 0 ? clock_now(CLOCK_MONOTONIC) + second : INT64_MAX;
    if (!futex_wait(&pushes, seen, deadline))
        free_forgotten();
}

static void *work(void *unused)
{
    prctl(PR_SET_NAME, "sslcache-store");
    const struct store_functions *store = user->open(answer);
    for (unsigned seen; store != NULL && user->look(store); sleep_until_pushed(seen)) {
        seen = atomic_load(&pushes);
        atomic_store(&is_stalled, false);
        look_up_all(store);
        write_all(store);
    }
    atomic_store(&thread, OFF);
    give_all_up();
    return unused;
}

void requests_prepare(const struct requests_user *its_user)
{
    user = its_user;
}

/*
 * Makes the thread, once in a process. Signals are blocked: a handler of the program that leaves by longjmp would else
 * leave behind a thread that is never made.
 */
static bool make_thread(void)
{
    unsigned asleep = ASLEEP;
    sigset_t all, mask;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    bool is_first = atomic_compare_exchange_strong(&thread, &asleep, RUNS);
    bool is_made = !is_first || background_start(work);
    if (!is_made)
        atomic_store(&thread, OFF);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (!is_made)
        user->note_off("no thread can be made");
    return is_made;
}

static bool has_thread(void)
{
    unsigned now = atomic_load_explicit(&thread, memory_order_acquire);
    return now == ASLEEP ? make_thread() : now == RUNS;
}

/* ---- requests ---- */

static struct request *new_request(int operation, const struct requests_session *session,
                                   uint32_t size)
{
    if (!has_thread())
        return NULL;
    struct request *request = has_room(operation, size) ? malloc(sizeof(*request) + size) : NULL;
    if (request == NULL) {
        atomic_fetch_add(operation == STORE_PUT || operation == STORE_REMOVE ? &dropped : &skipped,
                         1);
        return NULL;
    }
    *request = (struct request){
        .go = {.operation = operation, .length = size, .session = request->session},
        .size = size,
    };
    if (session == NULL)
        return request;
    request->go.version = session->version;
    request->go.context_length = (uint8_t)session->context_length;
    request->go.id_length = (uint8_t)session->id_length;
    memcpy(request->go.context, session->context, session->context_length);
    memcpy(request->go.id, session->id, session->id_length);
    return request;
}

struct store_request *requests_new_put(const struct requests_session *session, uint32_t length)
{
    struct request *request = new_request(STORE_PUT, session, length);
    return request != NULL ? &request->go : NULL;
}

void requests_push(struct store_request *request)
{
    push(&writes, (struct request *)request);
}

void requests_give_up(struct store_request *request)
{
    wipe_and_free((struct request *)request);
}

void requests_remove(const struct requests_session *session, int64_t life)
{
    struct request *request = new_request(STORE_REMOVE, session, 0);
    if (request == NULL)
        return;
    request->go.life = life;
    push(&writes, request);
}

/* The answer, which is the caller's then, or NULL. The request may be gone as soon as it is answered or left. */
static struct request *wait_for(struct request *request, int64_t deadline)
{
    struct wait *wait = request->wait;
    unsigned waiting = request->waiting;
    push(&lookups, request);
    while (atomic_load(&wait->word) == waiting && futex_wait(&wait->word, waiting, deadline))
        ;
    bool is_with_go = atomic_load(&wait->is_with_go);
    if (change(wait, waiting, WAITING, LEFT)) {
        if (is_with_go)
            return NULL; /* Go counts it */
        atomic_store(&is_stalled, true);
        atomic_fetch_add(&timed_out, 1);
        return NULL;
    }
    return change(wait, waiting, ANSWERED, FREE) ? request : NULL;
}

static struct request *ask(struct request *request, int64_t deadline)
{
    if (request == NULL)
        return NULL;
    if (!take_wait(request, deadline)) {
        atomic_fetch_add(&skipped, 1);
        wipe_and_free(request);
        return NULL;
    }
    return wait_for(request, deadline);
}

static _Atomic uint64_t waited, slowest;

static void count_wait(uint64_t time)
{
    uint64_t before = atomic_load(&slowest);
    atomic_fetch_add(&waited, time);
    while (before < time && !atomic_compare_exchange_weak(&slowest, &before, time))
        ;
}

struct store_request *requests_get(const struct requests_session *session, bool take,
                                   int64_t timeout)
{
    if (atomic_load(&is_stalled)) {
        atomic_fetch_add(&skipped, 1);
        return NULL;
    }
    int64_t begin = clock_now(CLOCK_MONOTONIC);
    struct request *answered = ask(
        new_request(take ? STORE_TAKE : STORE_GET, session, STORE_SESSION_MAX), begin + timeout);
    count_wait((uint64_t)(clock_now(CLOCK_MONOTONIC) - begin));
    if (answered == NULL || answered->go.length > 0)
        return answered != NULL ? &answered->go : NULL;
    wipe_and_free(answered);
    return NULL;
}

bool requests_stats(struct store_stats *stats, struct requests_waits *waits_so_far)
{
    const int64_t patience = second / 5;
    if (atomic_load(&thread) != RUNS)
        return false;
    *stats = (struct store_stats){0};
    struct request *counters =
        ask(new_request(COUNTERS, NULL, sizeof(*stats)), clock_now(CLOCK_MONOTONIC) + patience);
    if (counters != NULL) {
        memcpy(stats, counters->session, sizeof(*stats));
        wipe_and_free(counters);
    }
    stats->dropped += atomic_load(&dropped);
    stats->skipped += atomic_load(&skipped);
    stats->timed_out += atomic_load(&timed_out);
    stats->queued += atomic_load(&queued);
    *waits_so_far = (struct requests_waits){atomic_load(&waited), atomic_load(&slowest)};
    return true;
}

/* ---- fork ---- */

/* Nothing is freed: the fork may have interrupted malloc. */
void requests_fork_child(void)
{
    if (atomic_load(&thread) == ASLEEP)
        return;
    for (int i = 0; i < WAITS_MAX; i++) {
        unsigned word = atomic_load(&waits[i].word);
        atomic_store(&waits[i].word, word - state_of(word) + WAIT_STATES + FREE);
    }
    atomic_store(&lookups.newest, NULL);
    atomic_store(&writes.newest, NULL);
    atomic_store(&queued, 0);
    atomic_store(&queued_bytes, 0);
    atomic_store(&waits_in_use, 0);
    atomic_store(&is_stalled, false);
    atomic_store(&dropped, 0);
    atomic_store(&skipped, 0);
    atomic_store(&timed_out, 0);
    atomic_store(&waited, 0);
    atomic_store(&slowest, 0);
    atomic_store(&thread, ASLEEP);
}
