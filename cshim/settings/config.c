#define _GNU_SOURCE
#include "cshim/settings/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "cshim/process/say.h"

/* Usable before config_read has run: constructors of other libraries may use TLS before ours. */
struct config config = {.settings = SETTINGS_DEFAULTS};

const char *config_application(void)
{
    return config.settings.app[0] != '\0' ? config.settings.app : config.program;
}

static bool is_plain(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || strchr("-_.", letter) != NULL;
}

/* Its letters are such as may stand in JSON and in the name of a file. */
static void read_program(void)
{
    const char *name = program_invocation_short_name;
    size_t length = 0;
    for (; name[length] != '\0' && length < sizeof(config.program) - 1; length++)
        config.program[length] = is_plain(name[length]) ? name[length] : '_';
}

static void read_run_folder(void)
{
    const char *folder = secure_getenv("XDG_RUNTIME_DIR");
    if (folder != NULL && folder[0] == '/' && strlen(folder) < sizeof(config.run_folder))
        strcpy(config.run_folder, folder);
}

/* A file of ours is opened late, when the program may have changed its folder. */
static bool make_absolute(char path[SETTINGS_PATH_SIZE], const char *variable, char *problem)
{
    char folder[SETTINGS_PATH_SIZE];
    if (path[0] == '\0' || path[0] == '/')
        return true;
    size_t length = strlen(path);
    if (getcwd(folder, sizeof(folder)) == NULL ||
        strlen(folder) + length + 2 > SETTINGS_PATH_SIZE) {
        snprintf(problem, SETTINGS_PROBLEM_SIZE, "%s must be a path that begins with / here",
                 variable);
        return false;
    }
    size_t before = strlen(folder);
    memmove(path + before + 1, path, length + 1);
    memcpy(path, folder, before);
    path[before] = '/';
    return true;
}

/* Whether any variable of ours is set. If not, the settings' pages are never written to, and cost no memory. */
static bool is_asked(void)
{
    for (char **line = environ; line != NULL && *line != NULL; line++)
        if (settings_concern(*line))
            return getauxval(AT_SECURE) == 0;
    return false;
}

static bool knows_environment(char *problem)
{
    for (char **line = environ; line != NULL && *line != NULL; line++)
        if (!settings_know(*line, problem, SETTINGS_PROBLEM_SIZE))
            return false;
    return true;
}

static const char *look_up(const char *variable)
{
    return getenv(variable);
}

static bool read_settings(struct settings *settings, char *problem)
{
    return knows_environment(problem) &&
           settings_read(settings, look_up, problem, SETTINGS_PROBLEM_SIZE) &&
           make_absolute(settings->report, "SSLCACHE_REPORT", problem) &&
           make_absolute(settings->trace, "SSLCACHE_TRACE", problem) &&
           make_absolute(settings->store_key, "SSLCACHE_STORE_KEY", problem) &&
           make_absolute(settings->store_password_file, "SSLCACHE_STORE_PASSWORD_FILE", problem);
}

/* Before all other constructors of ours. */
__attribute__((constructor(101))) static void config_read(void)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    char problem[SETTINGS_PROBLEM_SIZE];
    say_prepare();
    read_program();
    if (!is_asked())
        return;
    read_run_folder();
    if (read_settings(&config.settings, problem))
        return;
    config.settings = (struct settings)SETTINGS_DEFAULTS;
    config.settings.disable = true;
    say_once(&was_said, "%s: the program runs untouched", problem);
}
