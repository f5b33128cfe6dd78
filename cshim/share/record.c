#define _GNU_SOURCE
#include "cshim/share/record.h"

#include <string.h>

#include "cshim/libssl/libssl.h"
#include "cshim/share/hkdf.h"

enum { NONCE_SIZE = 12, TAG_SIZE = 16, RECORD_VERSION = 1, FLAG_SINGLE_USE = 1 };

/* ---- keys: no part is longer than one hash ---- */

static bool derive_part(const unsigned char pseudorandom[HKDF_KEY_SIZE], const char *use,
                        unsigned char *part, size_t size)
{
    return hkdf_expand(pseudorandom, use, strlen(use), part, size);
}

bool record_derive(struct record_key *key, const unsigned char secret[32])
{
    static const unsigned char no_salt[HKDF_KEY_SIZE];
    unsigned char pseudorandom[HKDF_KEY_SIZE];
    bool done =
        hkdf_extract(no_salt, sizeof(no_salt), secret, pseudorandom) &&
        derive_part(pseudorandom, "sslcache store: id of the key", key->id, sizeof(key->id)) &&
        derive_part(pseudorandom, "sslcache store: names", key->naming, sizeof(key->naming)) &&
        derive_part(pseudorandom, "sslcache store: seals", key->sealing, sizeof(key->sealing));
    explicit_bzero(pseudorandom, sizeof(pseudorandom));
    return done;
}

/* ---- places and names ---- */

static void append_number(struct record_place *place, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        place->bytes[place->length++] = (unsigned char)(number >> shift);
}

static bool append(struct record_place *place, const void *bytes, size_t length)
{
    if (length > RECORD_PLACE_MAX - place->length - 2 * sizeof(uint32_t))
        return false;
    append_number(place, (uint32_t)length);
    memcpy(place->bytes + place->length, bytes, length);
    place->length += (uint32_t)length;
    return true;
}

bool record_place(struct record_place *place, const char *application,
                  const struct requests_session *session)
{
    static const char generation[] = "sslcache session 1";
    place->length = 0;
    if (!append(place, generation, sizeof(generation) - 1) ||
        !append(place, application, strlen(application)) ||
        !append(place, session->context, session->context_length) ||
        !append(place, session->id, session->id_length))
        return false;
    append_number(place, (uint32_t)session->version);
    return true;
}

bool record_name(const struct record_key *key, const struct record_place *place,
                 unsigned char name[RECORD_NAME_SIZE])
{
    unsigned char whole[LIBSSL_MAC_SIZE];
    if (!libssl_mac(key->naming, sizeof(key->naming), place->bytes, place->length, whole))
        return false;
    memcpy(name, whole, RECORD_NAME_SIZE);
    return true;
}

/* ---- seals: AES-256-GCM, under a key of each record's own ---- */

/* Header and place are what is authenticated beside the session. */
static bool begin(EVP_CIPHER_CTX *cipher, bool seals, const struct record_key *key,
                  const struct record_place *place, const unsigned char *record)
{
    unsigned char secret[LIBSSL_MAC_SIZE];
    int length;
    bool done =
        libssl_mac(key->sealing, sizeof(key->sealing), place->bytes, place->length, secret) &&
        libssl.EVP_CipherInit_ex(cipher, libssl.EVP_aes_256_gcm(), NULL, secret,
                                 record + RECORD_HEADER_SIZE, seals) == 1 &&
        libssl.EVP_CipherUpdate(cipher, NULL, &length, record, RECORD_HEADER_SIZE) == 1 &&
        libssl.EVP_CipherUpdate(cipher, NULL, &length, place->bytes, (int)place->length) == 1;
    explicit_bzero(secret, sizeof(secret));
    return done;
}

static bool seal(EVP_CIPHER_CTX *cipher, const struct record_key *key,
                 const struct record_place *place, const unsigned char *session, uint32_t length,
                 unsigned char *record)
{
    unsigned char *sealed = record + RECORD_HEADER_SIZE + NONCE_SIZE;
    int written = 0, rest = 0;
    return libssl.RAND_bytes(record + RECORD_HEADER_SIZE, NONCE_SIZE) == 1 &&
           begin(cipher, true, key, place, record) &&
           libssl.EVP_CipherUpdate(cipher, sealed, &written, session, (int)length) == 1 &&
           (uint32_t)written == length &&
           libssl.EVP_CipherFinal_ex(cipher, sealed + written, &rest) == 1 && rest == 0 &&
           libssl.EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, sealed + length) ==
               1;
}

uint32_t record_seal(const struct record_key *key, const struct record_place *place,
                     const unsigned char *session, uint32_t length, bool single_use,
                     unsigned char *record)
{
    record[0] = RECORD_VERSION;
    record[1] = single_use ? FLAG_SINGLE_USE : 0;
    memcpy(record + 2, key->id, sizeof(key->id));
    libssl.ERR_set_mark();
    EVP_CIPHER_CTX *cipher = libssl.EVP_CIPHER_CTX_new();
    bool done = cipher != NULL && seal(cipher, key, place, session, length, record);
    libssl.ERR_pop_to_mark();
    libssl.EVP_CIPHER_CTX_free(cipher);
    return done ? length + RECORD_OVERHEAD : 0;
}

static bool open_sealed(EVP_CIPHER_CTX *cipher, const struct record_key *key,
                        const struct record_place *place, const unsigned char *record,
                        uint32_t length, unsigned char *room)
{
    const unsigned char *sealed = record + RECORD_HEADER_SIZE + NONCE_SIZE;
    unsigned char tag[TAG_SIZE];
    int written = 0, rest = 0;
    memcpy(tag, sealed + length, TAG_SIZE);
    return begin(cipher, false, key, place, record) &&
           libssl.EVP_CipherUpdate(cipher, room, &written, sealed, (int)length) == 1 &&
           (uint32_t)written == length &&
           libssl.EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
           libssl.EVP_CipherFinal_ex(cipher, room + written, &rest) == 1 && rest == 0;
}

uint32_t record_open(const struct record_key *key, const struct record_place *place,
                     const unsigned char *record, uint32_t length, unsigned char *room,
                     uint32_t size, bool *single_use)
{
    if (length <= RECORD_OVERHEAD || length - RECORD_OVERHEAD > size ||
        record[0] != RECORD_VERSION || memcmp(record + 2, key->id, sizeof(key->id)) != 0)
        return 0;
    uint32_t session = length - RECORD_OVERHEAD;
    libssl.ERR_set_mark();
    EVP_CIPHER_CTX *cipher = libssl.EVP_CIPHER_CTX_new();
    bool done = cipher != NULL && open_sealed(cipher, key, place, record, session, room);
    libssl.ERR_pop_to_mark();
    libssl.EVP_CIPHER_CTX_free(cipher);
    *single_use = record[1] == FLAG_SINGLE_USE;
    if (done)
        return session;
    explicit_bzero(room, session);
    return 0;
}
