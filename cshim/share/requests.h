/*
 * requests.h - what is asked of the store, on its way from the program's threads to those of the library.
 *
 * No thread of the program calls Go. It puts a request into a queue; a thread of the library's own takes it out, starts
 * Go's runtime with the first one, and hands it on. A look-up is waited for, asleep, until its deadline; nothing else
 * is. No lock is held at any time, and a program may leave the wait in whatever way it likes, by longjmp(3) too: the
 * memory that Go writes to is the queue's own.
 */
#ifndef SSLCACHE_REQUESTS_H
#define SSLCACHE_REQUESTS_H

#include <stdbool.h>

#include "capi/store.h"

/* The store, as its thread uses it: all is called on that thread, but for note_off. */
struct requests_user {
    /* Opens the store. `answered` is what Go calls when a look-up is done. NULL: the store stays off in this process. */
    const struct store_functions *(*open)(void (*answered)(struct store_request *request));
    /* Whether the store can still be asked, before it is asked. */
    bool (*look)(const struct store_functions *store);
    /* To be told why the store stays off. */
    void (*note_off)(const char *reason);
};

/* To be called before the first request. */
void requests_prepare(const struct requests_user *user);

/* A session that goes to the store. */
struct requests_session {
    const unsigned char
        *context; /* the session id context; it and the id are of STORE_ID_MAX bytes at most */
    const unsigned char *id;
    unsigned int context_length;
    unsigned int id_length;
    int version;
};

/*
 * A request to put a session of that length, STORE_SESSION_MAX at most, or NULL: there is too much in the queue, or no
 * memory. The caller writes it to request->session and its life, and pushes the request or gives it up.
 */
struct store_request *requests_new_put(const struct requests_session *session, uint32_t length);
void requests_push(struct store_request *request);
void requests_give_up(struct store_request *request);

/*
 * Looks the session up, and waits for the answer until `timeout` nanoseconds from now at most. The caller gives the
 * request up when it has read request->session. NULL: there is none, or no answer in time.
 */
struct store_request *requests_get(const struct requests_session *session, bool take,
                                   int64_t timeout);

/* Removes a session that has so many seconds to live. */
void requests_remove(const struct requests_session *session, int64_t life);

/* What look-ups have waited so far, nanoseconds. */
struct requests_waits {
    uint64_t together;
    uint64_t slowest;
};

/* The counters of Go and of the queue. False: nothing was asked for in this process, or Go does not answer. */
bool requests_stats(struct store_stats *stats, struct requests_waits *waits);

/* Fork handler: also in a signal handler that interrupted one of these functions. What was under way is the parent's. */
void requests_fork_child(void);

#endif
