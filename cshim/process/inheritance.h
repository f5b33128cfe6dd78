/*
 * inheritance.h - the sessions that a forked child has from its parent, until they are in a cache of its
 * own or libssl has them. Each is with the reference that the parent's cache has in the parent.
 *
 * The contexts lock is held for all that is here, but inheritance_waits.
 */
#ifndef SSLCACHE_INHERITANCE_H
#define SSLCACHE_INHERITANCE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "capi/core.h"
#include "cshim/takeover/libssl.h"

struct inheritance {
    struct core_entry *entries;
    atomic_size_t count;
};

/* Whether there are sessions in it. */
bool inheritance_waits(const struct inheritance *inheritance);

/* Looks under the version and id of key, and gives a reference to what is there, or NULL. */
SSL_SESSION *inheritance_find(const struct inheritance *inheritance, const struct core_entry *key);

/* The same, taken out: the reference is that of the inheritance. */
SSL_SESSION *inheritance_take(struct inheritance *inheritance, const struct core_entry *key);

/* Gives the sessions and their references to a cache, or to libssl's. They still stand in the inheritance. */
void inheritance_to_core(const struct inheritance *inheritance,
                         const struct core_functions *functions, core_handle cache);
void inheritance_to_libssl(const struct inheritance *inheritance, SSL_CTX *ctx);

/* Drops the list, and leaves the references to whoever has them now. */
void inheritance_forget(struct inheritance *inheritance);

/* Gives the references back. */
void inheritance_free(struct inheritance *inheritance);

/*
 * Fork handlers, to be called where the contexts lock is held for the fork: the child's inheritance is
 * written down before it, while the core rests.
 */
void inheritance_fork_prepare(void);
void inheritance_fork_parent(void);

#endif
