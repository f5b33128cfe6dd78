/* A module whose constructor makes an SSL_CTX, in dlopen, while another thread has its first session. */
#include "hazard.h"
#include <dlfcn.h>

static void *load(void *path)
{
    printf("module: %s\n", dlopen(path, RTLD_NOW) != NULL ? "loaded" : dlerror());
    return NULL;
}

int main(int count UNUSED, char **arguments)
{
    pthread_t thread;
    pthread_create(&thread, NULL, load, arguments[1]);
    rest_ms(100);
    SSL_CTX *ctx = unlimited_context();
    add_numbered(ctx, 0, 1);
    pthread_join(thread, NULL);
    printf("held: %ld\n", SSL_CTX_sess_number(ctx));
    return 0;
}
