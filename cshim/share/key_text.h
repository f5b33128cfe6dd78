/*
 * key_text.h - the content of the file that SSLCACHE_STORE_KEY names, and its newer content when the file has
 * changed.
 */
#ifndef SSLCACHE_KEY_TEXT_H
#define SSLCACHE_KEY_TEXT_H

#include "cshim/share/secret_file.h"

/* Looks whether the file has changed. Why it can't be used, or NULL; what was read before stays where it fails. */
const char *key_text_look(void);

/* What was read last, or NULL. It does not change, and is never unmapped: threads read it without a lock. */
struct secret_file *key_text_newest(void);

#endif
