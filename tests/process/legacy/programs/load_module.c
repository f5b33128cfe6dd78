/* A program that knows nothing of TLS and loads a module that does, out of sight of all others. */
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        void *module = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
        if (module == NULL) {
            printf("%s\n", dlerror());
            return 1;
        }
        int (*use)(const char *title);
        *(void **)&use = dlsym(module, "use_tls");
        if (use == NULL || use("the module") != 0)
            return 2;
        printf("closed: %d\n", dlclose(module));
    }
    return 0;
}
