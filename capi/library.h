/*
 * library.h - libsslcache-go.so.1, the library that has a Go runtime: the client of the store, and the cache by way
 * of cgo. libsslcache.so loads it where the user asks for one of them, and calls it through this table.
 */
#ifndef SSLCACHE_GO_LIBRARY_H
#define SSLCACHE_GO_LIBRARY_H

#include <stddef.h>

#include "capi/core.h"
#include "capi/store.h"

/*
 * The library's data as it is before its runtime starts. Whoever has loaded the library keeps it: in a forked child the
 * data are those of a runtime without threads, and the next start writes these over them.
 */
struct go_image {
    void *data; /* NULL: no runtime was started yet */
    size_t length;
};

struct go_library {
    const char *version; /* of libsslcache.so: what follows may differ in another */

    /*
     * Starts the runtime and waits until it serves; once in a process. To be called on a thread whose signals are
     * blocked and whose descriptors are its own: Go's threads inherit both. NULL, or why there is no runtime.
     */
    const char *(*start)(struct go_image *image);

    /* What the runtime is waiting for and can't have, "memory" or "threads", or NULL. */
    const char *(*wants)(void);

    struct core_functions core;
    core_handle (*address)(core_handle cache); /* what the direct way knows a cache by */
    struct store_functions store;
};

/* What capi/exports.go exports. core_ready returns when the runtime serves. */
#define X(result, name, arguments) result core_##name arguments;
CORE_FUNCTIONS(X)
#undef X
core_handle core_address(core_handle cache);
void core_ready(void);

/* By this name the table is found. */
extern const struct go_library sslcache_go_library;

#endif
