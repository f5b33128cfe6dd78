/*
 * scope.h - "this thread is inside a call of ours that calls the program back", known to what the program calls from
 * there.
 *
 * The program may leave such a call by longjmp(3), and the call never ends. So a scope lies on the stack of the call,
 * and is believed only while it can still be there: it lies above whoever asks and has a seal, a word that follows from
 * its address. It may also have left by swapcontext(3), and freed the stack: then there is no memory to look at.
 */
#ifndef SSLCACHE_SCOPE_H
#define SSLCACHE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scope {
    struct scope *outer; /* of the same kind */
    uintptr_t seal;
};

/* The innermost scope of a kind, a variable of each thread, or NULL. */
#define SCOPE_KIND _Thread_local __attribute__((tls_model("initial-exec"))) struct scope *

static inline uintptr_t scope_seal(const struct scope *scope)
{
    return (uintptr_t)scope ^ (uintptr_t)0x5ca1ab1e0ddba11U;
}

/* AddressSanitizer moves variables off the stack, to where they have no order. */
#ifdef __SANITIZE_ADDRESS__
#define SCOPE_IS_ABOVE(scope) true
#else
#define SCOPE_IS_ABOVE(scope) ((uintptr_t)(scope) > (uintptr_t)__builtin_frame_address(0))
#endif

/* Whether there is memory at the seal, as seen from a frame: on the same page there is. */
bool scope_is_mapped(const struct scope *scope, const void *frame);

/* The scope that this thread is in, or NULL. */
static inline __attribute__((always_inline)) struct scope *scope_current(struct scope *innermost)
{
    bool is_there = innermost != NULL && SCOPE_IS_ABOVE(innermost) &&
                    scope_is_mapped(innermost, __builtin_frame_address(0));
    return is_there && innermost->seal == scope_seal(innermost) ? innermost : NULL;
}

/* The outer scope may be gone: whoever asks for it looks at it then, and entering costs no system call. */
static inline void scope_enter(struct scope **innermost, struct scope *scope)
{
    scope->outer = *innermost;
    scope->seal = scope_seal(scope);
    *innermost = scope;
}

static inline void scope_leave(struct scope **innermost, struct scope *scope)
{
    scope->seal = 0;
    *innermost = scope->outer;
}

#endif
