#define _GNU_SOURCE
#include "cshim/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cshim/say.h"

struct config config;

static bool read_switch(const char *name, atomic_flag *said)
{
    const char *value = secure_getenv(name);
    if (value == NULL || strcmp(value, "0") == 0 || value[0] == '\0')
        return false;
    if (strcmp(value, "1") == 0)
        return true;
    say_once(said, "%s is neither 0 nor 1 but '%s': taken as 0", name, value);
    return false;
}

static const char *read_text(const char *name)
{
    const char *value = secure_getenv(name);
    return value != NULL && value[0] != '\0' ? strdup(value) : NULL;
}

static bool is_plain(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || strchr("-_.", letter) != NULL;
}

/* Such as it may stand in JSON, in a file's name and on a line. */
static void read_program(void)
{
    const char *name = program_invocation_short_name;
    size_t length = 0;
    for (; name[length] != '\0' && length < sizeof(config.program) - 1; length++)
        config.program[length] = is_plain(name[length]) ? name[length] : '_';
}

__attribute__((constructor)) static void config_read(void)
{
    static atomic_flag disable_said = ATOMIC_FLAG_INIT, verbose_said = ATOMIC_FLAG_INIT;
    read_program();
    config.report = read_text("SSLCACHE_REPORT");
    config.disabled = read_switch("SSLCACHE_DISABLE", &disable_said);
    config.verbose = read_switch("SSLCACHE_VERBOSE", &verbose_said);
}
