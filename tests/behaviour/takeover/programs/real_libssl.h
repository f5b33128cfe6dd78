/* real_libssl.h - libssl's own functions, found past whatever stands before them. */
#ifndef TESTS_REAL_LIBSSL_H
#define TESTS_REAL_LIBSSL_H

#include <dlfcn.h>
#include <link.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

static int find_libssl(struct dl_phdr_info *object, size_t size, void *path)
{
    (void)size;
    if (strstr(object->dlpi_name, "/libssl.so.") == NULL)
        return 0;
    *(const char **)path = object->dlpi_name;
    return 1;
}

static void *real_function(const char *name)
{
    const char *path = NULL;
    if (!dl_iterate_phdr(find_libssl, &path))
        abort();
    void *libssl = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    void *function = libssl == NULL ? NULL : dlsym(libssl, name);
    if (function == NULL)
        abort();
    dlclose(libssl);
    return function;
}

/* How many sessions libssl itself holds. */
static long held_by_libssl(SSL_CTX *ctx)
{
    long (*control)(SSL_CTX *, int, long, void *);
    *(void **)&control = real_function("SSL_CTX_ctrl");
    return control(ctx, SSL_CTRL_SESS_NUMBER, 0, NULL);
}

#endif
