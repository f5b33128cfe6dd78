/*
 * golibrary.h - libsslcache-go.so.1, the library beside ours that has a Go runtime, in this process: loaded while the
 * program has the rights to do so, started at the first request.
 *
 * The runtime and its threads have a table of descriptors of their own (unshare(2), CLONE_FILES): none that the program
 * has opened is in it, and what Go opens is not in the program's, nor in its forked children's. Where the program's
 * threads run Go (SSLCACHE_CORE=cgo), it has the program's.
 */
#ifndef SSLCACHE_GOLIBRARY_H
#define SSLCACHE_GOLIBRARY_H

#include "capi/library.h"

/*
 * Loads it, once. To be called with no lock held. In a process that was forked a thread of the library's own does it,
 * for a moment: the dynamic linker may hang there. NULL, or why there is none, for good.
 */
const char *golibrary_load(void);

/*
 * Starts the runtime and gives the table, once. To be called on a thread of the library's own (background.h), which may
 * hang in here. NULL: there can be none in this process, and *reason says why.
 */
const struct go_library *golibrary_start(const char **reason);

/*
 * The functions of the cache by way of cgo, for the program's threads: the first call starts the runtime on a thread of
 * its own and waits for it. NULL: there can be none in this process, and *reason says why.
 */
const struct core_functions *golibrary_core(const char **reason);

/* Of a cache that was made by way of cgo: what the direct way knows it by. */
core_handle golibrary_address(core_handle cache);

/* Fork handler. A child of a process that had a runtime starts one of its own, from the library as it was before. */
void golibrary_fork_child(void);

#endif
