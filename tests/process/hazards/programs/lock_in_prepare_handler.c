/* A prepare handler of the program takes a lock that another thread holds while it adds sessions. */
#include "hazard.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SSL_CTX *ctx;

static void take(void)
{
    pthread_mutex_lock(&lock);
}

static void release(void)
{
    pthread_mutex_unlock(&lock);
}

static void *add_under_lock(void *unused UNUSED)
{
    for (unsigned i = 0;; i++) {
        take();
        add_numbered(ctx, i % 5000, i % 5000 + 1);
        release();
    }
    return NULL;
}

int main(void)
{
    pthread_atfork(take, release, release);
    ctx = unlimited_context();
    start_thread(add_under_lock, NULL);
    rest_ms(20);
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    puts("300 forks");
    fflush(stdout);
    _exit(0);
}
