/* A child of a child and so on, each with sessions of its own, and then a module with static thread-local storage. */
#include "hazard.h"
#include <dlfcn.h>

int main(int count UNUSED, char **arguments)
{
    int deepest = atoi(arguments[1]);
    SSL_CTX *ctx = unlimited_context();
    add_numbered(ctx, 0, 10);
    for (int generation = 1; generation <= deepest; generation++) {
        pid_t child = fork();
        if (child != 0) {
            int status;
            waitpid(child, &status, 0);
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
        }
        add_numbered(ctx, (unsigned)generation * 10, (unsigned)generation * 10 + 5);
    }
    void *module = dlopen(arguments[2], RTLD_NOW);
    printf("generation %d holds %ld; module: %s\n", deepest, SSL_CTX_sess_number(ctx),
           module != NULL ? "loaded" : dlerror());
    fflush(stdout);
    _exit(0);
}
