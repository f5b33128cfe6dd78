#define _GNU_SOURCE
#include "capi/library/runtime.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Go's scheduler runs on it, and the few lines of C that Go calls. */
enum { STACK_SIZE = 256 * 1024 };

static _Atomic(const char *) wanted;

const char *runtime_wants(void)
{
    return atomic_load(&wanted);
}

static void wait_for(const char *what)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    atomic_store(&wanted, what);
    nanosleep(&moment, NULL);
}

/* Whether there is so much more to be had that the program does not miss what Go takes. */
static bool is_plenty_left(void)
{
    enum { PROGRAMS = 16 << 20 };
    void *memory = mmap(NULL, PROGRAMS, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED && munmap(memory, PROGRAMS) == 0;
}

int runtime_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                           void *(*routine)(void *), void *argument)
{
    while (!is_plenty_left())
        wait_for("memory");
    while (pthread_create(thread, attributes, routine, argument) != 0)
        wait_for("threads");
    atomic_store(&wanted, NULL);
    return 0;
}

int runtime_pthread_attr_init(pthread_attr_t *attributes)
{
    int error = pthread_attr_init(attributes);
    return error != 0 ? error : pthread_attr_setstacksize(attributes, STACK_SIZE);
}

void *runtime_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset)
{
    void *memory;
    while ((protection & PROT_WRITE) != 0 && !is_plenty_left())
        wait_for("memory");
    while ((memory = mmap(address, length, protection, flags, file, offset)) == MAP_FAILED)
        wait_for("memory");
    atomic_store(&wanted, NULL);
    return memory;
}

int runtime_munmap(void *address, size_t length)
{
    munmap(address, length);
    return 0;
}

int runtime_sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
    (void)new;
    return old != NULL ? sigaction(number, NULL, old) : 0;
}

_Noreturn void runtime_abort(void)
{
    const struct timespec day = {.tv_sec = 86400};
    for (;;)
        nanosleep(&day, NULL);
}

/* ---- Go's table of signals ---- */

/* As runtime/signal_unix.go has it, and the flag _SigUnblock of runtime/runtime2.go. */
struct go_signal {
    int32_t flags;
    struct {
        const char *text;
        intptr_t length;
    } name;
};

enum { LET_THROUGH = 1 << 7, SIGNALS = 65 };

extern struct go_signal go_signals[SIGNALS] __attribute__((visibility("hidden")));

static bool is(int number, const char *name, bool is_let_through)
{
    const struct go_signal *signal = &go_signals[number];
    size_t length = strlen(name);
    return (size_t)signal->name.length >= length && memcmp(signal->name.text, name, length) == 0 &&
           ((signal->flags & LET_THROUGH) != 0) == is_let_through;
}

static bool is_as_expected(void)
{
    return is(SIGCHLD, "SIGCHLD:", true) && is(SIGPROF, "SIGPROF:", true) &&
           is(SIGUSR1, "SIGUSR1:", false) && is(SIGNALS - 1, "signal 64", false);
}

const char *runtime_mask_signals(void)
{
    if (!is_as_expected())
        return "it was built with a Go that is not known";
    for (int number = 1; number < __SIGRTMIN; number++)
        go_signals[number].flags &= ~LET_THROUGH;
    for (int number = SIGRTMIN; number < SIGNALS; number++)
        go_signals[number].flags &= ~LET_THROUGH;
    return NULL;
}
