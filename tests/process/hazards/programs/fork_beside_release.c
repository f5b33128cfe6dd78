/* A child that is forked while another thread is in the remove callback of a flush, and one out of that callback itself. */
#include "hazard.h"
#include <semaphore.h>
#include <stdatomic.h>

enum { SESSIONS = 14 };

static sem_t called_back, goes_on;
static atomic_int calls;

static void print_number(const char *who, SSL_CTX *ctx)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("%s: %ld\n", who, SSL_CTX_sess_number(ctx));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void call_back(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)session;
    if (atomic_fetch_add(&calls, 1) != 0)
        return;
    print_number("forked in the callback", ctx);
    sem_post(&called_back);
    sem_wait(&goes_on);
}

static void *flush(void *ctx)
{
    SSL_CTX_flush_sessions(ctx, 0);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    SSL_CTX *ctx = unlimited_context();
    add_numbered(ctx, 0, SESSIONS);
    SSL_CTX_sess_set_remove_cb(ctx, call_back);
    sem_init(&called_back, 0, 0);
    sem_init(&goes_on, 0, 0);
    if (pthread_create(&thread, NULL, flush, ctx) != 0)
        return 1;
    sem_wait(&called_back);
    print_number("forked beside it", ctx);
    sem_post(&goes_on);
    pthread_join(thread, NULL);
    printf("in the end: %ld\n", SSL_CTX_sess_number(ctx));
    SSL_CTX_free(ctx);
    return 0;
}
