#define _GNU_SOURCE
#include "cshim/atfork.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

typedef void (*atfork_function)(void);
typedef int (*register_function)(atfork_function prepare, atfork_function parent,
                                 atfork_function child, void *object);

/* As the C++ ABI has it: what is to be done when an object is unloaded. */
int __cxa_atexit(void (*function)(void *), void *argument, void *object);

struct registration {
    atfork_function functions[ATFORK_PHASES];
    struct registration *earlier;
};

/*
 * Changed under lock. Read without it, but only in a handler of a program that has one thread; and each
 * change is a single store, so the list is whole wherever the handler interrupted it.
 */
static struct registration *volatile last;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void remember(struct registration *registration)
{
    pthread_mutex_lock(&lock);
    registration->earlier = last;
    last = registration;
    pthread_mutex_unlock(&lock);
}

/* Under lock. */
static void take_out(const struct registration *registration)
{
    if (last == registration) {
        last = registration->earlier;
        return;
    }
    struct registration *later = last;
    while (later->earlier != registration)
        later = later->earlier;
    later->earlier = registration->earlier;
}

static void forget(void *argument)
{
    struct registration *registration = argument;
    pthread_mutex_lock(&lock);
    take_out(registration);
    pthread_mutex_unlock(&lock);
    free(registration);
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
    struct registration *registration = malloc(sizeof(*registration));
    if (glibcs == NULL || registration == NULL) {
        free(registration);
        return ENOMEM;
    }
    int error = glibcs(prepare, parent, child, object);
    if (error != 0) {
        free(registration);
        return error;
    }
    *registration = (struct registration){.functions = {prepare, parent, child}};
    remember(registration);
    if (object != NULL)
        __cxa_atexit(forget, registration, object);
    return 0;
}

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
