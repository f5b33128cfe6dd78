/*
 * record.h - what a shared session is called and how it is sealed: names and records are those of
 * internal/store (record.go, keys.go), byte for byte, made with the program's libcrypto.
 */
#ifndef SSLCACHE_RECORD_H
#define SSLCACHE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "cshim/share/requests.h"

enum {
    RECORD_NAME_SIZE = 18,
    RECORD_HEADER_SIZE = 6, /* version, flags, id of the key */
    RECORD_OVERHEAD = RECORD_HEADER_SIZE + 12 + 16,
    RECORD_SIZE_MAX = STORE_SESSION_MAX + RECORD_OVERHEAD,
};

/* What follows from one key of the file: the parts have nothing to do with one another. */
struct record_key {
    unsigned char id[4];
    unsigned char naming[32];
    unsigned char sealing[32];
};

/* False: libcrypto can't. */
bool record_derive(struct record_key *key, const unsigned char secret[32]);

enum { RECORD_PLACE_MAX = 512 };

/* Where a session belongs, written down so that no two places read the same. */
struct record_place {
    unsigned char bytes[RECORD_PLACE_MAX];
    uint32_t length;
};

/* False: an application, a session id context or an id is longer than any is. */
bool record_place(struct record_place *place, const char *application,
                  const struct requests_session *session);

bool record_name(const struct record_key *key, const struct record_place *place,
                 unsigned char name[RECORD_NAME_SIZE]);

/* The length of what was written into `record`, which has room for length + RECORD_OVERHEAD; 0: it failed. */
uint32_t record_seal(const struct record_key *key, const struct record_place *place,
                     const unsigned char *session, uint32_t length, bool single_use,
                     unsigned char *record);

/* The length of the session that was written into `room`, 0 where the record does not open. */
uint32_t record_open(const struct record_key *key, const struct record_place *place,
                     const unsigned char *record, uint32_t length, unsigned char *room,
                     uint32_t size, bool *single_use);

#endif
