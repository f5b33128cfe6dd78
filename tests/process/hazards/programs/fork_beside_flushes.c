/* Children that were forked while threads flush what has expired use the same context. */
#include "hazard.h"

enum { THREADS = 3, CHILDREN = 100, PATIENCE = 20 };

static SSL_CTX *ctx;

static void *flush_for_ever(void *argument)
{
    SSL_SESSION *session = argument;
    for (;;) {
        SSL_CTX_add_session(ctx, session);
        SSL_CTX_flush_sessions(ctx, 1);
    }
    return NULL;
}

static void use_in_child(void)
{
    alarm(PATIENCE);
    SSL_SESSION *session = numbered_session(0);
    SSL_CTX_remove_session(ctx, session);
    SSL_CTX_flush_sessions(ctx, 0);
    _exit(0);
}

static int child_ends_well(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        use_in_child();
    return waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    int ended = 0, tried = 0;
    ctx = unlimited_context();
    for (unsigned i = 0; i < THREADS; i++)
        start_thread(flush_for_ever, numbered_session(i));
    while (tried < CHILDREN && ended == tried) {
        ended += child_ends_well();
        tried++;
    }
    printf("children that ended: %d of %d\n", ended, tried);
    fflush(stdout);
    _exit(0);
}
