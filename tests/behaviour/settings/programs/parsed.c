/* What the parser of the settings makes of the environment, compiled from its own source. */
#include "../../../../cshim/settings/settings.c"

#include <inttypes.h>
#include <stdlib.h>

static const char *look_up(const char *variable)
{
    return getenv(variable);
}

int main(int count, char **arguments)
{
    struct settings settings;
    char problem[SETTINGS_PROBLEM_SIZE];
    for (int i = 1; i < count; i++)
        if (!settings_know(arguments[i], problem, sizeof(problem)))
            return puts(problem) == EOF;
    if (!settings_read(&settings, look_up, problem, sizeof(problem)))
        return puts(problem) == EOF;
    printf("disable %d verbose %d live %d report '%s' trace '%s' folder '%s'\n", settings.disable,
           settings.verbose, settings.live, settings.report, settings.trace, settings.run_folder);
    printf("size %" PRId64 " timeout %" PRId64 " mode %d tickets %d client %d seed %" PRIu64 "\n",
           settings.size, settings.timeout, settings.mode, settings.tickets, settings.client,
           settings.seed);
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        const struct settings_fault *fault = &settings.faults[kind];
        if (fault->every != 0 || fault->billionths != 0)
            printf("%s every %" PRIu64 " billionths %" PRIu32 " delay %" PRId64 "\n",
                   settings_fault_name(kind), fault->every, fault->billionths, fault->delay);
    }
    printf("faulty %d\n", settings.faulty);
    return 0;
}
