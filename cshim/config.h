/*
 * config.h - what the environment asks of the library, read once when it is loaded (programs such
 * as nginx clear their environment later). A setuid program is asked nothing.
 */
#ifndef SSLCACHE_CONFIG_H
#define SSLCACHE_CONFIG_H

#include <stdbool.h>

struct config {
    char program[64]; /* the program's name, letters, digits, '-', '_' and '.' only */
    const char
        *report;   /* SSLCACHE_REPORT: file to which a line of counters is added at exit, or NULL */
    bool disabled; /* SSLCACHE_DISABLE=1: libssl keeps all sessions itself */
    bool verbose;  /* SSLCACHE_VERBOSE=1: say on standard error when libssl is fallen back to */
};

extern struct config config;

#endif
