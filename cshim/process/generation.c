#define _GNU_SOURCE
#include "cshim/process/generation.h"

#include <assert.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cshim/process/threads.h"

/*
 * Go's entry of a c-archive stands in .init_array. The build renames that section, so that loading
 * the library starts nothing, and the linker gives us its bounds under the new name.
 */
typedef void (*go_entry)(int argc, char **argv, char **envp);
extern const go_entry __start_sslcache_go_entry[] __attribute__((visibility("hidden")));
extern const go_entry __stop_sslcache_go_entry[] __attribute__((visibility("hidden")));

/*
 * The relocations of Go's data touch some forty pages, for which a process would pay that only loads the
 * library. The build takes them away from the dynamic linker (tools/defer) and writes here where they are: the
 * address of the first, as in the file, and how many. They are done when the runtime starts.
 */
static const volatile struct {
    uint64_t first;
    uint64_t count;
} deferred_relocations;

/* Where this library is loaded. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* What the dynamic linker has made read-only after its own relocations; none where size is 0. */
static ElfW(Phdr) protected_part(void)
{
    const ElfW(Phdr) *headers =
        (const ElfW(Phdr) *)((uintptr_t)&__ehdr_start + __ehdr_start.e_phoff);
    for (int i = 0; i < __ehdr_start.e_phnum; i++)
        if (headers[i].p_type == PT_GNU_RELRO)
            return headers[i];
    return (ElfW(Phdr)){0};
}

static bool protect(int protection)
{
    ElfW(Phdr) part = protected_part();
    uintptr_t page = getauxval(AT_PAGESZ);
    uintptr_t start = ((uintptr_t)&__ehdr_start + part.p_vaddr) & -page;
    uintptr_t end = ((uintptr_t)&__ehdr_start + part.p_vaddr + part.p_memsz) & -page;
    return part.p_memsz == 0 || mprotect((void *)start, end - start, protection) == 0;
}

static bool relocate(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const ElfW(Rela) *relocations = (const ElfW(Rela) *)(base + deferred_relocations.first);
    if (deferred_relocations.count == 0)
        return true;
    if (!protect(PROT_READ | PROT_WRITE))
        return false;
    for (uint64_t i = 0; i < deferred_relocations.count; i++)
        *(uintptr_t *)(base + relocations[i].r_offset) = base + (uintptr_t)relocations[i].r_addend;
    return protect(PROT_READ);
}

/* What Go reads of the process: a block of our own, for the program's GODEBUG and GOGC are not
 * ours. */
static const char *const go_environment[] = {
    /* No signals to preempt threads; no look at cgroup files, whose descriptors could be closed. */
    "GODEBUG=asyncpreemptoff=1,containermaxprocs=0,updatemaxprocs=0",
    "GOTRACEBACK=none",
    /* A thread that is back in C keeps its processor for a while: there must be some to spare, else
     * the next call of another thread waits for one. */
    "GOMAXPROCS=8",
};

enum { GO_ENVIRONMENT_SIZE = sizeof(go_environment) / sizeof(go_environment[0]) };

struct start_block {
    const char *argv[2];
    const char *envp[GO_ENVIRONMENT_SIZE + 1];
    ElfW(auxv_t) auxv[8];
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
    for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
        block->auxv[used++] = (ElfW(auxv_t)){copied[i], {getauxval(copied[i])}};
    block->auxv[used++] = (ElfW(auxv_t)){AT_RANDOM, {(uintptr_t)random_bytes}};
    block->auxv[used] = (ElfW(auxv_t)){AT_NULL, {0}};
}

/* Waits until the runtime serves. */
static const char *start_runtime(void)
{
    if (!relocate())
        return "its data can't be made writable for a moment";
    if (!threads_prepare())
        return "too few threads can be made";
    static struct start_block block; /* Go keeps pointers into it */
    fill_start_block(&block);
    for (const go_entry *entry = __start_sslcache_go_entry; entry < __stop_sslcache_go_entry;
         entry++)
        (*entry)(1, (char **)block.argv, (char **)block.envp);
    core_panics(); /* any function of Go waits for the runtime */
    return NULL;
}

/* Linked in where the core has the store. */
extern const struct store_functions sslcache_store_functions __attribute__((weak));

const struct core_generation sslcache_core_generation = {
    .version = SSLCACHE_VERSION,
    .start = start_runtime,
    .threads = threads_number,
    .functions =
        {
#define X(result, name, arguments) .name = core_##name,
            CORE_FUNCTIONS(X)
#undef X
        },
    .store = &sslcache_store_functions,
};

/* ---- other libraries ---- */

/* The file of the library that it is in; "" where it can't be told. The dynamic linker keeps the text. */
static const char *path_of(const struct core_generation *generation)
{
    Dl_info info;
    return dladdr((const void *)generation, &info) != 0 ? info.dli_fname : "";
}

/* The file that the core was loaded from: a later one under its name may be another build. */
static const char *core_path = "";
static struct stat core_file;

static void note_core_file(const struct core_generation *generation)
{
    core_path = path_of(generation);
    if (stat(core_path, &core_file) != 0)
        core_file = (struct stat){0};
}

__attribute__((constructor)) static void note_own_file(void)
{
    note_core_file(&sslcache_core_generation);
}

static bool is_core_file(int file)
{
    struct stat now;
    return fstat(file, &now) == 0 && now.st_ino == core_file.st_ino &&
           now.st_dev == core_file.st_dev && now.st_size == core_file.st_size &&
           now.st_mtim.tv_sec == core_file.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == core_file.st_mtim.tv_nsec;
}

const struct core_generation *generation_with_store(void)
{
    char path[PATH_MAX];
    const char *own = path_of(&sslcache_core_generation), *slash = strrchr(own, '/');
    int folder = slash != NULL ? (int)(slash - own) + 1 : 0;
    if (snprintf(path, sizeof(path), "%.*slibsslcache-store.so.1", folder, own) >= PATH_MAX)
        return &sslcache_core_generation;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return &sslcache_core_generation;
    const struct core_generation *generation = dlsym(library, "sslcache_core_generation");
    if (generation == NULL || strcmp(generation->version, SSLCACHE_VERSION) != 0)
        return &sslcache_core_generation;
    note_core_file(generation);
    return generation;
}

/* Each copy stays mapped in the children of its process: about 3 MB a generation. */
enum { GENERATIONS_MAX = 64 };

static unsigned copies_made; /* by this process and the ones that it was forked from */

static bool copy_file(int from, int to)
{
    struct stat file;
    if (fstat(from, &file) != 0)
        return false;
    for (off_t done = 0; done < file.st_size;)
        if (sendfile(to, from, &done, (size_t)(file.st_size - done)) <= 0)
            return false;
    return true;
}

/* The dynamic linker takes a path that it has seen for the library that it knows: each generation's
 * path has one slash more. */
static void name_copy(char *path, size_t size, int memory)
{
    static const char slashes[] =
        "////////////////////////////////////////////////////////////////";
    static_assert(sizeof(slashes) - 1 == GENERATIONS_MAX, "one slash a generation");
    snprintf(path, size, "/proc/self/fd/%.*s%d", (int)copies_made, slashes, memory);
}

const struct core_generation *generation_copy(void)
{
    char path[sizeof("/proc/self/fd/") + GENERATIONS_MAX + 16];
    if (copies_made == GENERATIONS_MAX)
        return NULL;
    copies_made++;
    int file = open(core_path, O_RDONLY | O_CLOEXEC);
    int memory = memfd_create("libsslcache.so", MFD_CLOEXEC);
    void *library = NULL;
    if (file >= 0 && memory >= 0 && is_core_file(file) && copy_file(file, memory)) {
        name_copy(path, sizeof(path), memory);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (file >= 0)
        close(file);
    if (memory >= 0)
        close(memory);
    if (library == NULL)
        return NULL;
    return dlsym(library, "sslcache_core_generation");
}
