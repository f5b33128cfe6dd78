/*
 * report.c - SSLCACHE_REPORT: at its end, a process that has used the cache adds one line of JSON
 * with its counters to a file. A process that ends by a signal or _exit(2) has no end to report at.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cshim/context/context.h"
#include "cshim/process/descriptor.h"
#include "cshim/process/error.h"
#include "cshim/process/say.h"
#include "cshim/settings/config.h"
#include "cshim/share/store.h"
#include "cshim/share/ticket_counts.h"

static int format_report(char *line, size_t size, const struct sslcache_stats *stats,
                         const char *store, const char *tickets)
{
#define X(name) ",\"" #name "\":%" PRIu64
    static const char format[] = "{\"program\":\"%s\",\"pid\":%ld" CORE_COUNTERS(X) "%s%s}\n";
#undef X
#define X(name) stats->name,
    return snprintf(line, size, format, config.program, (long)getpid(), CORE_COUNTERS(X) store,
                    tickets);
#undef X
}

__attribute__((destructor)) static void report_at_exit(void)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    if (config.settings.report[0] == '\0')
        return;

    char line[1024 + STORE_DESCRIPTION_SIZE + TICKET_COUNTS_SIZE];
    char store[1 + STORE_DESCRIPTION_SIZE] = ",", tickets[1 + TICKET_COUNTS_SIZE] = ",";
    struct sslcache_stats stats;
    contexts_stats_of_process(&stats);
    if (!store_describe(store + 1, sizeof(store) - 1))
        store[0] = '\0';
    if (!ticket_counts_describe(tickets + 1, sizeof(tickets) - 1))
        tickets[0] = '\0';
    if (!contexts_have_stored() && tickets[0] == '\0')
        return;
    int length = format_report(line, sizeof(line), &stats, store, tickets);
    int file = open(config.settings.report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* In one write, so that the lines of processes that share the file do not mix. */
    if (file < 0 || descriptor_write(file, line, (size_t)length) != length)
        say_once(&was_said, "the report can't be written to %s (%s): it is lost",
                 config.settings.report, error_name(errno));
    if (file >= 0)
        close(file);
}
