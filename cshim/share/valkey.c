/* valkey.c - the store that is a server: how the library's own thread opens and keeps the client in internal/store. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>

#include "cshim/core/golibrary.h"
#include "cshim/process/clock.h"
#include "cshim/process/futex.h"
#include "cshim/settings/config.h"
#include "cshim/share/backend.h"
#include "cshim/share/key_text.h"
#include "cshim/share/password.h"

static struct secret_file *given; /* to Go */
static bool go_has_keys;

static const struct store_functions *open_store(void (*answered)(struct store_request *request))
{
    static struct store_settings settings;
    const char *reason;
    char problem[256];
    const struct go_library *library = golibrary_start(&reason);
    if (library == NULL) {
        store_note_off(reason);
        return NULL;
    }
    settings = (struct store_settings){
        .address = config.settings.store,
        .password = password_text(),
        .application = config_application(),
        .timeout = config.settings.store_timeout,
        .answered = answered,
    };
    given = NULL;
    go_has_keys = false;
    if (library->store.store_open(&settings, problem, sizeof(problem)) != 0)
        return &library->store;
    store_note_off(problem);
    store_turn_off();
    return NULL;
}

/*
 * Gives Go the newest keys that it has not seen. Where those are no keys, and Go has none yet, as in a forked child, it gets
 * older ones.
 */
static void give_keys(const struct store_functions *store)
{
    char problem[256];
    struct secret_file *newest = key_text_newest(), *keys = newest;
    for (; keys != given; keys = keys->older) {
        if (store->store_keys(keys->text, keys->length, problem, sizeof(problem)) != 0) {
            go_has_keys = true;
            break;
        }
        store_note(STORE_KEYS_UNUSABLE, "the keys in %s can't be used: %s; %s",
                   config.settings.store_key, problem,
                   go_has_keys ? "those from before stay" : "the store stays off");
        if (go_has_keys)
            break;
    }
    given = newest;
}

static bool look(const struct store_functions *store)
{
    static int64_t next_look;
    const int64_t every = 1000000000;
    int64_t now = clock_now(CLOCK_MONOTONIC);
    if (given != NULL && now < next_look)
        return true;
    next_look = now + every;
    key_text_look();
    give_keys(store);
    if (!go_has_keys)
        store_turn_off();
    return go_has_keys;
}

static const struct requests_user user = {open_store, look, store_note_off};

static bool valkey_prepare(bool again)
{
    if (again) {
        key_text_look();
        return true;
    }
    requests_prepare(&user);
    if (!store_find_keys())
        return false;
    const char *fault = password_read();
    if (fault != NULL) {
        store_note(STORE_STAYS_OFF, "the store stays off: the password in %s can't be used: %s",
                   config.settings.store_password_file, fault);
        return false;
    }
    fault = golibrary_load();
    if (fault != NULL)
        store_note_off(fault);
    return fault == NULL;
}

static bool valkey_put(const struct requests_session *known, SSL_SESSION *session, uint32_t length,
                       int64_t life, bool single_use)
{
    struct store_request *request = requests_new_put(known, length);
    if (request == NULL)
        return false;
    if (!store_serialise(session, request->session, length)) {
        requests_give_up(request);
        return false;
    }
    request->life = life;
    request->single_use = single_use;
    requests_push(request);
    return true;
}

static SSL_SESSION *valkey_get(const struct requests_session *known, bool take)
{
    struct store_request *answer = requests_get(known, take, config.settings.store_timeout);
    if (answer == NULL)
        return NULL;
    SSL_SESSION *session = store_parse(answer->session, answer->length);
    requests_give_up(answer);
    return session;
}

static void valkey_remove(const struct requests_session *known, int64_t life)
{
    requests_remove(known, life);
}

static bool valkey_describe(char *json, size_t size)
{
    struct store_stats stats;
    struct requests_waits waits;
    if (!requests_stats(&stats, &waits))
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

static void valkey_fork_child(void)
{
    requests_fork_child();
    golibrary_fork_child();
}

const struct store_backend valkey_backend = {
    .prepare = valkey_prepare,
    .put = valkey_put,
    .get = valkey_get,
    .remove = valkey_remove,
    .describe = valkey_describe,
    .fork_child = valkey_fork_child,
};
