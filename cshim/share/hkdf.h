/*
 * hkdf.h - several keys out of one, none of which tells anything of the others: RFC 5869 with SHA-256, by the program's
 * libcrypto. Each function reports whether libcrypto could.
 */
#ifndef SSLCACHE_HKDF_H
#define SSLCACHE_HKDF_H

#include <stdbool.h>
#include <stddef.h>

enum { HKDF_KEY_SIZE = 32, HKDF_INFORMATION_MAX = 512 };

/* The pseudorandom key of a secret (RFC 5869, 2.2). No salt: 32 bytes that are 0. */
bool hkdf_extract(const void *salt, size_t salt_length, const unsigned char secret[HKDF_KEY_SIZE],
                  unsigned char key[HKDF_KEY_SIZE]);

/* As many bytes as are wanted, for what the information says (RFC 5869, 2.3). */
bool hkdf_expand(const unsigned char key[HKDF_KEY_SIZE], const void *information, size_t length,
                 unsigned char *output, size_t wanted);

#endif
