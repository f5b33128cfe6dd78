/*
 * region.h - the memory of the memory store: shared with all that this process forks, or a file that others map
 * too.
 */
#ifndef SSLCACHE_REGION_H
#define SSLCACHE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cshim/settings/settings.h"

/* What SSLCACHE_STORE=memory[:PATH][?size=SIZE] asks for. */
struct region_address {
    char path[SETTINGS_PATH_SIZE]; /* "": no file */
    uint64_t size;
};

/* Why it makes no sense, or NULL. */
const char *region_parse(const char *address, struct region_address *parsed);

struct region {
    void *memory; /* NULL: there is none */
    uint64_t size;
};

/* Memory that is all zero and that forked children share. Why it can't be had, or NULL. */
const char *region_map_family(struct region *region, uint64_t size);

/*
 * The file of that address, made if it is not there. Why it can't be had, or NULL. A region that is new is formatted
 * by whoever makes it; one that others have made must be of this version and size.
 */
const char *region_map_file(struct region *region, const struct region_address *address);

#endif
