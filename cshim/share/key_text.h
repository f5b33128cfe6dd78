/*
 * key_text.h - the content of the file that SSLCACHE_STORE_KEY names, and its newer content when the file has
 * changed. It is on pages that no core dump has.
 */
#ifndef SSLCACHE_KEY_TEXT_H
#define SSLCACHE_KEY_TEXT_H

#include <stdint.h>
#include <sys/stat.h>

enum { KEY_TEXT_MAX = 16384 };

/* It does not change until it is wiped, and is never unmapped: threads read it without a lock. */
struct key_text {
    struct stat file; /* that it is of */
    struct key_text *older;
    uint32_t length;
    unsigned char text[KEY_TEXT_MAX];
};

/* Looks whether the file has changed. Why it can't be used, or NULL; what was read before stays where it fails. */
const char *key_text_look(void);

/* What was read last, or NULL. */
struct key_text *key_text_newest(void);

#endif
