#include "cshim/process/threads.h"

#include <stdatomic.h>

/* One for each of Go's processors (see generation.c), its monitor, the one that makes others, and spare. */
enum { THREADS = 12 };

/* Go's scheduler runs on it, and the few lines of C that Go calls. */
enum { STACK_SIZE = 256 * 1024 };

static atomic_int number;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* Under lock. */
static int waiting;
static bool dismissed;
static void *(*next_routine)(void *); /* for the first that wakes, or NULL */
static void *next_argument;

static void *wait_for_work(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    while (next_routine == NULL && !dismissed)
        pthread_cond_wait(&changed, &lock);
    void *(*routine)(void *) = next_routine;
    void *argument = next_argument;
    next_routine = NULL;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (routine != NULL)
        routine(argument);
    atomic_fetch_sub(&number, 1);
    return NULL;
}

/* None is joined: those that are left end by themselves. */
static void dismiss(void)
{
    pthread_mutex_lock(&lock);
    dismissed = true;
    waiting = 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

bool threads_prepare(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (threads_attributes(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (waiting < THREADS && pthread_create(&thread, &attributes, wait_for_work, NULL) == 0) {
        atomic_fetch_add(&number, 1);
        waiting++;
    }
    pthread_attr_destroy(&attributes);
    if (waiting == THREADS)
        return true;
    dismiss();
    return false;
}

int threads_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *),
                   void *argument)
{
    pthread_mutex_lock(&lock);
    while (next_routine != NULL)
        pthread_cond_wait(&changed, &lock);
    bool is_taken = waiting > 0;
    if (is_taken) {
        waiting--;
        next_routine = routine;
        next_argument = argument;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    if (is_taken)
        return 0;
    int error = pthread_create(thread, attributes, routine, argument);
    if (error == 0)
        atomic_fetch_add(&number, 1);
    return error;
}

int threads_number(void)
{
    return atomic_load(&number);
}

int threads_attributes(pthread_attr_t *attributes)
{
    int error = pthread_attr_init(attributes);
    return error != 0 ? error : pthread_attr_setstacksize(attributes, STACK_SIZE);
}
