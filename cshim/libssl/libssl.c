#define _GNU_SOURCE
#include "cshim/libssl/libssl.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "cshim/process/objects.h"
#include "cshim/process/say.h"

struct libssl libssl;

enum state { UNBOUND, WRITTEN, BOUND };

static _Atomic enum state state = UNBOUND;

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

bool libssl_is_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    return strncmp(name, "libssl.so", sizeof("libssl.so") - 1) == 0;
}

enum { PATH_SIZE = 4096 };

static bool note_path(const struct object *object, void *path)
{
    if (!libssl_is_path(object->path))
        return false;
    int length = snprintf(path, PATH_SIZE, "%s", object->path);
    return length > 0 && length < PATH_SIZE;
}

/*
 * Finds the libssl that the program has loaded; never loads one. The handle is ours for good. Python, Perl and others
 * load libssl RTLD_LOCAL, where RTLD_NEXT does not see it.
 */
static void *find_libssl(void)
{
    char path[PATH_SIZE];
    Dl_info next;
    if (!objects_find(note_path, path))
        return NULL;
    void *function = dlsym(RTLD_NEXT, "SSL_CTX_new");
    if (function != NULL && dladdr(function, &next) != 0)
        return dlopen(next.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    return dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
}

static const char *relocated_name(const struct object *object, const ElfW(Rela) * relocation)
{
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    for (const ElfW(Dyn) *entry = object->dynamic; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB)
            symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
        if (entry->d_tag == DT_STRTAB)
            names = (const char *)entry->d_un.d_ptr;
    }
    if (symbols == NULL || names == NULL)
        return "";
    return names + symbols[ELF64_R_SYM(relocation->r_info)].st_name;
}

static bool table_has(const struct object *object, int table_tag, int size_tag, const char *name)
{
    const ElfW(Rela) *table = NULL;
    size_t size = 0;
    for (const ElfW(Dyn) *entry = object->dynamic; entry->d_tag != DT_NULL; entry++) {
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
static bool relocates(const struct object *object, const char *name)
{
    return table_has(object, DT_JMPREL, DT_PLTRELSZ, name) ||
           table_has(object, DT_RELA, DT_RELASZ, name);
}

/*
 * Whether libssl's own calls of its exported functions come to us: it was linked without
 * -Bsymbolic, so they go through its PLT, and ours is the definition that the process finds first.
 */
static bool calls_come_to_us(const struct object *object)
{
    static const char name[] = "SSL_CTX_remove_session";
    /* Not RTLD_DEFAULT: from a library linked with -Bsymbolic that finds the library's own. */
    void *program = dlopen(NULL, RTLD_LAZY);
    if (program == NULL || dlsym(program, name) != (void *)SSL_CTX_remove_session)
        return false;
    return relocates(object, name);
}

/* The libssl that is bound, and the libcrypto below it. */
static struct object libssl_object, libcrypto_object;

static bool is_in(const struct object *object, const void *address)
{
    return (uintptr_t)address >= object->start && (uintptr_t)address < object->end;
}

/* A libssl as one thread has found it. Several threads may look at the same time; they find the same. */
struct finding {
    struct libssl libssl;
    struct object libssl_object;
    struct object libcrypto_object;
};

static bool bind_functions(struct libssl *found, void *handle)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    const char *missing = NULL;
#define X(role, since, result, name, arguments)                                                    \
    *(void **)&found->name = dlsym(handle, #name);                                                 \
    if (found->name == NULL && strcmp(#since, "1_1_1") == 0)                                       \
        missing = #name;
    LIBSSL_FUNCTIONS(X)
#undef X
    if (missing == NULL)
        return true;
    say_once(&was_said, "this libssl has no %s: its sessions are left to it", missing);
    return false;
}

static bool find(struct finding *finding)
{
    void *handle = find_libssl();
    if (handle == NULL)
        return false;
    struct libssl *found = &finding->libssl;
    *found = (struct libssl){.complete = false};
    found->complete = bind_functions(found, handle);
    objects_containing((const void *)found->SSL_CTX_new, &finding->libssl_object);
    objects_containing((const void *)found->OpenSSL_version_num, &finding->libcrypto_object);
    if (!found->complete)
        return true;
    found->rules = rules_of(found->OpenSSL_version_num());
    found->rules.calls_by_name = calls_come_to_us(&finding->libssl_object);
    return true;
}

/*
 * The first thread that has found it writes it down. Signals are blocked: a handler on this thread would wait for ever
 * for it to be done.
 */
static void publish(const struct finding *finding)
{
    enum state unbound = UNBOUND;
    sigset_t all, mask;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    if (atomic_compare_exchange_strong(&state, &unbound, WRITTEN)) {
        libssl = finding->libssl;
        libssl_object = finding->libssl_object;
        libcrypto_object = finding->libcrypto_object;
        atomic_store_explicit(&state, BOUND, memory_order_release);
    }
    while (atomic_load_explicit(&state, memory_order_acquire) != BOUND)
        ; /* another thread copies it */
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static bool is_bound(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) == BOUND;
}

void libssl_look(void)
{
    struct finding finding;
    if (!is_bound() && find(&finding))
        publish(&finding);
}

bool libssl_ready(void)
{
    static atomic_flag was_said = ATOMIC_FLAG_INIT;
    if (is_bound())
        return true;
    libssl_look();
    if (is_bound())
        return true;
    say_once(&was_said, "no libssl is loaded in this process: session functions answer 0");
    return false;
}

bool libssl_contains(const void *address)
{
    return is_in(&libssl_object, address);
}

bool libssl_or_libcrypto_contains(const void *address)
{
    return is_in(&libssl_object, address) || is_in(&libcrypto_object, address);
}

bool libssl_is_linked_with(const void *address, const char *name)
{
    struct object object;
    return objects_containing(address, &object) && relocates(&object, name);
}
