#include "cshim/share/key_text.h"

#include <stdatomic.h>
#include <stddef.h>

#include "cshim/settings/config.h"
#include "cshim/share/backend.h"

static _Atomic(struct secret_file *) newest;

const char *key_text_look(void)
{
    struct secret_file *before = atomic_load(&newest), *fresh;
    const char *fault = secret_file_read(config.settings.store_key, before, &fresh);
    if (fault != NULL && before != NULL)
        store_note(STORE_KEYS_KEPT, "the new keys in %s can't be used: %s; those from before stay",
                   config.settings.store_key, fault);
    if (fresh == NULL)
        return fault;
    fresh->older = before;
    if (!atomic_compare_exchange_strong(&newest, &before, fresh))
        secret_file_free(fresh); /* another thread was faster */
    return NULL;
}

struct secret_file *key_text_newest(void)
{
    return atomic_load(&newest);
}
