#define _GNU_SOURCE
#include "cshim/watch/event.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const operation_names[] = {
    [EVENT_CONTEXT] = "context",   [EVENT_FALLBACK] = "fallback", [EVENT_COUNTERS] = "counters",
    [EVENT_ADD] = "add",           [EVENT_REMOVE] = "remove",     [EVENT_LOOKUP] = "lookup",
    [EVENT_EVICT] = "evict",       [EVENT_EXPIRE] = "expire",     [EVENT_FLUSH] = "flush",
    [EVENT_CALLBACK] = "callback", [EVENT_TAKE] = "take",         [EVENT_GIVE] = "give",
    [EVENT_FREED] = "freed",       [EVENT_REFUSED] = "refused",
};

/* ---- who called ---- */

/* Names of objects and symbols as they may stand in JSON. */
static void copy_name(char *to, size_t size, const char *from)
{
    size_t length = 0;
    for (; from[length] != '\0' && length < size - 1; length++) {
        char letter = from[length];
        bool is_plain = letter > ' ' && letter < 127 && letter != '"' && letter != '\\';
        to[length] = is_plain ? letter : '_';
    }
    to[length] = '\0';
}

static void describe(const void *address, char *text, size_t size)
{
    Dl_info info;
    char module[64] = "", symbol[128] = "";
    /* The byte before it: a call may be the last instruction of a function. */
    if (dladdr((const char *)address - 1, &info) == 0) {
        snprintf(text, size, "{\"module\":\"\",\"symbol\":\"\"}");
        return;
    }
    const char *slash = strrchr(info.dli_fname, '/');
    copy_name(module, sizeof(module), slash != NULL ? slash + 1 : info.dli_fname);
    if (info.dli_sname != NULL)
        copy_name(symbol, sizeof(symbol), info.dli_sname);
    else
        snprintf(symbol, sizeof(symbol), "+0x%tx", (const char *)address - (char *)info.dli_fbase);
    snprintf(text, size, "{\"module\":\"%s\",\"symbol\":\"%s\"}", module, symbol);
}

/* dladdr walks the symbols of an object, and a program calls from few places. */
static struct place {
    const void *address;
    char text[256];
} places[256];

static unsigned long long unloads_seen;

static int forget_places(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (object->dlpi_subs != unloads_seen)
        memset(places, 0, sizeof(places));
    unloads_seen = object->dlpi_subs;
    return 1;
}

static const char *describe_caller(const void *address)
{
    struct place *place = &places[((uintptr_t)address >> 2) % 256];
    dl_iterate_phdr(forget_places, NULL);
    if (place->address != address) {
        describe(address, place->text, sizeof(place->text));
        place->address = address;
    }
    return place->text;
}

/* ---- the line ---- */

struct line {
    char *text;
    size_t size;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line->length +=
        (size_t)vsnprintf(line->text + line->length, line->size - line->length, format, arguments);
    va_end(arguments);
}

static void put_text(struct line *line, const char *name, const char *value)
{
    if (value != NULL)
        put(line, ",\"%s\":\"%s\"", name, value);
}

static void put_head(struct line *line, const struct event *event, int process)
{
    put(line, "{\"time\":%" PRId64 ".%06" PRId64 ",\"process\":%d,\"thread\":%" PRId32,
        event->time / 1000000000, event->time % 1000000000 / 1000, process, event->thread);
    put_text(line, "operation", operation_names[event->operation]);
    if (event->context != 0)
        put(line, ",\"context\":%" PRIu32, event->context);
    if (event->session != 0)
        put(line, ",\"session\":\"%016" PRIx64 "\"", event->session);
    if (event->object != 0)
        put(line, ",\"object\":\"%" PRIx64 "\"", event->object);
    put_text(line, "outcome", event->outcome);
    put_text(line, "cause", event->cause);
    if (event->caller != NULL)
        put(line, ",\"caller\":%s", describe_caller(event->caller));
    if (event->nanoseconds > 0)
        put(line, ",\"nanoseconds\":%" PRId64, event->nanoseconds);
}

static void put_rest(struct line *line, const struct event *event)
{
    switch (event->operation) {
    case EVENT_ADD:
        put(line, ",\"timeout\":%" PRId64 ",\"version\":%" PRId64, event->timeout, event->number);
        break;
    case EVENT_EVICT:
        put(line, ",\"alive\":%s", event->number != 0 ? "true" : "false");
        break;
    case EVENT_FLUSH:
        put(line, ",\"sessions\":%" PRId64, event->number);
        break;
    case EVENT_COUNTERS:
        put(line, ",");
        line->length +=
            counters_format(event->counters, line->text + line->length, line->size - line->length);
        break;
    default:
        put_text(line, "function", event->function);
    }
}

size_t event_format(const struct event *event, int process, char *text, size_t size)
{
    struct line line = {.text = text, .size = size, .length = 0};
    put_head(&line, event, process);
    put_rest(&line, event);
    put(&line, "}\n");
    return line.length;
}
