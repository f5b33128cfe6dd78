#define _GNU_SOURCE
#include "cshim/share/memory_keys.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>

#include "cshim/process/mapping.h"
#include "cshim/settings/config.h"
#include "cshim/share/backend.h"
#include "cshim/share/key_text.h"

static const struct secret_file
    *text_used; /* that the keys are of; under the lock of the memory store */
static _Atomic(struct memory_keys *) current;

bool memory_keys_make_random(void)
{
    struct memory_keys *fresh = mapping_make_secret(sizeof(*fresh));
    if (fresh == NULL ||
        getrandom(fresh->keys, sizeof(fresh->keys[0]), 0) != (ssize_t)sizeof(fresh->keys[0]) ||
        getrandom(fresh->root, sizeof(fresh->root), 0) != (ssize_t)sizeof(fresh->root))
        return false;
    fresh->count = 1;
    atomic_store_explicit(&current, fresh, memory_order_release);
    return true;
}

static struct memory_keys *derive_keys(const struct key_file *file)
{
    struct memory_keys *fresh = mapping_make_secret(sizeof(*fresh));
    for (unsigned i = 0; fresh != NULL && i < file->count; i++)
        if (!record_derive(&fresh->keys[i], file->keys[i]))
            return NULL;
    if (fresh != NULL)
        fresh->count = file->count;
    return fresh;
}

void memory_keys_use_newest(void)
{
    struct key_file file;
    char problem[128] = "";
    const struct secret_file *text = key_text_newest();
    if (text == text_used)
        return;
    text_used = text;
    struct memory_keys *fresh = NULL;
    if (key_file_parse((const char *)text->text, text->length, &file, problem, sizeof(problem)) &&
        (fresh = derive_keys(&file)) == NULL)
        strcpy(problem, "libcrypto can't derive keys from them");
    explicit_bzero(&file, sizeof(file));
    if (fresh != NULL)
        atomic_store_explicit(&current, fresh, memory_order_release);
    else
        store_note(STORE_KEYS_UNUSABLE, "the keys in %s can't be used: %s; %s",
                   config.settings.store_key, problem,
                   atomic_load(&current) != NULL ? "those from before stay"
                                                 : "the store stays off");
}

const struct memory_keys *memory_keys_current(void)
{
    return atomic_load_explicit(&current, memory_order_acquire);
}
