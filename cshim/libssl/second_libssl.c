#define _GNU_SOURCE
#include "cshim/libssl/second_libssl.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cshim/libssl/libssl.h"
#include "cshim/process/objects.h"
#include "cshim/process/say.h"

atomic_bool second_libssl_seen;

struct sight {
    int libssls;
    char names[2][64]; /* of the first two */
};

static atomic_ullong loads_seen;

static void note_name(char name[64], const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, 64, "%s", slash != NULL ? slash + 1 : path);
}

static bool count(const struct object *object, void *argument)
{
    struct sight *sight = argument;
    if (!libssl_is_path(object->path))
        return false;
    if (sight->libssls < 2)
        note_name(sight->names[sight->libssls], object->path);
    sight->libssls++;
    return false;
}

/* Whether objects were loaded since the last look, or may have been. */
static bool is_worth_a_look(void)
{
    unsigned long long loads = objects_loads();
    return loads == 0 || atomic_exchange(&loads_seen, loads) != loads;
}

bool second_libssl_look(const void *caller)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    struct sight sight = {0};
    if (second_libssl_is_loaded() || libssl_contains(caller) || !is_worth_a_look())
        return false;
    objects_find(count, &sight);
    if (sight.libssls < 2)
        return false;
    atomic_store(&second_libssl_seen, true);
    say_once(&was_said,
             "%s and %s are both loaded: sessions of contexts made from now on are left to them",
             sight.names[0], sight.names[1]);
    return true;
}

static bool is_same_object(const void *address, const void *other)
{
    Dl_info of_address, of_other;
    return dladdr(address, &of_address) != 0 && dladdr(other, &of_other) != 0 &&
           of_address.dli_fbase == of_other.dli_fbase;
}

static bool is_ours(const void *address)
{
    return is_same_object(&second_libssl_seen, address);
}

/* The files of the libssls that are loaded. */
struct libssls {
    char paths[4][512];
    int count;
};

static int collect(struct dl_phdr_info *object, size_t size, void *argument)
{
    (void)size;
    struct libssls *libssls = argument;
    if (!libssl_is_path(object->dlpi_name))
        return 0;
    snprintf(libssls->paths[libssls->count], sizeof(libssls->paths[0]), "%s", object->dlpi_name);
    return ++libssls->count == 4;
}

/* The caller is a libcrypto, which calls functions of libssl back: that of the libssl that is linked with this libcrypto. */
static void *function_of_libcrypto(const char *name, const void *address)
{
    struct libssls libssls = {.count = 0};
    void *function = NULL;
    dl_iterate_phdr(collect, &libssls);
    for (int i = 0; i < libssls.count && function == NULL; i++) {
        void *object = dlopen(libssls.paths[i], RTLD_LAZY | RTLD_NOLOAD);
        if (object == NULL)
            continue;
        const void *below = dlsym(object, "OPENSSL_LH_new");
        if (below != NULL && is_same_object(below, address))
            function = dlsym(object, name);
        dlclose(object); /* it stays loaded: the libcrypto that it is linked with is running */
    }
    return function;
}

static bool is_libcrypto(const struct link_map *object)
{
    const char *slash = strrchr(object->l_name, '/');
    const char *name = slash != NULL ? slash + 1 : object->l_name;
    return strncmp(name, "libcrypto.so", sizeof("libcrypto.so") - 1) == 0;
}

/* The caller is the program itself: what it would have called without us. */
static void *next_function(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* The caller is another object: its own function if it is a libssl, else that of what it was linked with. */
static void *function_of_object(const char *name, const char *path)
{
    void *object = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    if (object == NULL)
        return NULL;
    void *function = dlsym(object, name);
    dlclose(object); /* the caller is in it, or has an object of it: it stays */
    return function;
}

void *second_libssl_function(const char *name, const void *address)
{
    Dl_info info;
    struct link_map *object = NULL;
    void *function = NULL;
    if (dladdr1(address, &info, (void **)&object, RTLD_DL_LINKMAP) == 0 || is_ours(address))
        return NULL;
    if (is_libcrypto(object))
        function = function_of_libcrypto(name, address);
    else if (object->l_name[0] != '\0')
        function = function_of_object(name, object->l_name);
    if (function == NULL || is_ours(function))
        function = next_function(name);
    return function == NULL || libssl_contains(function) ? NULL : function;
}
