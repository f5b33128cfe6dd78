/*
 * record.c - cshim/share/record.c as a program: names, seals and opens for the test beside Go's.
 *
 * usage: record name|seal|open KEY APPLICATION CONTEXT ID VERSION SESSION_OR_RECORD SINGLE_USE
 *
 * All in hexadecimal but VERSION, a number, and SINGLE_USE, 0 or 1. Prints what was asked for in hexadecimal;
 * an opened session with whether it is for one use behind it, or "refused".
 */
#define _GNU_SOURCE
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cshim/share/hkdf.c"
#include "cshim/share/record.c"

struct libssl libssl;

static unsigned char *decode(const char *text, size_t *length)
{
    *length = strlen(text) / 2;
    unsigned char *bytes = calloc(1, *length + 1);
    for (size_t i = 0; bytes != NULL && i < *length; i++)
        sscanf(text + 2 * i, "%2hhx", &bytes[i]);
    return bytes;
}

static void print(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        printf("%02x", bytes[i]);
}

static void bind_libcrypto(void)
{
#define BIND(name) libssl.name = name
    BIND(HMAC);
    BIND(EVP_sha256);
    BIND(EVP_aes_256_gcm);
    BIND(EVP_CIPHER_CTX_new);
    BIND(EVP_CIPHER_CTX_free);
    BIND(EVP_CIPHER_CTX_ctrl);
    BIND(EVP_CipherInit_ex);
    BIND(EVP_CipherUpdate);
    BIND(EVP_CipherFinal_ex);
    BIND(RAND_bytes);
    BIND(ERR_set_mark);
    BIND(ERR_pop_to_mark);
#undef BIND
}

int main(int argc, char **argv)
{
    static unsigned char output[RECORD_SIZE_MAX];
    struct record_key key;
    struct record_place place;
    size_t lengths[5];
    if (argc != 9)
        return 2;
    bind_libcrypto();
    unsigned char *secret = decode(argv[2], &lengths[0]);
    char *application = (char *)decode(argv[3], &lengths[1]);
    unsigned char *context = decode(argv[4], &lengths[2]), *id = decode(argv[5], &lengths[3]);
    unsigned char *text = decode(argv[7], &lengths[4]);
    struct requests_session session = {.context = context,
                                       .context_length = (uint32_t)lengths[2],
                                       .id = id,
                                       .id_length = (uint32_t)lengths[3],
                                       .version = atoi(argv[6])};
    if (!record_derive(&key, secret) || !record_place(&place, application, &session))
        return 1;
    if (strcmp(argv[1], "name") == 0) {
        unsigned char name[RECORD_NAME_SIZE];
        if (!record_name(&key, &place, name))
            return 1;
        print(name, sizeof(name));
    } else if (strcmp(argv[1], "seal") == 0) {
        print(output, record_seal(&key, &place, text, (uint32_t)lengths[4], atoi(argv[8]), output));
    } else {
        bool single_use = false;
        uint32_t length = record_open(&key, &place, text, (uint32_t)lengths[4], output,
                                      STORE_SESSION_MAX, &single_use);
        print(output, length);
        if (length > 0)
            printf(" %d", single_use);
        else
            printf("refused");
    }
    free(secret);
    free(application);
    free(context);
    free(id);
    free(text);
    return 0;
}
