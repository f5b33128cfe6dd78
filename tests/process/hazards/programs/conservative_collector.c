/* A collector that looks for pointers on the stacks of all threads: it must find the stack that a thread is on. */
#define GC_THREADS
#include <gc.h>

#include "hazard.h"

enum { LENGTH = 1000 };

static SSL_CTX *ctx;
static volatile int is_ready, may_go_on;

static void *work(void *unused UNUSED)
{
    void **volatile list = NULL; /* only this stack refers to it */
    for (long i = 0; i < LENGTH; i++) {
        void **element = GC_MALLOC(64);
        element[0] = (void *)list;
        element[1] = (void *)i;
        list = element;
    }
    add_numbered(ctx, 0, 100);
    is_ready = 1;
    while (!may_go_on)
        rest_ms(1);
    int whole = 0;
    for (void **element = (void **)list; element != NULL && whole < LENGTH; element = element[0])
        whole += (long)element[1] == LENGTH - 1 - whole;
    printf("elements that are whole: %d\n", whole);
    return NULL;
}

int main(void)
{
    GC_INIT();
    ctx = unlimited_context();
    add_numbered(ctx, 1000, 1010);
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    while (!is_ready)
        rest_ms(1);
    for (int round = 0; round < 3; round++) {
        GC_gcollect();
        for (int i = 0; i < 100000; i++) {
            void **scribble = GC_MALLOC(64);
            scribble[0] = (void *)0x41;
            scribble[1] = (void *)-1L;
        }
    }
    may_go_on = 1;
    pthread_join(thread, NULL);
    return 0;
}
