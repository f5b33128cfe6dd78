/*
 * config.h - the settings of this process, read once when the library is loaded (programs such as
 * nginx clear their environment later). A setuid program is asked nothing. Where a setting makes no
 * sense, one line on standard error says so and the program runs untouched.
 *
 * The room settings/ says what the user asks for, and decides nothing by it but which of the faults of SSLCACHE_FAULT
 * strikes.
 */
#ifndef SSLCACHE_CONFIG_H
#define SSLCACHE_CONFIG_H

#include "cshim/settings/settings.h"

struct config {
    char program[64]; /* the program's name, letters, digits, '-', '_' and '.' only */
    /* XDG_RUNTIME_DIR where sockets in a folder of ours fit below it, or "" */
    char run_folder[SETTINGS_FOLDER_SIZE - sizeof("/sslcache")];
    struct settings settings;
};

extern struct config config;

/* The application whose sessions and tickets they are: SSLCACHE_APP, or the program's name. */
const char *config_application(void);

#endif
