#include "settings.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "SSLCACHE_";

const struct setting settings_list[] = {
#define X(variable, kind, field, shown, help) {#variable, shown, help},
    SETTINGS(X)
#undef X
};

const size_t settings_count = sizeof(settings_list) / sizeof(settings_list[0]);

/* What is being read, and where a complaint about it goes. */
struct reading {
    const char *variable;
    const char *value;
    char *problem;
    size_t size;
};

/* A value may be anything: only so much of it is shown, and nothing that moves a terminal. */
static void shorten(char shown[64], const char *value)
{
    snprintf(shown, 64, "%.60s%s", value, strlen(value) > 60 ? "..." : "");
    for (char *letter = shown; *letter != '\0'; letter++)
        if (*letter < ' ' || *letter == 127)
            *letter = '?';
}

/* Writes "VARIABLE REASON, not 'VALUE'" and answers false, for the reader to return. */
static bool complain(const struct reading *reading, const char *value, const char *reason)
{
    char shown[64];
    shorten(shown, value);
    snprintf(reading->problem, reading->size, "%s %s, not '%s'", reading->variable, reason, shown);
    return false;
}

/* ---- numbers and durations ---- */

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* Digits from *text on, which then points behind them. By hand: strtoull takes signs and blanks. */
static bool take_number(const char **text, uint64_t *number)
{
    if (!is_digit(**text))
        return false;
    for (*number = 0; is_digit(**text); (*text)++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(**text - '0'), number))
            return false;
    return true;
}

struct unit {
    const char *name;
    int64_t nanoseconds;
};

static const struct unit units[] = {
    {"", 1000000000}, {"s", 1000000000},  {"ms", 1000000},
    {"us", 1000},     {"m", 60000000000}, {"h", 3600000000000},
};

/* A whole number and a unit, seconds where there is none: nanoseconds, above 0. */
static bool take_duration(const char *text, size_t length, int64_t *nanoseconds)
{
    uint64_t number;
    const char *end = text;
    if (!take_number(&end, &number) || number == 0 || number > INT64_MAX)
        return false;
    size_t rest = length - (size_t)(end - text);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == rest && strncmp(units[i].name, end, rest) == 0)
            return !__builtin_mul_overflow((int64_t)number, units[i].nanoseconds, nanoseconds);
    return false;
}

/* ---- one function for each kind of value ---- */

static bool read_switch(const struct reading *reading, bool *field)
{
    if (strcmp(reading->value, "0") != 0 && strcmp(reading->value, "1") != 0)
        return complain(reading, reading->value, "is 0 or 1");
    *field = reading->value[0] == '1';
    return true;
}

static bool read_text(const struct reading *reading, char *field, size_t size)
{
    size_t length = strlen(reading->value);
    if (length >= size) {
        snprintf(reading->problem, reading->size,
                 "%s is longer than the %zu bytes that can be used", reading->variable, size - 1);
        return false;
    }
    memcpy(field, reading->value, length + 1);
    return true;
}

static bool read_path(const struct reading *reading, char (*field)[SETTINGS_PATH_SIZE])
{
    return read_text(reading, *field, SETTINGS_PATH_SIZE);
}

static bool read_folder(const struct reading *reading, char (*field)[SETTINGS_FOLDER_SIZE])
{
    if (reading->value[0] != '/')
        return complain(reading, reading->value, "is a path that begins with /");
    return read_text(reading, *field, SETTINGS_FOLDER_SIZE);
}

/* An address may have a password in it, so no complaint may show it: whoever connects finds out what is wrong with it. */
static bool read_address(const struct reading *reading, char (*field)[SETTINGS_PATH_SIZE])
{
    return read_text(reading, *field, SETTINGS_PATH_SIZE);
}

static bool read_name(const struct reading *reading, char (*field)[SETTINGS_NAME_SIZE])
{
    return read_text(reading, *field, SETTINGS_NAME_SIZE);
}

static bool read_wait(const struct reading *reading, int64_t *field)
{
    const int64_t most = 10LL * 1000000000;
    if (!take_duration(reading->value, strlen(reading->value), field) || *field > most)
        return complain(reading, reading->value, "is a time up to 10s, such as 20ms");
    return true;
}

static bool read_size(const struct reading *reading, int64_t *field)
{
    uint64_t number;
    const char *end = reading->value;
    if (!take_number(&end, &number) || *end != '\0' || number >= INT64_MAX)
        return complain(reading, reading->value, "is a number of sessions, 0 for no limit");
    *field = (int64_t)number;
    return true;
}

static bool read_timeout(const struct reading *reading, int64_t *field)
{
    int64_t nanoseconds;
    const int64_t second = 1000000000, most = INT32_MAX;
    if (!take_duration(reading->value, strlen(reading->value), &nanoseconds) ||
        nanoseconds % second != 0 || nanoseconds / second > most)
        return complain(reading, reading->value,
                        "is a time of whole seconds above 0, such as 300, 300s, 5m or 2h");
    *field = nanoseconds / second;
    return true;
}

static bool read_mode(const struct reading *reading, enum settings_mode *field)
{
    static const char *const names[] = {"program", "on", "off", "no-lookup"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(reading->value, names[i]) != 0)
            continue;
        *field = (enum settings_mode)i;
        return true;
    }
    return complain(reading, reading->value, "is program, on, off or no-lookup");
}

static bool read_tickets(const struct reading *reading, enum settings_tickets *field)
{
    static const char *const names[] = {
        [TICKETS_PROGRAM] = "program",   [TICKETS_OFF] = "off",
        [TICKETS_SHARED] = "shared",     [TICKETS_SHARED_FORCED] = "shared!",
        [TICKETS_SHARED13] = "shared13", [TICKETS_SHARED13_FORCED] = "shared13!",
    };
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(reading->value, names[i]) != 0)
            continue;
        *field = (enum settings_tickets)i;
        return true;
    }
    return complain(reading, reading->value,
                    "is program, off, shared, shared!, shared13 or shared13!");
}

static bool read_core(const struct reading *reading, enum settings_core *field)
{
    if (strcmp(reading->value, "direct") != 0 && strcmp(reading->value, "cgo") != 0)
        return complain(reading, reading->value, "is direct or cgo");
    *field = strcmp(reading->value, "cgo") == 0 ? CORE_CGO : CORE_DIRECT;
    return true;
}

static bool read_client(const struct reading *reading, enum settings_client *field)
{
    if (strcmp(reading->value, "off") != 0 && strcmp(reading->value, "ftp") != 0)
        return complain(reading, reading->value, "is off or ftp");
    *field = strcmp(reading->value, "ftp") == 0 ? CLIENT_FTP : CLIENT_OFF;
    return true;
}

static bool read_seed(const struct reading *reading, uint64_t *field)
{
    const char *end = reading->value;
    if (!take_number(&end, field) || *end != '\0')
        return complain(reading, reading->value, "is a number from 0 to 18446744073709551615");
    return true;
}

/* ---- faults: NAME[:DURATION][:PROBABILITY | :1/N], joined by commas ---- */

static const char *const fault_names[FAULT_KINDS] = {
    [FAULT_ADD_FAILS] = "add=fail",        [FAULT_LOOKUP_MISS] = "lookup=miss",
    [FAULT_LOOKUP_SLOW] = "lookup=slow",   [FAULT_EXPIRE_NOW] = "expire=now",
    [FAULT_EVICT_RANDOM] = "evict=random", [FAULT_STORE_KILLS] = "store=kill",
};

const char *settings_fault_name(enum fault_kind kind)
{
    return fault_names[kind];
}

/* Takes the name off the front of a fault; FAULT_KINDS if it has none of ours. */
static enum fault_kind take_fault_name(const char **text)
{
    size_t length = strcspn(*text, ":");
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        if (strlen(fault_names[kind]) != length || strncmp(fault_names[kind], *text, length) != 0)
            continue;
        *text += length;
        return (enum fault_kind)kind;
    }
    return FAULT_KINDS;
}

/* From 0 to 1, by hand: what strtod takes for a point depends on the program's locale. */
static bool take_probability(const char *text, uint32_t *billionths)
{
    uint64_t whole, parts = 0;
    uint32_t weight = 1000000000;
    if (!take_number(&text, &whole) || whole > 1)
        return false;
    if (*text == '.' && is_digit(text[1]))
        for (text++; is_digit(*text); text++)
            parts += (uint64_t)(*text - '0') * (weight /= 10);
    *billionths = (uint32_t)(whole * 1000000000 + parts);
    return *text == '\0' && *billionths <= 1000000000;
}

/* "1/N" */
static bool take_fraction(const char *text, uint64_t *every)
{
    if (strncmp(text, "1/", 2) != 0)
        return false;
    text += 2;
    return take_number(&text, every) && *text == '\0' && *every > 0;
}

static bool take_delay(const char **text, int64_t *nanoseconds)
{
    if (**text != ':')
        return false;
    const char *start = *text + 1;
    size_t length = strcspn(start, ":");
    *text = start + length;
    return take_duration(start, length, nanoseconds);
}

static bool read_fault(const struct reading *reading, const char *text,
                       struct settings_fault faults[FAULT_KINDS])
{
    const char *rest = text;
    enum fault_kind kind = take_fault_name(&rest);
    if (kind == FAULT_KINDS)
        return complain(reading, text,
                        "is add=fail, lookup=miss, lookup=slow:DURATION, expire=now, evict=random "
                        "or store=kill");
    struct settings_fault *fault = &faults[kind];
    if (fault->every != 0 || fault->billionths != 0)
        return complain(reading, text, "has each fault once");
    if (kind == FAULT_LOOKUP_SLOW && !take_delay(&rest, &fault->delay))
        return complain(reading, text, "has a time behind lookup=slow, such as lookup=slow:50ms");
    if (*rest == '\0') {
        fault->every = 1;
        return true;
    }
    if (!take_fraction(rest + 1, &fault->every) && !take_probability(rest + 1, &fault->billionths))
        return complain(reading, text,
                        "has a probability from 0 to 1 or a fraction 1/N at the end");
    return true;
}

static bool read_faults(const struct reading *reading, struct settings_fault (*faults)[FAULT_KINDS])
{
    char text[256];
    for (const char *start = reading->value; start != NULL;) {
        size_t length = strcspn(start, ",");
        if (length >= sizeof(text))
            return complain(reading, start, "has short faults");
        memcpy(text, start, length);
        text[length] = '\0';
        if (!read_fault(reading, text, *faults))
            return false;
        start = start[length] == ',' ? start + length + 1 : NULL;
    }
    return true;
}

/* ---- all of them ---- */

static bool has_fault(const struct settings *settings)
{
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        if (settings->faults[kind].every != 0 || settings->faults[kind].billionths != 0)
            return true;
    return false;
}

bool settings_read(struct settings *settings, const char *(*look_up)(const char *variable),
                   char *problem, size_t size)
{
    *settings = (struct settings)SETTINGS_DEFAULTS;
#define X(variable, kind, field, shown, help)                                                      \
    {                                                                                              \
        struct reading reading = {#variable, look_up(#variable), problem, size};                   \
        if (reading.value != NULL && reading.value[0] != '\0' &&                                   \
            !read_##kind(&reading, &settings->field))                                              \
            return false;                                                                          \
    }
    SETTINGS(X)
#undef X
    settings->faulty = has_fault(settings);
    return true;
}

/* ---- names that are not in the list ---- */

/* How many letters must be changed, put in or left out to make one name of the other. */
static unsigned distance(const char *name, size_t length, const char *setting)
{
    enum { LONGEST = 63 };
    unsigned row[LONGEST + 1];
    size_t width = strlen(setting);
    if (length > LONGEST || width > LONGEST)
        return LONGEST;
    for (unsigned j = 0; j <= width; j++)
        row[j] = j;
    for (unsigned i = 1; i <= length; i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            unsigned changed = corner + (name[i - 1] != setting[j - 1]);
            unsigned shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            corner = row[j];
            row[j] = changed < shorter ? changed : shorter;
        }
    }
    return row[width];
}

static const char *nearest(const char *name, size_t length, unsigned *least)
{
    const char *chosen = NULL;
    for (size_t i = 0; i < settings_count; i++) {
        unsigned far = distance(name, length, settings_list[i].variable);
        if (chosen != NULL && far >= *least)
            continue;
        chosen = settings_list[i].variable;
        *least = far;
    }
    return chosen;
}

bool settings_concern(const char *line)
{
    return strncmp(line, prefix, sizeof(prefix) - 1) == 0;
}

bool settings_know(const char *line, char *problem, size_t size)
{
    size_t length = strcspn(line, "=");
    if (!settings_concern(line))
        return true;
    unsigned changes = 0;
    const char *closest = nearest(line, length, &changes);
    if (changes == 0)
        return true;
    char shown[64], name[64];
    snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), line);
    shorten(shown, name);
    if (changes <= 2)
        snprintf(problem, size, "%s is not a setting; did you mean %s?", shown, closest);
    else
        snprintf(problem, size, "%s is not a setting", shown);
    return false;
}
