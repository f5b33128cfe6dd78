#define _GNU_SOURCE
#include "cshim/process/signals.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIGNALS = 64 };

typedef int (*sigaction_function)(int number, const struct sigaction *new, struct sigaction *old);
typedef sighandler_t (*sigset_function)(int number, sighandler_t handler);

struct signals_snapshot {
    struct sigaction actions[SIGNALS + 1];
};

/* Set when the core starts: before, a handler needs no SA_ONSTACK and gets none. */
static atomic_bool guarding;

/* One bit a signal: its handler carries an SA_ONSTACK that the program did not ask for. */
static _Atomic uint64_t added;

/* One bit a signal: siginterrupt(3) asked that calls be interrupted. */
static _Atomic uint64_t interrupting;

/*
 * glibc's own functions, past any other library that stands before it as we do. Resolved in a
 * handler at worst once: dlsym is called when the library is loaded (see resolve_early).
 */
static _Atomic sigaction_function real_sigaction;
static _Atomic sigset_function real_sigset;

static uint64_t bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

__attribute__((constructor)) static void resolve_early(void)
{
    atomic_store(&real_sigaction, (sigaction_function)dlsym(RTLD_NEXT, "sigaction"));
    atomic_store(&real_sigset, (sigset_function)dlsym(RTLD_NEXT, "sigset"));
}

static int call_sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
    if (atomic_load(&real_sigaction) == NULL)
        resolve_early();
    sigaction_function function = atomic_load(&real_sigaction);
    if (function == NULL) {
        errno = ENOSYS;
        return -1;
    }
    return function(number, new, old);
}

static bool is_valid(int number)
{
    return number >= 1 && number <= SIGNALS;
}

static bool has_handler(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

static bool needs_guard(const struct sigaction *action)
{
    return atomic_load(&guarding) && has_handler(action) && (action->sa_flags & SA_ONSTACK) == 0;
}

static void note_added(int number, bool is_added)
{
    if (is_added)
        atomic_fetch_or(&added, bit(number));
    else
        atomic_fetch_and(&added, ~bit(number));
}

/* sigaction(2) as the program sees it. */
static int act(int number, const struct sigaction *new, struct sigaction *old)
{
    if (!is_valid(number))
        return call_sigaction(number, new, old);

    bool was_added = (atomic_load(&added) & bit(number)) != 0;
    struct sigaction guarded;
    const struct sigaction *wanted = new;
    if (new != NULL && needs_guard(new)) {
        guarded = *new;
        guarded.sa_flags |= SA_ONSTACK;
        wanted = &guarded;
    }
    if (call_sigaction(number, wanted, old) != 0)
        return -1;
    if (new != NULL)
        note_added(number, wanted == &guarded);
    if (old != NULL && was_added)
        old->sa_flags &= ~SA_ONSTACK;
    return 0;
}

/* Gives SA_ONSTACK to the handler that stands, if it lacks it. */
static void guard(int number)
{
    struct sigaction action;
    if (call_sigaction(number, NULL, &action) != 0 || !needs_guard(&action))
        return;
    action.sa_flags |= SA_ONSTACK;
    if (call_sigaction(number, &action, NULL) == 0)
        note_added(number, true);
}

static sighandler_t install(int number, sighandler_t handler, int flags, bool masks_itself)
{
    struct sigaction new = {.sa_handler = handler, .sa_flags = flags};
    struct sigaction old;
    sigemptyset(&new.sa_mask);
    if (handler == SIG_ERR || !is_valid(number) ||
        (masks_itself && sigaddset(&new.sa_mask, number) != 0)) {
        errno = EINVAL;
        return SIG_ERR;
    }
    return act(number, &new, &old) != 0 ? SIG_ERR : old.sa_handler;
}

int sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
    return act(number, new, old);
}

int __sigaction(int number, const struct sigaction *new, struct sigaction *old);
int __sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
    return act(number, new, old);
}

/* signal(3) with BSD's rules, glibc's default: calls restart unless siginterrupt(3) said otherwise.
 */
sighandler_t signal(int number, sighandler_t handler)
{
    bool interrupts = is_valid(number) && (atomic_load(&interrupting) & bit(number)) != 0;
    return install(number, handler, interrupts ? 0 : SA_RESTART, true);
}

sighandler_t bsd_signal(int number, sighandler_t handler);
sighandler_t bsd_signal(int number, sighandler_t handler)
{
    return signal(number, handler);
}

sighandler_t ssignal(int number, sighandler_t handler)
{
    return signal(number, handler);
}

/* System V's rules: the handler is reset when it is called and does not block its own signal. */
sighandler_t sysv_signal(int number, sighandler_t handler)
{
    return install(number, handler, (int)(SA_RESETHAND | SA_NODEFER | SA_INTERRUPT), false);
}

sighandler_t __sysv_signal(int number, sighandler_t handler);
sighandler_t __sysv_signal(int number, sighandler_t handler)
{
    return sysv_signal(number, handler);
}

/* siginterrupt(3): glibc's would set the flags of the handler past us and forget what signal()
 * needs. */
int siginterrupt(int number, int flag)
{
    struct sigaction action;
    if (act(number, NULL, &action) != 0)
        return -1;
    if (flag != 0) {
        atomic_fetch_or(&interrupting, bit(number));
        action.sa_flags &= ~SA_RESTART;
    } else {
        atomic_fetch_and(&interrupting, ~bit(number));
        action.sa_flags |= SA_RESTART;
    }
    return act(number, &action, NULL);
}

/* sigset(3) also changes the mask: glibc's does the work, and the handler is guarded after. */
sighandler_t sigset(int number, sighandler_t handler)
{
    if (atomic_load(&real_sigset) == NULL)
        resolve_early();
    sigset_function function = atomic_load(&real_sigset);
    if (function == NULL) {
        errno = ENOSYS;
        return SIG_ERR;
    }
    sighandler_t old = function(number, handler);
    if (old != SIG_ERR && handler != SIG_HOLD && is_valid(number)) {
        note_added(number, false);
        guard(number);
    }
    return old;
}

struct signals_snapshot *signals_snapshot(void)
{
    static struct signals_snapshot snapshot;
    for (int number = 1; number <= SIGNALS; number++)
        call_sigaction(number, NULL, &snapshot.actions[number]);
    return &snapshot;
}

static bool in_same_object(const void *one, const void *other)
{
    Dl_info of_one, of_other;
    return dladdr(one, &of_one) != 0 && dladdr(other, &of_other) != 0 &&
           of_one.dli_fbase == of_other.dli_fbase;
}

void signals_restore(const struct signals_snapshot *before, const void *runtime)
{
    for (int number = 1; number <= SIGNALS; number++) {
        struct sigaction now;
        const struct sigaction *then = &before->actions[number];
        if (call_sigaction(number, NULL, &now) != 0 || !has_handler(&now))
            continue;
        /* Go puts its own handlers, and an SA_ONSTACK to some that it finds. */
        if (in_same_object((void *)now.sa_handler, runtime) ||
            (now.sa_handler == then->sa_handler && now.sa_flags != then->sa_flags))
            call_sigaction(number, then, NULL);
    }
    atomic_store(&guarding, true);
    for (int number = 1; number <= SIGNALS; number++)
        guard(number);
}

/* ---- the alternate stack of a thread ---- */

/* Untouched pages cost nothing. The lowest page is a guard. */
enum { STACK_SIZE = 1 << 20, GUARD_SIZE = 4096 };

static _Thread_local stack_t ours;     /* what the kernel has; ss_sp is NULL where it isn't ours */
static _Thread_local stack_t programs; /* what the program set, or SS_DISABLE */

static pthread_key_t thread_end;

static int call_sigaltstack(const stack_t *new, stack_t *old)
{
    return (int)syscall(SYS_sigaltstack, new, old);
}

/* At the end of a thread: what the program set is for the kernel again, and our stack goes. */
static void leave_thread(void *stack)
{
    call_sigaltstack(&programs, NULL);
    ours.ss_sp = NULL;
    munmap(stack, STACK_SIZE);
}

static void make_key(void)
{
    pthread_key_create(&thread_end, leave_thread);
}

void signals_enter_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    if (ours.ss_sp != NULL || call_sigaltstack(NULL, &programs) != 0)
        return;
    if ((programs.ss_flags & SS_ONSTACK) != 0 ||
        ((programs.ss_flags & SS_DISABLE) == 0 && programs.ss_size >= STACK_SIZE))
        return;
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return;
    stack_t replacement = {.ss_sp = stack + GUARD_SIZE, .ss_size = STACK_SIZE - GUARD_SIZE};
    if (mprotect(stack, GUARD_SIZE, PROT_NONE) != 0 ||
        pthread_setspecific(thread_end, stack) != 0 || call_sigaltstack(&replacement, NULL) != 0) {
        pthread_setspecific(thread_end, NULL);
        munmap(stack, STACK_SIZE);
        return;
    }
    ours = replacement;
}

bool signals_in_handler(void)
{
    stack_t kernels;
    return atomic_load(&guarding) && call_sigaltstack(NULL, &kernels) == 0 &&
           (kernels.ss_flags & SS_ONSTACK) != 0;
}

int sigaltstack(const stack_t *new, stack_t *old)
{
    stack_t kernels;
    if (ours.ss_sp == NULL)
        return call_sigaltstack(new, old);
    stack_t before = programs;
    if (call_sigaltstack(new, &kernels) != 0)
        return -1;
    if ((kernels.ss_flags & SS_ONSTACK) != 0 && (before.ss_flags & SS_DISABLE) == 0)
        before.ss_flags |= SS_ONSTACK;
    if (new != NULL) {
        programs = *new;
        if ((new->ss_flags &SS_DISABLE) != 0)
            programs = (stack_t){.ss_flags = SS_DISABLE};
        call_sigaltstack(&ours, NULL);
    }
    if (old != NULL)
        *old = before;
    return 0;
}
