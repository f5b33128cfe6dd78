/*
 * generation.h - a library with a Go runtime in it, which can start once: this very one, the one that has
 * the store too, or the copy that a forked child loads.
 */
#ifndef SSLCACHE_GENERATION_H
#define SSLCACHE_GENERATION_H

#include "capi/core.h"
#include "capi/store.h"

struct core_generation {
    const char *version;        /* of the library: what follows may differ in another */
    const char *(*start)(void); /* NULL, or why there is no runtime: to be tried once */
    int (*threads)(void);       /* how many the runtime has */
    struct core_functions functions;
    const struct store_functions *store; /* NULL: it has none */
};

/* That of this library. In another library it is looked up by this name. */
extern const struct core_generation sslcache_core_generation;

/* That of libsslcache-store.so.1 beside this library, or of this one where that can't be loaded. */
const struct core_generation *generation_with_store(void);

/*
 * A fresh one: a second library in this process, made of the file that the last core was loaded from. NULL:
 * there is none to be had. The one that was forked is dead and left alone.
 */
const struct core_generation *generation_copy(void);

#endif
