#define _GNU_SOURCE
#include "cshim/share/key_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cshim/process/cancel.h"
#include "cshim/process/error.h"
#include "cshim/settings/config.h"
#include "cshim/share/backend.h"
#include "cshim/share/secret_file.h"

_Static_assert((int)KEY_TEXT_MAX == (int)SECRET_FILE_SIZE_MAX, "one bound for files of secrets");

static _Atomic(struct key_text *) newest;

/* Never in a core dump, never on a disk where that can be had. */
static struct key_text *new_keys(void)
{
    void *keys = mmap(NULL, sizeof(struct key_text), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (keys == MAP_FAILED)
        return NULL;
    madvise(keys, sizeof(struct key_text), MADV_DONTDUMP);
    mlock(keys, sizeof(struct key_text));
    return keys;
}

static void wipe_keys(struct key_text *keys)
{
    explicit_bzero(keys->text, keys->length);
    munlock(keys, sizeof(*keys));
}

/* Why the file can't be read, or NULL. */
static const char *read_keys(int file, const struct stat *now, struct key_text *before)
{
    const char *fault = secret_file_fault(now);
    if (fault != NULL)
        return fault;
    struct key_text *keys = new_keys();
    if (keys == NULL)
        return "there is no memory for it";
    ssize_t got;
    while (keys->length < KEY_TEXT_MAX &&
           (got = read(file, keys->text + keys->length, KEY_TEXT_MAX - keys->length)) > 0)
        keys->length += (uint32_t)got;
    keys->file = *now;
    keys->older = before;
    if (!atomic_compare_exchange_strong(&newest, &before, keys)) {
        wipe_keys(keys); /* another thread was faster */
        munmap(keys, sizeof(*keys));
    }
    return NULL;
}

static const char *look_at_file(struct key_text *before)
{
    struct stat now;
    const char *fault = NULL;
    int file = open(config.settings.store_key, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    /* A worker that has given up its user or its root keeps what it has, without a word. */
    if (file < 0 && before != NULL && (errno == EACCES || errno == ENOENT))
        return NULL;
    if (file < 0)
        return error_name(errno);
    if (fstat(file, &now) != 0)
        fault = error_name(errno);
    else if (before == NULL || !secret_file_is_same(&now, &before->file))
        fault = read_keys(file, &now, before);
    close(file);
    return fault;
}

/* Why the keys can't be had, or NULL. Keys that are there stay where it fails. The thread can't be cancelled here: a file is open. */
const char *key_text_look(void)
{
    int before_us = cancel_forbid();
    struct key_text *before = atomic_load(&newest);
    const char *fault = look_at_file(before);
    if (fault != NULL && before != NULL)
        store_note(STORE_KEYS_KEPT, "the new keys in %s can't be used: %s; those from before stay",
                   config.settings.store_key, fault);
    cancel_allow(before_us);
    return fault;
}

struct key_text *key_text_newest(void)
{
    return atomic_load(&newest);
}
