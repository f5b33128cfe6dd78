/*
 * objects.h - the objects that are loaded into this process, as the dynamic linker has them.
 *
 * In the forked child of a process with threads the linker may be asked nothing (fork_has_locked_linker). There
 * the list is read as debuggers read it (link.h, struct r_debug), unless it is being changed just then.
 */
#ifndef SSLCACHE_OBJECTS_H
#define SSLCACHE_OBJECTS_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

struct object {
    const char *path;          /* "" is the program itself */
    const ElfW(Dyn) * dynamic; /* NULL: unknown */
    uintptr_t base;
    uintptr_t start; /* from the first byte that is mapped */
    uintptr_t end;   /* to the first that is not */
};

/* Calls use for each object in the order in which they are loaded, until it returns true; reports whether it did. */
bool objects_find(bool (*use)(const struct object *object, void *argument), void *argument);

/* How often objects were loaded so far; 0 where that can't be told. */
unsigned long long objects_loads(void);

/* The object that an address lies in. False: in none. */
bool objects_containing(const void *address, struct object *object);

#endif
