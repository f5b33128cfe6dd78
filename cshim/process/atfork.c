#define _GNU_SOURCE
#include "cshim/process/atfork.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef void (*atfork_function)(void);
typedef int (*register_function)(atfork_function prepare, atfork_function parent,
                                 atfork_function child, void *object);

/* As the C++ ABI has it: what is to be done when an object is unloaded. */
int __cxa_atexit(void (*function)(void *), void *argument, void *object);

struct registration {
    bool is_taken;
    atfork_function functions[ATFORK_PHASES];
    struct registration *earlier;
};

/*
 * The list is changed under lock. It is read without, but only in a handler of a program that has one
 * thread; and each change is a single store, so it is whole wherever the handler interrupted it.
 */
static struct registration *volatile last;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ThreadSanitizer registers before it can watch anybody: its build has a list that stays empty. */
#ifndef __SANITIZE_THREAD__

/* Not from malloc: a library that is one registers before it can give memory. */
enum { REGISTRATIONS_MAX = 256 };

static struct registration registrations[REGISTRATIONS_MAX];

/* lock is held. NULL: there are too many; this one is not run by us. */
static struct registration *take_free(void)
{
    for (int i = 0; i < REGISTRATIONS_MAX; i++) {
        if (registrations[i].is_taken)
            continue;
        registrations[i].is_taken = true;
        return &registrations[i];
    }
    return NULL;
}

static struct registration *remember(atfork_function prepare, atfork_function parent,
                                     atfork_function child)
{
    pthread_mutex_lock(&lock);
    struct registration *registration = take_free();
    if (registration != NULL) {
        *registration = (struct registration){true, {prepare, parent, child}, last};
        atomic_signal_fence(memory_order_release);
        last = registration;
    }
    pthread_mutex_unlock(&lock);
    return registration;
}

/* lock is held. */
static void take_out(struct registration *registration)
{
    if (last == registration) {
        last = registration->earlier;
        return;
    }
    struct registration *later = last; /* its `earlier` is one store as well */
    while (later->earlier != registration)
        later = later->earlier;
    later->earlier = registration->earlier;
}

static void forget(void *registration)
{
    pthread_mutex_lock(&lock);
    take_out(registration);
    ((struct registration *)registration)->is_taken = false;
    pthread_mutex_unlock(&lock);
}

/*
 * What pthread_atfork(3) comes to: it is linked into every object, which it names. glibc forgets the
 * functions of an object that is unloaded, and so do we.
 */
int __register_atfork(atfork_function prepare, atfork_function parent, atfork_function child,
                      void *object);
int __register_atfork(atfork_function prepare, atfork_function parent, atfork_function child,
                      void *object)
{
    register_function glibcs = (register_function)dlsym(RTLD_NEXT, "__register_atfork");
    int error = glibcs != NULL ? glibcs(prepare, parent, child, object) : ENOMEM;
    if (error != 0)
        return error;
    struct registration *registration = remember(prepare, parent, child);
    if (registration != NULL && object != NULL)
        __cxa_atexit(forget, registration, object);
    return 0;
}

#endif

static void run(const struct registration *registration, enum atfork_phase phase)
{
    if (registration->functions[phase] != NULL)
        registration->functions[phase]();
}

static void run_earliest_first(const struct registration *registration, enum atfork_phase phase)
{
    if (registration == NULL)
        return;
    run_earliest_first(registration->earlier, phase);
    run(registration, phase);
}

void atfork_run(enum atfork_phase phase)
{
    if (phase != ATFORK_PREPARE) {
        run_earliest_first(last, phase);
        return;
    }
    for (const struct registration *each = last; each != NULL; each = each->earlier)
        run(each, phase);
}

void atfork_fork_child(void)
{
    pthread_mutex_init(&lock, NULL);
}
