/* Loads a module as interpreters do: its libssl is in nobody's sight but its own. */
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    void *plugin = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void (*run)(void);
    if (plugin == NULL) {
        printf("not loaded: %s\n", dlerror());
        return 1;
    }
    *(void **)&run = dlsym(plugin, "run_plugin");
    run();
    return 0;
}
