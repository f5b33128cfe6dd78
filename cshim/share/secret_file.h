/*
 * secret_file.h - a file that only its owner may read, such as SSLCACHE_STORE_KEY names: its content, on pages
 * that no core dump has, and again when the file has changed.
 */
#ifndef SSLCACHE_SECRET_FILE_H
#define SSLCACHE_SECRET_FILE_H

#include <stdint.h>
#include <sys/stat.h>

enum { SECRET_FILE_SIZE_MAX = 16384 };

struct secret_file {
    struct stat seen;          /* which file the content is of, and of when */
    struct secret_file *older; /* what was read before, for whoever keeps that; else NULL */
    uint32_t length;
    unsigned char text[SECRET_FILE_SIZE_MAX];
};

/*
 * Reads the file of that path, if it is not the one that `before` is of (or NULL). Gives NULL, and sets *fresh to what was
 * read, which is the caller's, or to NULL where there is nothing new: also where a program that has given up its user or
 * its root can't open any more what was read before. Else gives why the file can't be used, in a few words.
 */
const char *secret_file_read(const char *path, const struct secret_file *before,
                             struct secret_file **fresh);

/* Wipes the content. Which file it was of stays known. */
void secret_file_wipe(struct secret_file *file);

/* Wipes it, and gives its memory back. NULL: nothing. */
void secret_file_free(struct secret_file *file);

#endif
