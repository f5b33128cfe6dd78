/*
 * ticket_keys.h - the keys that seal shared tickets: which there are at a moment, and how they follow from the
 * roots (RFC 5869, HKDF with SHA-256).
 *
 *     from a root and the application    a mark, which tells the roots apart, and a pseudorandom key
 *     from that, label and epoch         the key of tickets of that label in that epoch, and a tag
 *
 * The first 16 bytes of a ticket, its key name, are the root's mark, the epoch and the tag. So whoever has the
 * same roots finds the key without asking anybody. Roots and keys are on pages that no core dump has.
 */
#ifndef SSLCACHE_TICKET_KEYS_H
#define SSLCACHE_TICKET_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TICKET_NAME_SIZE = 16, /* as libssl has it */
    TICKET_KEY_SIZE = 32,
    TICKET_IDENTITY_SIZE = 32,
    TICKET_SERVER_NAME_MAX = 255,
};

/* What a ticket is good for: a key is of one label. Bytes that are not used are 0. */
struct ticket_label {
    unsigned char identity[TICKET_IDENTITY_SIZE]; /* of certificates and rules for clients' ones */
    unsigned char session_context[32]; /* as SSL_CTX_set_session_id_context(3) takes it */
    uint8_t session_context_length;
    uint8_t server_name_length;
    uint16_t version;                         /* of the protocol */
    uint32_t verify_mode;                     /* as SSL_get_verify_mode(3) gives it */
    char server_name[TICKET_SERVER_NAME_MAX]; /* that the client has asked for; not terminated */
};

/* The time of which a key is asked for. */
struct ticket_time {
    int64_t now;   /* seconds since 1970 */
    int64_t epoch; /* how long a key seals, in seconds, at least 1 */
    int64_t life;  /* how long a ticket lives, in seconds, at least 1 */
};

struct ticket_key {
    unsigned char name[TICKET_NAME_SIZE];
    unsigned char cipher[TICKET_KEY_SIZE]; /* of AES-256-CBC */
    unsigned char mac[TICKET_KEY_SIZE];    /* of HMAC-SHA256 */
};

/* What can be said of a ticket by its key name. */
enum ticket_finding {
    TICKET_OPENS,        /* with the key that seals now, or with the next one */
    TICKET_OPENS_RENEW,  /* and a newer key seals by now */
    TICKET_IS_UNKNOWN,   /* of no root that is here */
    TICKET_IS_OLD,       /* of an epoch whose tickets have all expired, or of one far ahead */
    TICKET_IS_ELSEWHERES /* of a root that is here, and of another label */
};

/*
 * To be called where an SSL_CTX is made, and before a key is asked for. Reads the roots of SSLCACHE_STORE_KEY:
 * a program may clear its environment, change its user or its root before it serves. Looks once a second, or
 * now, whether the file has changed; a file that can't be read or used leaves the roots as they are. Answers
 * whether there is a root. Says once on standard error why there is none.
 */
bool ticket_keys_ready(bool now);

/*
 * Sets the root of processes that have no file of keys, which they have from the memory store that they share. Reports
 * whether it is used: not where SSLCACHE_STORE_KEY names a file, which is then the only source.
 */
bool ticket_keys_set_root(const unsigned char root[TICKET_KEY_SIZE]);

/* The key that seals tickets of that label now. False: there is none. The caller wipes it. */
bool ticket_keys_seal(const struct ticket_label *label, const struct ticket_time *time,
                      struct ticket_key *key);

/* The key of that name, if tickets of that label opens. The caller wipes it. */
enum ticket_finding ticket_keys_open(const struct ticket_label *label,
                                     const struct ticket_time *time,
                                     const unsigned char name[TICKET_NAME_SIZE],
                                     struct ticket_key *key);

/*
 * The lock of the keys. It also guards what is kept of identities and choices (ticket_identity.h, ticket_choices.h).
 * Under it no code of the program runs, and no other lock of ours is taken.
 */
void ticket_keys_lock(void);
void ticket_keys_unlock(void);

/* Around a fork. */
void ticket_keys_fork_prepare(void);
void ticket_keys_fork_parent(void);
void ticket_keys_fork_child(void);

#endif
