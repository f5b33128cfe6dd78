/*
 * second_libssl.h - a second libssl in the process, beside the one that `libssl` is bound to.
 *
 * A module may bring a libssl of another version with it. Its objects mean nothing to ours, and calls of
 * both come to us. From the first sight of it on no further context is taken over, and each call goes on to
 * the libssl that it would have reached without us. We look for one where a context is being made.
 */
#ifndef SSLCACHE_SECOND_LIBSSL_H
#define SSLCACHE_SECOND_LIBSSL_H

#include <stdatomic.h>
#include <stdbool.h>

extern atomic_bool second_libssl_seen;

static inline bool second_libssl_is_loaded(void)
{
    return atomic_load_explicit(&second_libssl_seen, memory_order_relaxed);
}

/*
 * Looks, unless nothing was loaded since the last look, or the caller is the bound libssl, which knows
 * nothing of others. To be called when `libssl` is bound. Reports whether there is one, and was none before.
 */
bool second_libssl_look(const void *caller);

/*
 * The function of that name in the libssl that address belongs to, be it in a libssl or in something that
 * was linked with one. NULL: it is the bound one, `libssl`.
 */
void *second_libssl_function(const char *name, const void *address);

#endif
