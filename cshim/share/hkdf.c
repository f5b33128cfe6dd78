#define _GNU_SOURCE
#include "cshim/share/hkdf.h"

#include <string.h>

#include "cshim/libssl/libssl.h"

bool hkdf_extract(const void *salt, size_t salt_length, const unsigned char secret[HKDF_KEY_SIZE],
                  unsigned char key[HKDF_KEY_SIZE])
{
    return libssl_mac(salt, salt_length, secret, HKDF_KEY_SIZE, key);
}

bool hkdf_expand(const unsigned char key[HKDF_KEY_SIZE], const void *information, size_t length,
                 unsigned char *output, size_t wanted)
{
    unsigned char input[HKDF_KEY_SIZE + HKDF_INFORMATION_MAX + 1], block[HKDF_KEY_SIZE];
    bool done = length <= HKDF_INFORMATION_MAX;
    size_t before = 0;
    for (unsigned char count = 1; done && wanted > 0; count++) {
        memcpy(input + before, information, length);
        input[before + length] = count;
        done = libssl_mac(key, HKDF_KEY_SIZE, input, before + length + 1, block);
        size_t part = wanted < HKDF_KEY_SIZE ? wanted : HKDF_KEY_SIZE;
        memcpy(output, block, part);
        memcpy(input, block, HKDF_KEY_SIZE);
        output += part;
        wanted -= part;
        before = HKDF_KEY_SIZE;
    }
    explicit_bzero(block, sizeof(block));
    explicit_bzero(input, sizeof(input));
    return done;
}
