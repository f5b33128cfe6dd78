#include "cshim/takeover/membership.h"

#include <pthread.h>

#include "cshim/process/table.h"

enum { ASKED = 8 };

static struct context *
    asked[ASKED]; /* contexts that don't mark their sessions; NULL: free; under the contexts lock */
static struct table numbered;  /* number of a context that marks its sessions, to the context */
static atomic_bool is_marking; /* there was a context that marks its sessions */
static int mark_index = -1;    /* of a mark among the ex_data of an SSL_SESSION */

/*
 * A mark is the number of a context, or 0 where the session may be in several, with 16 bits above that tell that it is
 * a mark: a program may write anything to an index that it was never given. So it is no pointer either.
 */
static const uintptr_t mark_word = (uintptr_t)0x55c3 << 48;
static const uintptr_t mark_bits = (uintptr_t)0xffff << 48;

static void take_index(void)
{
    mark_index =
        libssl.CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, NULL, NULL, NULL);
}

static const void *key_of(uint32_t number)
{
    return (const void *)((uintptr_t)number << 4);
}

void membership_begin(struct context *context)
{
    for (int i = 0; i < ASKED; i++) {
        if (asked[i] != NULL)
            continue;
        asked[i] = context;
        return;
    }
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, take_index);
    context->marks_sessions =
        mark_index >= 0 && table_put(&numbered, key_of(context->number), context);
    atomic_store(&is_marking, true);
}

void membership_end(struct context *context)
{
    if (context->marks_sessions)
        table_remove(&numbered, key_of(context->number));
    for (int i = 0; i < ASKED; i++)
        if (asked[i] == context)
            asked[i] = NULL;
}

static bool is_mark(uintptr_t mark)
{
    return (mark & mark_bits) == mark_word;
}

void membership_note(const struct context *context, SSL_SESSION *session)
{
    if (!context->marks_sessions)
        return;
    uintptr_t before = (uintptr_t)libssl.SSL_SESSION_get_ex_data(session, mark_index);
    uintptr_t mark = mark_word | context->number;
    if (before == mark)
        return;
    libssl.SSL_SESSION_set_ex_data(session, mark_index, (void *)(before == 0 ? mark : mark_word));
}

/* The contexts lock is held. */
static void use_asked(void (*use)(struct context *context, void *argument), void *argument)
{
    for (int i = 0; i < ASKED; i++)
        if (asked[i] != NULL)
            use(asked[i], argument);
}

void membership_each(const SSL_SESSION *session,
                     void (*use)(struct context *context, void *argument), void *argument)
{
    uintptr_t mark = 0;
    if (atomic_load(&is_marking) && mark_index >= 0)
        mark = (uintptr_t)libssl.SSL_SESSION_get_ex_data(session, mark_index);
    if (mark != 0 && (!is_mark(mark) || mark == mark_word)) {
        contexts_each(use, argument);
        return;
    }
    contexts_lock();
    use_asked(use, argument);
    struct context *owner =
        mark != 0 ? table_find(&numbered, key_of((uint32_t)(mark & ~mark_bits))) : NULL;
    if (owner != NULL)
        use(owner, argument);
    contexts_unlock();
}
