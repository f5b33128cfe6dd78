#define _GNU_SOURCE
#include "cshim/share/ticket_keys.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cshim/libssl/libssl.h"
#include "cshim/process/clock.h"
#include "cshim/process/fork.h"
#include "cshim/process/lock_order.h"
#include "cshim/process/mapping.h"
#include "cshim/process/say.h"
#include "cshim/settings/config.h"
#include "cshim/share/hkdf.h"
#include "cshim/share/key_file.h"
#include "cshim/share/secret_file.h"

enum { MARK_SIZE = 4, TAG_SIZE = 8, SLOTS = 64 };

/* What a key follows from. */
struct root {
    unsigned char mark[MARK_SIZE]; /* the beginning of a ticket's key name */
    uint32_t mask;                 /* the epoch's number stands there XOR this mask */
    unsigned char key[HKDF_KEY_SIZE];
};

/* A key that was made, so that the next ticket finds it. */
struct slot {
    bool is_used;
    uint32_t root;
    int64_t number; /* of the epoch */
    int64_t epoch;  /* its length */
    struct ticket_label label;
    struct ticket_key key;
};

/* All that is secret, on pages of its own. */
struct secrets {
    uint32_t roots; /* how many */
    struct root root[KEY_FILE_KEYS_MAX];
    struct slot slots[SLOTS];

    /* Of the thread that reads the file: see is_reading. */
    struct key_file
        file; /* keys that were read and are not used yet; its count is 0 where there are none */
    struct root derived[KEY_FILE_KEYS_MAX];
};

/* Guards roots and slots. */
static FORK_WRITES pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct secrets *_Atomic secrets;
static atomic_uint roots; /* how many there are */

/* One thread at a time looks at the file, without the lock: reading may take long. */
static FORK_WRITES atomic_flag is_reading = ATOMIC_FLAG_INIT;
static struct secret_file *last_read; /* the file that the roots are of, its text wiped */
static _Atomic int64_t next_look;     /* by CLOCK_MONOTONIC_COARSE */
static int64_t swept;                 /* when slots were last looked through; seconds */

void ticket_keys_lock(void)
{
    fork_enter();
    lock_take(&lock, LOCK_TICKET_KEYS);
}

void ticket_keys_unlock(void)
{
    lock_release(&lock, LOCK_TICKET_KEYS);
    fork_leave();
}

/* ---- fork ---- */

void ticket_keys_fork_prepare(void)
{
    lock_take(&lock, LOCK_TICKET_KEYS);
}

void ticket_keys_fork_parent(void)
{
    lock_release(&lock, LOCK_TICKET_KEYS);
}

void ticket_keys_fork_child(void)
{
    lock_release(&lock, LOCK_TICKET_KEYS);
    atomic_flag_clear(&is_reading);
}

/* ---- room for what is secret ---- */

static void make_room(void)
{
    atomic_store_explicit(&secrets, mapping_make_secret(sizeof(struct secrets)),
                          memory_order_release);
}

static struct secrets *room(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_room);
    return atomic_load_explicit(&secrets, memory_order_acquire);
}

/* ---- what follows from a root ---- */

/* All processes read and write numbers alike: with the least significant byte first. */
static uint32_t take_32(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool derive_root(const unsigned char secret[KEY_FILE_KEY_SIZE], struct root *root)
{
    static const char mark[] = "mark";
    unsigned char salt[64 + SETTINGS_NAME_SIZE], marks[MARK_SIZE + 4];
    int length =
        snprintf((char *)salt, sizeof(salt), "libsslcache tickets 1 %s", config_application());
    if (!hkdf_extract(salt, (size_t)length, secret, root->key) ||
        !hkdf_expand(root->key, mark, sizeof(mark), marks, sizeof(marks)))
        return false;
    memcpy(root->mark, marks, MARK_SIZE);
    root->mask = take_32(marks + MARK_SIZE);
    return true;
}

static size_t put(unsigned char *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return length;
}

static size_t put_number(unsigned char *to, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(number >> 8 * i);
    return 8;
}

/* Each part is of a fixed length or has its length before it, so that no two labels give the same text. */
static size_t describe(const struct ticket_label *label, int64_t epoch, int64_t number,
                       unsigned char text[HKDF_INFORMATION_MAX])
{
    static const char kind[] = "ticket";
    size_t length = put(text, kind, sizeof(kind));
    length += put_number(text + length, (uint64_t)epoch);
    length += put_number(text + length, (uint64_t)number);
    length += put_number(text + length, label->version);
    length += put_number(text + length, label->verify_mode);
    length += put(text + length, label->identity, sizeof(label->identity));
    length += put_number(text + length, label->session_context_length);
    length += put(text + length, label->session_context, label->session_context_length);
    length += put_number(text + length, label->server_name_length);
    return length + put(text + length, label->server_name, label->server_name_length);
}

static bool derive_key(const struct root *root, const struct ticket_label *label, int64_t epoch,
                       int64_t number, struct ticket_key *key)
{
    unsigned char text[HKDF_INFORMATION_MAX], output[TAG_SIZE + 2 * TICKET_KEY_SIZE];
    if (!hkdf_expand(root->key, text, describe(label, epoch, number, text), output, sizeof(output)))
        return false;
    uint32_t hidden = (uint32_t)number ^ root->mask;
    memcpy(key->name, root->mark, MARK_SIZE);
    for (int i = 0; i < 4; i++)
        key->name[MARK_SIZE + i] = (unsigned char)(hidden >> 8 * i);
    memcpy(key->name + MARK_SIZE + 4, output, TAG_SIZE);
    memcpy(key->cipher, output + TAG_SIZE, TICKET_KEY_SIZE);
    memcpy(key->mac, output + TAG_SIZE + TICKET_KEY_SIZE, TICKET_KEY_SIZE);
    libssl.OPENSSL_cleanse(output, sizeof(output));
    return true;
}

/* ---- the roots ---- */

/* The lock is held. Wipes the former roots, and the keys that were made of them. */
static void take_roots(struct secrets *all, const struct root *derived, uint32_t count)
{
    libssl.OPENSSL_cleanse(all->slots, sizeof(all->slots));
    libssl.OPENSSL_cleanse(all->root, sizeof(all->root));
    memcpy(all->root, derived, count * sizeof(*derived));
    all->roots = count;
    atomic_store(&roots, count);
}

static bool use_roots(struct secrets *all, const struct key_file *file)
{
    bool done = true;
    for (unsigned i = 0; i < file->count && done; i++)
        done = derive_root(file->keys[i], &all->derived[i]);
    if (done) {
        ticket_keys_lock();
        take_roots(all, all->derived, file->count);
        ticket_keys_unlock();
    }
    libssl.OPENSSL_cleanse(all->derived, sizeof(all->derived));
    return done;
}

static void wipe_keys(struct key_file *file)
{
    explicit_bzero(file->keys, sizeof(file->keys));
    file->count = 0;
}

/* Reads the keys, if they are others than before. False: they can't be used, and problem says why. */
static bool read_keys(struct secrets *all, char *problem, size_t size)
{
    struct secret_file *fresh;
    const char *fault = secret_file_read(config.settings.store_key, last_read, &fresh);
    if (fault != NULL)
        snprintf(problem, size, "%s", fault);
    if (fresh == NULL)
        return fault == NULL;
    bool is_parsed =
        key_file_parse((const char *)fresh->text, fresh->length, &all->file, problem, size);
    if (!is_parsed)
        wipe_keys(&all->file);
    /* One that can't be used is not looked at again either, until it has changed. */
    struct secret_file *before = last_read;
    secret_file_wipe(fresh);
    last_read = fresh; /* before the other goes: a child that is forked just now looks there */
    secret_file_free(before);
    return is_parsed;
}

static void say_unused(const char *problem)
{
    static atomic_flag said_none = ATOMIC_FLAG_INIT, said_kept = ATOMIC_FLAG_INIT;
    if (atomic_load(&roots) == 0)
        say_once(&said_none, "tickets are not shared: the keys in %s can't be used: %s",
                 config.settings.store_key, problem);
    else
        say_once(&said_kept, "the new ticket keys in %s can't be used: %s; those from before stay",
                 config.settings.store_key, problem);
}

/* Uses what was read now, or when the library was loaded. */
static void look_at_file(struct secrets *all)
{
    char problem[128];
    bool is_read = read_keys(all, problem, sizeof(problem));
    if (all->file.count > 0 && !use_roots(all, &all->file)) {
        snprintf(problem, sizeof(problem), "libcrypto can't derive from them");
        is_read = false;
    }
    wipe_keys(&all->file);
    if (!is_read)
        say_unused(problem);
}

/*
 * A program may change its user before its first SSL_CTX. libcrypto may not be there yet, so that the keys are
 * only read.
 */
__attribute__((constructor)) static void read_when_loaded(void)
{
    char problem[128];
    bool is_asked =
        config.settings.tickets >= TICKETS_SHARED && config.settings.store_key[0] != '\0';
    struct secrets *all = is_asked && !config.settings.disable ? room() : NULL;
    if (all == NULL || read_keys(all, problem, sizeof(problem)))
        return;
    /* What is wrong is said when it is read again, where there is a context. */
    secret_file_free(last_read);
    last_read = NULL;
}

static bool look_is_due(bool now)
{
    int64_t time = clock_now(CLOCK_MONOTONIC_COARSE);
    int64_t due = atomic_load_explicit(&next_look, memory_order_relaxed);
    if (!now && time < due)
        return false;
    return atomic_compare_exchange_strong(&next_look, &due, time + CLOCK_SECOND) || now;
}

static void say_no_root(void)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    say_once(&was_said, "tickets are not shared: SSLCACHE_TICKETS=shared needs a key, and "
                        "SSLCACHE_STORE_KEY names no file of one");
}

bool ticket_keys_ready(bool now)
{
    int saved_errno = errno;
    struct secrets *all = room();
    bool has_file = config.settings.store_key[0] != '\0';
    if (all != NULL && has_file && look_is_due(now) && !atomic_flag_test_and_set(&is_reading)) {
        look_at_file(all);
        atomic_flag_clear(&is_reading);
    }
    errno = saved_errno;
    if (atomic_load(&roots) > 0)
        return true;
    if (now && !has_file)
        say_no_root();
    return false;
}

bool ticket_keys_set_root(const unsigned char root[TICKET_KEY_SIZE])
{
    struct secrets *all = room();
    struct root derived;
    if (all == NULL || config.settings.store_key[0] != '\0' || !derive_root(root, &derived))
        return false;
    ticket_keys_lock();
    take_roots(all, &derived, 1);
    ticket_keys_unlock();
    libssl.OPENSSL_cleanse(&derived, sizeof(derived));
    return true;
}

/* ---- keys ---- */

/* How many epochs before this one have tickets that live, one more for clocks that differ. */
static int64_t older_epochs(const struct ticket_time *time)
{
    return (time->life + time->epoch - 1) / time->epoch + 1;
}

/* The lock is held. Wipes keys whose tickets have expired: once in an epoch, and each minute where an epoch is longer. */
static void sweep(struct secrets *all, const struct ticket_time *time)
{
    int64_t since = time->now - swept;
    if (since >= 0 && since < (time->epoch < 60 ? time->epoch : 60))
        return;
    swept = time->now;
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &all->slots[i];
        /* How long the tickets of this key live is not kept: as long as those that are asked for now. */
        int64_t end = (slot->number + older_epochs(time) + 1) * slot->epoch;
        if (slot->is_used && end <= time->now)
            libssl.OPENSSL_cleanse(slot, sizeof(*slot));
    }
}

static bool is_same_label(const struct ticket_label *left, const struct ticket_label *right)
{
    const size_t head = offsetof(struct ticket_label, server_name);
    return memcmp(left, right, head) == 0 &&
           memcmp(left->server_name, right->server_name, left->server_name_length) == 0;
}

static uint32_t slot_of(const struct ticket_label *label, uint32_t root, int64_t number)
{
    const uint32_t prime = 16777619;
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 4; i++)
        hash = (hash ^ label->identity[i]) * prime;
    for (int i = 0; i < label->server_name_length; i++)
        hash = (hash ^ (unsigned char)label->server_name[i]) * prime;
    hash = (hash ^ label->version ^ root << 4 ^ (uint32_t)number << 8) * prime;
    return (hash ^ hash >> 16) % SLOTS;
}

/* The lock is held. */
static bool find_key(struct secrets *all, const struct ticket_label *label, uint32_t root,
                     int64_t number, const struct ticket_time *time, struct ticket_key *key)
{
    struct slot *slot = &all->slots[slot_of(label, root, number)];
    if (!slot->is_used || slot->root != root || slot->number != number ||
        slot->epoch != time->epoch || !is_same_label(&slot->label, label)) {
        slot->is_used = false;
        if (!derive_key(&all->root[root], label, time->epoch, number, &slot->key))
            return false;
        slot->root = root;
        slot->number = number;
        slot->epoch = time->epoch;
        slot->label = *label;
        slot->is_used = true;
    }
    *key = slot->key;
    return true;
}

static struct secrets *locked_secrets(const struct ticket_time *time)
{
    struct secrets *all = atomic_load_explicit(&secrets, memory_order_acquire);
    if (all == NULL)
        return NULL;
    ticket_keys_lock();
    sweep(all, time);
    return all;
}

bool ticket_keys_seal(const struct ticket_label *label, const struct ticket_time *time,
                      struct ticket_key *key)
{
    struct secrets *all = locked_secrets(time);
    if (all == NULL)
        return false;
    bool is_found = all->roots > 0 && find_key(all, label, 0, time->now / time->epoch, time, key);
    ticket_keys_unlock();
    return is_found;
}

/* The lock is held. */
static uint32_t root_of(const struct secrets *all, const unsigned char name[TICKET_NAME_SIZE])
{
    uint32_t root = 0;
    while (root < all->roots && memcmp(all->root[root].mark, name, MARK_SIZE) != 0)
        root++;
    return root;
}

/* The lock is held. A key name has 32 bits of the epoch's number: the nearest one is meant. */
static int64_t number_in(const struct root *root, const unsigned char name[TICKET_NAME_SIZE],
                         int64_t present)
{
    uint32_t hidden = take_32(name + MARK_SIZE);
    return present + (int32_t)((hidden ^ root->mask) - (uint32_t)present);
}

/* The lock is held. */
static enum ticket_finding look_up(struct secrets *all, const struct ticket_label *label,
                                   const struct ticket_time *time,
                                   const unsigned char name[TICKET_NAME_SIZE],
                                   struct ticket_key *key)
{
    uint32_t root = root_of(all, name);
    if (root == all->roots)
        return TICKET_IS_UNKNOWN;
    int64_t present = time->now / time->epoch;
    int64_t number = number_in(&all->root[root], name, present);
    if (number > present + 1 || number < present - older_epochs(time))
        return TICKET_IS_OLD;
    if (!find_key(all, label, root, number, time, key) ||
        memcmp(key->name, name, TICKET_NAME_SIZE) != 0)
        return TICKET_IS_ELSEWHERES;
    return root == 0 && number >= present ? TICKET_OPENS : TICKET_OPENS_RENEW;
}

enum ticket_finding ticket_keys_open(const struct ticket_label *label,
                                     const struct ticket_time *time,
                                     const unsigned char name[TICKET_NAME_SIZE],
                                     struct ticket_key *key)
{
    struct secrets *all = locked_secrets(time);
    if (all == NULL)
        return TICKET_IS_UNKNOWN;
    enum ticket_finding finding = look_up(all, label, time, name, key);
    ticket_keys_unlock();
    return finding;
}
