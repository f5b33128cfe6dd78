/*
 * event.h - one event of a trace, as it waits to be written: fixed in size, all text constant. What it
 * means is said in docs/trace.md.
 */
#ifndef SSLCACHE_EVENT_H
#define SSLCACHE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "cshim/watch/counters.h"

enum event_operation {
    EVENT_CONTEXT,
    EVENT_FALLBACK,
    EVENT_COUNTERS,
    EVENT_ADD,
    EVENT_REMOVE,
    EVENT_LOOKUP,
    EVENT_EVICT,
    EVENT_EXPIRE,
    EVENT_FLUSH,
    EVENT_CALLBACK,
    EVENT_TAKE,
    EVENT_GIVE,
    EVENT_FREED,
    EVENT_REFUSED,
};

/* A field that is 0 or NULL is absent. */
struct event {
    int64_t time;        /* nanoseconds since 1970 */
    int64_t nanoseconds; /* how long it took */
    uint64_t session;    /* hash of version and id */
    uint64_t object;     /* token of the SSL_SESSION */
    const void *caller;  /* an address in what called */
    const char *outcome; /* these three: constant text */
    const char *cause;
    const char *function;      /* take, give */
    struct counters *counters; /* EVENT_COUNTERS: malloc'ed, freed by whoever writes the event */
    int64_t timeout;           /* add: seconds */
    int64_t number; /* add: protocol version; flush: sessions; evict: whether it was alive */
    uint32_t context;
    int32_t thread;
    enum event_operation operation;
};

enum { EVENT_TEXT_SIZE = COUNTERS_TEXT_SIZE + 1024 };

/* Writes the event as a line of JSON and answers how long it is. Only one thread at a time. */
size_t event_format(const struct event *event, int process, char *text, size_t size);

#endif
