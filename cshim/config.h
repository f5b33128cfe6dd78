/*
 * config.h - the settings of this process, read once when the library is loaded (programs such as
 * nginx clear their environment later). A setuid program is asked nothing. Where a setting makes no
 * sense, one line on standard error says so and the program runs untouched.
 */
#ifndef SSLCACHE_CONFIG_H
#define SSLCACHE_CONFIG_H

#include "cshim/settings.h"

struct config {
    char program[64]; /* the program's name, letters, digits, '-', '_' and '.' only */
    char run_folder[SETTINGS_PATH_SIZE]; /* XDG_RUNTIME_DIR, or "" */
    struct settings settings;
};

extern struct config config;

#endif
