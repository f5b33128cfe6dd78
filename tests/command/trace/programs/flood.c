/*
 * Many events from some threads. Arguments: threads, adds of each; then a line is waited for on standard
 * input, where a reader of the trace shall have begun by then, and there is one add more.
 */
#include "session.h"
#include <pthread.h>
#include <unistd.h>

static SSL_CTX *ctx;
static int adds;

static void *add_and_drop(void *argument)
{
    char name[16];
    snprintf(name, sizeof(name), "thread %ld", (long)(size_t)argument);
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set1_id(session, (unsigned char *)name, strlen(name));
    for (int i = 0; i < adds; i++)
        SSL_CTX_add_session(ctx, session);
    SSL_SESSION_free(session);
    return NULL;
}

int main(int count, char **arguments)
{
    enum { MOST = 16 };
    pthread_t threads[MOST];
    long number = atol(arguments[1]);
    ctx = SSL_CTX_new(TLS_method());
    adds = atoi(arguments[2]);
    for (long i = 0; i < number; i++)
        pthread_create(&threads[i], NULL, add_and_drop, (void *)(size_t)i);
    for (long i = 0; i < number; i++)
        pthread_join(threads[i], NULL);
    printf("flooded\n");
    fflush(stdout);
    if (count > 3) {
        char line[16];
        if (fgets(line, sizeof(line), stdin) == NULL)
            return 1;
        usleep(500000); /* the writer goes on by itself */
        adds = 1;
        add_and_drop(0);
    }
    SSL_CTX_free(ctx);
    return 0;
}
