/*
 * backend.h - where shared sessions are kept: the functions that a kind of store has. store.c has the rules of
 * what is shared, and calls these.
 */
#ifndef SSLCACHE_BACKEND_H
#define SSLCACHE_BACKEND_H

#include "cshim/libssl/libssl.h"
#include "cshim/share/requests.h"

struct store_backend {
    /*
     * To be called for each context, before anything else: reads the keys, and opens what a program that gives up
     * its user can't open later. False: there is no store, and what there is to say was noted. again: it has
     * answered true before.
     */
    bool (*prepare)(bool again);

    /* Stores a session of that serialised length for so many seconds. Reports whether it is on its way. */
    bool (*put)(const struct requests_session *known, SSL_SESSION *session, uint32_t length,
                int64_t life, bool single_use);
    /* The session, or NULL. take: of all who ask, in all processes, one has it. */
    SSL_SESSION *(*get)(const struct requests_session *known, bool take);
    /* Removes a session that would live for so many seconds more. libssl may hold its lock. */
    void (*remove)(const struct requests_session *known, int64_t life);
    /* Whether it was removed, by whichever process. NULL: this kind of store does not know. */
    bool (*was_removed)(const struct requests_session *known);

    bool (*describe)(char *json, size_t size); /* as store_describe() */
    void (*fork_child)(void);                  /* as store_fork_child() */
};

extern const struct store_backend valkey_backend, memory_backend;

/* Whether SSLCACHE_STORE asks for the memory store. */
bool memory_is_wanted(void);

/*
 * 32 random bytes that a process has in common with all that it forks, where the memory store is theirs alone; else NULL. For
 * tickets that are shared without a file of keys.
 */
const unsigned char *memory_family_root(void);

/* ---- for them ---- */

/* There is no store from now on. */
void store_turn_off(void);

/* Writes a session that has that serialised length. False: another thread has changed it. */
bool store_serialise(SSL_SESSION *session, unsigned char *room, uint32_t length);

/* A session of its bytes, or NULL. libssl's error queue is as it was. */
SSL_SESSION *store_parse(const unsigned char *serialised, uint32_t length);

/*
 * The library's own threads have a table of descriptors of their own, without the program's standard error: they note a
 * message, and a thread of the program prints it. Each kind is printed once.
 */
enum store_message { STORE_STAYS_OFF, STORE_KEYS_UNUSABLE, STORE_KEYS_KEPT, STORE_MESSAGES };

void store_note(enum store_message message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void store_note_off(const char *reason);

/* Reads the keys for the first time. False: there are none, and what there is to say was noted. */
bool store_find_keys(void);

#endif
