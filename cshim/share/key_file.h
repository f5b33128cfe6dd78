/*
 * key_file.h - the format of the file that SSLCACHE_STORE_KEY names: a key a line, 32 bytes in base64 or
 * hexadecimal, the newest first. Empty lines, and lines that begin with #, are left out. The store's client reads
 * the same file by the same rules (internal/store/keyfile). It needs nothing but libc.
 */
#ifndef SSLCACHE_KEY_FILE_H
#define SSLCACHE_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    KEY_FILE_KEY_SIZE = 32,
    KEY_FILE_KEYS_MAX = 8, /* keys in a file: the first and those of a rotation */
};

struct key_file {
    unsigned count;
    unsigned char keys[KEY_FILE_KEYS_MAX][KEY_FILE_KEY_SIZE];
};

/*
 * Reads the keys of a file in their order, one at least. False: it is no key file; `problem` then says why,
 * without a byte of it. The caller wipes `file`, also then.
 */
bool key_file_parse(const char *text, size_t length, struct key_file *file, char *problem,
                    size_t size);

#endif
