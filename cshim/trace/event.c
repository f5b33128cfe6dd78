#define _GNU_SOURCE
#include "cshim/trace/event.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cshim/process/fork.h"
#include "cshim/process/objects.h"
#include "cshim/settings/config.h"

#define X(word, name) [word] = (name),
static const char *const operation_names[] = {EVENT_OPERATIONS(X)};
static const char *const outcome_names[] = {[OUTCOME_NONE] = NULL, EVENT_OUTCOMES(X)};
static const char *const cause_names[] = {[CAUSE_NONE] = NULL, EVENT_CAUSES(X)};
static const char *const role_names[] = {[ROLE_NONE] = NULL, EVENT_ROLES(X)};
#undef X

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

/* Where an address lies. */
struct location {
    const char *path;
    const char *symbol; /* NULL: unknown */
    uintptr_t base;
};

/* Without the linker, which may be locked for ever, no symbol is found. */
static bool locate_without_linker(const void *address, struct location *location)
{
    struct object object;
    if (!objects_containing(address, &object))
        return false;
    *location = (struct location){object.path, NULL, object.base};
    return true;
}

static bool locate(const void *address, struct location *location)
{
    Dl_info info;
    if (fork_has_locked_linker())
        return locate_without_linker(address, location);
    if (dladdr(address, &info) == 0)
        return false;
    *location = (struct location){info.dli_fname, info.dli_sname, (uintptr_t)info.dli_fbase};
    return true;
}

static void describe(const void *address, char *text, size_t size)
{
    struct location location;
    char module[64] = "", symbol[128] = "";
    /* The byte before the return address is in the caller for sure: a call may be the last instruction of a function. */
    if (!locate((const char *)address - 1, &location)) {
        snprintf(text, size, "{\"module\":\"\",\"symbol\":\"\"}");
        return;
    }
    const char *path = location.path[0] != '\0' ? location.path : config.program;
    const char *slash = strrchr(path, '/');
    copy_name(module, sizeof(module), slash != NULL ? slash + 1 : path);
    if (location.symbol != NULL)
        copy_name(symbol, sizeof(symbol), location.symbol);
    else
        snprintf(symbol, sizeof(symbol), "+0x%tx", (uintptr_t)address - location.base);
    snprintf(text, size, "{\"module\":\"%s\",\"symbol\":\"%s\"}", module, symbol);
}

/*
 * What was found for an address, since dladdr(3) goes through all symbols of an object and a program calls from few
 * places.
 */
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
    if (!fork_has_locked_linker())
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
    put_text(line, "outcome", outcome_names[event->outcome]);
    put_text(line, "cause",
             event->operation == EVENT_FALLBACK ? event->text : cause_names[event->cause]);
    if (event->caller != NULL)
        put(line, ",\"caller\":%s", describe_caller(event->caller));
    if (event->nanoseconds > 0)
        put(line, ",\"nanoseconds\":%" PRId64, event->nanoseconds);
}

static void put_rest(struct line *line, const struct event *event)
{
    switch (event->operation) {
    case EVENT_ADD:
        put_text(line, "role", role_names[event->role]);
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
    case EVENT_TAKE:
    case EVENT_GIVE:
        put_text(line, "function", event->text);
        break;
    default:
        break;
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
