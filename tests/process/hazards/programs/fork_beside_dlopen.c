/* Children are forked while another thread is in the dynamic linker, whose lock stays taken in them. */
#include "hazard.h"
#include <dlfcn.h>

static void *load_again_and_again(void *path)
{
    for (;;) {
        void *module = dlopen(path, RTLD_NOW);
        if (module != NULL)
            dlclose(module);
    }
    return NULL;
}

static void work(SSL_CTX *ctx, int number)
{
    if (number % 2 == 0)
        add_numbered(ctx, 10, 20);
    else
        SSL_CTX_free(SSL_CTX_new(TLS_method()));
}

int main(int count UNUSED, char **arguments)
{
    int well = 0, times = atoi(arguments[2]), status;
    SSL_CTX *ctx = unlimited_context();
    add_numbered(ctx, 0, 10);
    start_thread(load_again_and_again, arguments[1]);
    for (int i = 0; i < times; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(10);
            work(ctx, i);
            _exit(0);
        }
        waitpid(child, &status, 0);
        if (status != 0)
            break;
        well++;
    }
    printf("children that ended well: %d of %d\n", well, times);
    fflush(stdout);
    _exit(0);
}
