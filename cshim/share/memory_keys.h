/*
 * memory_keys.h - the keys of the memory store, on pages that no core dump has: those of the key file for a store that is a
 * file, and random ones for memory that a process shares with nobody but what it forks.
 */
#ifndef SSLCACHE_MEMORY_KEYS_H
#define SSLCACHE_MEMORY_KEYS_H

#include <stdbool.h>

#include "cshim/share/key_file.h"
#include "cshim/share/record.h"

/* It does not change, and is never unmapped: threads read it without a lock. */
struct memory_keys {
    unsigned count;
    struct record_key
        keys[KEY_FILE_KEYS_MAX]; /* in the order of the file: the first seals and names, all find */
    unsigned char root[32];      /* random keys only: see memory_family_root */
};

/* Those that are used now, or NULL. */
const struct memory_keys *memory_keys_current(void);

/* Both are called under the lock of the memory store. Random keys: false where there is no memory, or no randomness. */
bool memory_keys_make_random(void);

/* Uses what was read of the key file last (key_text.h), if that is new. What can't be used is noted, and changes nothing. */
void memory_keys_use_newest(void);

#endif
