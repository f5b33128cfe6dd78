/*
 * secret_file.h - a file that only its owner may read, such as SSLCACHE_STORE_KEY names: its content, on a page
 * that no core dump has, and again when the file has changed.
 */
#ifndef SSLCACHE_SECRET_FILE_H
#define SSLCACHE_SECRET_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum { SECRET_FILE_SIZE_MAX = 16384 };

/* Whoever has one has a lock for it. */
struct secret_file {
    const char *path;
    unsigned char *text; /* NULL: it was not read yet */
    uint32_t length;
    unsigned changes; /* how often it was read */
    struct stat seen; /* the file that the content is of */
};

/*
 * Reads the file if it is not the one that was read last. Why it can't be used, in a few words, or NULL;
 * the content from before stays then.
 */
const char *secret_file_look(struct secret_file *file);

/* Whether both are the same file, with the same content as far as its times tell. */
bool secret_file_is_same(const struct stat *left, const struct stat *right);

/* Why a file of that kind can not be believed, in a few words, or NULL. */
const char *secret_file_fault(const struct stat *file);

#endif
