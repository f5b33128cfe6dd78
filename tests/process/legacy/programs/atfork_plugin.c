/* A module that watches the forks of its process, until it is unloaded. */
#include <pthread.h>

static int *seen;

static void see(void)
{
    ++*seen;
}

int watch_forks(int *counter);
int watch_forks(int *counter)
{
    seen = counter;
    return pthread_atfork(see, see, see) == 0;
}
