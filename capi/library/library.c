/*
 * library.c - the table of libsslcache-go.so.1, and the start of its Go runtime.
 */
#define _GNU_SOURCE
#include "capi/library.h"

#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

#include "capi/library/image.h"
#include "capi/library/runtime.h"

/*
 * Go's entry of a c-archive stands in .init_array. The build renames that section, so that loading the library starts
 * nothing, and the linker gives its bounds under the new name.
 */
typedef void (*go_entry)(int argc, char **argv, char **envp);
extern const go_entry __start_sslcache_go_entry[] __attribute__((visibility("hidden")));
extern const go_entry __stop_sslcache_go_entry[] __attribute__((visibility("hidden")));

/* What Go reads of the process: a block of our own, for the program's GODEBUG and GOGC are not ours. */
static const char *const go_environment[] = {
    "GODEBUG=asyncpreemptoff=1", /* no signals between Go's threads */
    "GOTRACEBACK=none",
    "GOMAXPROCS=4",
};

enum { GO_ENVIRONMENT_SIZE = sizeof(go_environment) / sizeof(go_environment[0]) };

struct start_block {
    const char *argv[2];
    const char *envp[GO_ENVIRONMENT_SIZE + 1];
    unsigned long auxv[8][2];
};

static void fill_start_block(struct start_block *block)
{
    /* Go wipes the random bytes that it is given: the program's own must stay. */
    static unsigned char random_bytes[16];
    ssize_t got = getrandom(random_bytes, sizeof(random_bytes), GRND_NONBLOCK);
    (void)got;

    static const unsigned long copied[] = {AT_PAGESZ, AT_HWCAP, AT_HWCAP2, AT_SYSINFO_EHDR,
                                           AT_SECURE};
    *block = (struct start_block){.argv = {"sslcache", NULL}};
    memcpy(block->envp, go_environment, sizeof(go_environment));
    size_t used = 0;
    for (; used < sizeof(copied) / sizeof(copied[0]); used++) {
        block->auxv[used][0] = copied[used];
        block->auxv[used][1] = getauxval(copied[used]);
    }
    block->auxv[used][0] = AT_RANDOM;
    block->auxv[used][1] = (uintptr_t)random_bytes;
}

static const char *start(struct go_image *image)
{
    static struct start_block block; /* Go keeps pointers into it */
    if (!image_renew(image))
        return "there is too little memory";
    const char *fault = runtime_mask_signals();
    if (fault != NULL)
        return fault;
    fill_start_block(&block);
    for (const go_entry *entry = __start_sslcache_go_entry; entry < __stop_sslcache_go_entry;
         entry++)
        (*entry)(1, (char **)block.argv, (char **)block.envp);
    core_ready();
    return NULL;
}

__attribute__((visibility("default")))
const struct go_library sslcache_go_library = {.version = SSLCACHE_VERSION,
                                               .start = start,
                                               .wants = runtime_wants,
                                               .address = core_address,
#define X(result, name, arguments) .core.name = core_##name,
                                               CORE_FUNCTIONS(X)
#undef X
#define X(result, name, arguments) .store.name = core_##name,
                                                   STORE_FUNCTIONS(X)
#undef X
};
