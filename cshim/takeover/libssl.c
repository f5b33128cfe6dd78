#define _GNU_SOURCE
#include "cshim/takeover/libssl.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "cshim/process/say.h"

struct libssl libssl;

static atomic_bool bound;
static pthread_mutex_t binding = PTHREAD_MUTEX_INITIALIZER;

/* The versions at which libssl's cache changed, as OpenSSL_version_num gives them. */
enum { VERSION_3_0 = 0x30000000, VERSION_3_4 = 0x30400000 };

/* Where times became unsigned nanoseconds: between 3.0 and 3.5. */
enum { VERSION_NANOSECONDS = 0x30200000 };

static struct libssl_rules rules_of(unsigned long version)
{
    return (struct libssl_rules){
        .cache.counts_newcomer = version >= VERSION_3_0,
        .cache.by_insertion = version < VERSION_3_0,
        .cache.readd_moves = version >= VERSION_3_0 && version < VERSION_NANOSECONDS,
        .keeps_times_before_1970 = version >= VERSION_3_0 && version < VERSION_NANOSECONDS,
        .refuses_not_resumable = version >= VERSION_3_0,
        .updates_time = version >= VERSION_3_0,
        .flushes_all_before_1970 = version >= VERSION_3_4,
        .frees_one_by_one = version < VERSION_3_0,
    };
}

struct search {
    char path[4096];
};

bool libssl_is_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    return strncmp(name, "libssl.so", sizeof("libssl.so") - 1) == 0;
}

static int is_libssl(struct dl_phdr_info *object, size_t size, void *argument)
{
    (void)size;
    struct search *search = argument;
    if (!libssl_is_path(object->dlpi_name))
        return 0;
    int length = snprintf(search->path, sizeof(search->path), "%s", object->dlpi_name);
    return length > 0 && (size_t)length < sizeof(search->path);
}

/* Finds the libssl that the program has loaded; never loads one. The handle is ours for good. */
static void *find_libssl(void)
{
    struct search search = {""};
    Dl_info next;
    void *function = dlsym(RTLD_NEXT, "SSL_CTX_new");
    if (function != NULL && dladdr(function, &next) != 0)
        return dlopen(next.dli_fname, RTLD_LAZY | RTLD_NOLOAD);

    /* Python, Perl and others load libssl RTLD_LOCAL, where RTLD_NEXT does not see it. */
    if (dl_iterate_phdr(is_libssl, &search) == 0)
        return NULL;
    return dlopen(search.path, RTLD_LAZY | RTLD_NOLOAD);
}

static const char *relocated_name(const struct link_map *object, const ElfW(Rela) * relocation)
{
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    for (const ElfW(Dyn) *entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB)
            symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
        if (entry->d_tag == DT_STRTAB)
            names = (const char *)entry->d_un.d_ptr;
    }
    if (symbols == NULL || names == NULL)
        return "";
    return names + symbols[ELF64_R_SYM(relocation->r_info)].st_name;
}

static bool table_has(const struct link_map *object, int table_tag, int size_tag, const char *name)
{
    const ElfW(Rela) *table = NULL;
    size_t size = 0;
    for (const ElfW(Dyn) *entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == table_tag)
            table = (const ElfW(Rela) *)entry->d_un.d_ptr;
        if (entry->d_tag == size_tag)
            size = entry->d_un.d_val;
    }
    for (size_t i = 0; table != NULL && i < size / sizeof(*table); i++)
        if (strcmp(relocated_name(object, &table[i]), name) == 0)
            return true;
    return false;
}

/* Whether an object is linked with a function of that name, for calls or for a pointer to it. */
static bool relocates(const struct link_map *object, const char *name)
{
    return table_has(object, DT_JMPREL, DT_PLTRELSZ, name) ||
           table_has(object, DT_RELA, DT_RELASZ, name);
}

/*
 * Whether libssl's own calls of its exported functions come to us: it was linked without
 * -Bsymbolic, so they go through its PLT, and ours is the definition that the process finds first.
 */
static bool calls_come_to_us(void *handle)
{
    static const char name[] = "SSL_CTX_remove_session";
    struct link_map *object;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &object) != 0)
        return false;
    /* Not RTLD_DEFAULT: from a library linked with -Bsymbolic that finds the library's own. */
    void *program = dlopen(NULL, RTLD_LAZY);
    if (program == NULL || dlsym(program, name) != (void *)SSL_CTX_remove_session)
        return false;
    return relocates(object, name);
}

/* Where an object lies in memory: no other is in between. */
struct place {
    const void *inside; /* an address in it */
    uintptr_t start;
    uintptr_t end;
};

static struct place libssl_place, libcrypto_place;

static int note_place(struct dl_phdr_info *object, size_t size, void *argument)
{
    (void)size;
    struct place *place = argument;
    uintptr_t start = UINTPTR_MAX, end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t first = object->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD)
            continue;
        start = first < start ? first : start;
        end = first + segment->p_memsz > end ? first + segment->p_memsz : end;
    }
    if ((uintptr_t)place->inside < start || (uintptr_t)place->inside >= end)
        return 0;
    place->start = start;
    place->end = end;
    return 1;
}

static bool is_in(const struct place *place, const void *address)
{
    return (uintptr_t)address >= place->start && (uintptr_t)address < place->end;
}

static void note_places(void)
{
    libssl_place.inside = (void *)libssl.SSL_CTX_new;
    libcrypto_place.inside = (void *)libssl.OpenSSL_version_num;
    dl_iterate_phdr(note_place, &libssl_place);
    dl_iterate_phdr(note_place, &libcrypto_place);
}

static bool bind_functions(void *handle)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    const char *missing = NULL;
#define X(role, since, result, name, arguments)                                                    \
    *(void **)&libssl.name = dlsym(handle, #name);                                                 \
    if (libssl.name == NULL && strcmp(#since, "1_1_1") == 0)                                       \
        missing = #name;
    LIBSSL_FUNCTIONS(X)
#undef X
    if (missing == NULL)
        return true;
    say_once(&said, "this libssl has no %s: its sessions are left to it", missing);
    return false;
}

static bool bind_libssl(void)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    void *handle = find_libssl();
    if (handle == NULL) {
        say_once(&said, "no libssl is loaded in this process: session functions answer 0");
        return false;
    }
    libssl.complete = bind_functions(handle);
    note_places();
    if (!libssl.complete)
        return true;
    libssl.rules = rules_of(libssl.OpenSSL_version_num());
    libssl.rules.calls_by_name = calls_come_to_us(handle);
    return true;
}

bool libssl_ready(void)
{
    if (atomic_load_explicit(&bound, memory_order_acquire))
        return true;

    pthread_mutex_lock(&binding);
    if (!atomic_load_explicit(&bound, memory_order_relaxed))
        atomic_store_explicit(&bound, bind_libssl(), memory_order_release);
    pthread_mutex_unlock(&binding);
    return atomic_load_explicit(&bound, memory_order_acquire);
}

bool libssl_contains(const void *address)
{
    return is_in(&libssl_place, address);
}

bool libssl_or_libcrypto_contains(const void *address)
{
    return is_in(&libssl_place, address) || is_in(&libcrypto_place, address);
}

bool libssl_is_linked_with(const void *address, const char *name)
{
    Dl_info info;
    struct link_map *object = NULL;
    if (dladdr1(address, &info, (void **)&object, RTLD_DL_LINKMAP) == 0)
        return false;
    return relocates(object, name);
}
