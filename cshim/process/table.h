/*
 * table.h - a table from the address of an object of libssl to what we keep for it.
 *
 * It is asked at every call of the program, also in a signal handler that interrupted a change: so it is read
 * without a lock. Ex_data would do the same, but for programs that use numbers of ex_data which they were never
 * given and overwrite what others have there.
 */
#ifndef SSLCACHE_TABLE_H
#define SSLCACHE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct table {
    _Atomic(struct table_slots *) slots;
};

/* What is kept for the object, or NULL. */
void *table_find(struct table *table, const void *object);

/*
 * Keeps value for the object, instead of what was kept before. False: there is no memory. The caller has a lock, the
 * same for each change.
 */
bool table_put(struct table *table, const void *object, void *value);

/* Keeps nothing for the object any more. The caller has the lock of table_put. */
void table_remove(struct table *table, const void *object);

#endif
