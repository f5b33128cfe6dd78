/* A program with its own libssl, and a module with another one: landlord MODE MODULE LIBCRYPTO LIBSSL. */
#include "tenant.h"

#include <dlfcn.h>

static void (*load(int module_flags, int library_flags, char **paths))(const char *)
{
    void (*use)(const char *);
    if (dlopen(paths[1], RTLD_NOW | RTLD_LOCAL | library_flags) == NULL ||
        dlopen(paths[2], RTLD_NOW | RTLD_LOCAL | library_flags) == NULL) {
        printf("%s\n", dlerror());
        exit(1);
    }
    void *module = dlopen(paths[0], RTLD_NOW | RTLD_LOCAL | module_flags);
    if (module == NULL) {
        printf("%s\n", dlerror());
        exit(1);
    }
    *(void **)&use = dlsym(module, "use_tls");
    return use;
}

int main(int count, char **arguments)
{
    if (count != 5)
        return 2;
    int module_flags = strcmp(arguments[1], "plain") == 0 ? 0 : RTLD_DEEPBIND;
    int library_flags = strcmp(arguments[1], "deep") == 0 ? RTLD_DEEPBIND : 0;
    SSL_CTX *client = client_context(), *before = tenant_server("before");
    live("before", client, before);

    void (*use)(const char *) = load(module_flags, library_flags, arguments + 2);
    use("module");
    live("the same", client, before);
    SSL_CTX *after = tenant_server("after");
    live("after", client, after);
    use("module again");
    live("the same again", client, before);
    SSL_CTX_free(before);
    SSL_CTX_free(after);
    SSL_CTX_free(client);
    return 0;
}
