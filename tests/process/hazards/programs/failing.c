/*
 * Preloaded before libsslcache.so: the allocation of it with the number FAILING fails, and no other. Counted is what it
 * asks of libc itself, and of libcrypto's functions for memory. FAILING_COUNT names a file for how many there were.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void failing_end(void);

struct range {
    uintptr_t start, end;
};

enum { FRAMES = 32 };

static struct range library, libcrypto;
static atomic_long count;
static atomic_bool is_over;
static long failing;
static _Thread_local bool is_inside;

static bool contains(const struct range *range, const void *address)
{
    return (uintptr_t)address >= range->start && (uintptr_t)address < range->end;
}

static void note_range(struct range *range, const struct dl_phdr_info *object)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0)
            *range = (struct range){start, start + part->p_memsz};
    }
}

static int note_object(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (strstr(object->dlpi_name, "libsslcache.so") != NULL)
        note_range(&library, object);
    if (strstr(object->dlpi_name, "libcrypto.so") != NULL)
        note_range(&libcrypto, object);
    return 0;
}

/* The linker has mapped all before the first constructor of any runs. */
static void begin(void)
{
    static bool has_begun;
    if (has_begun)
        return;
    has_begun = true;
    const char *number = getenv("FAILING");
    failing = number != NULL ? atol(number) : 0;
    dl_iterate_phdr(note_object, NULL);
    void *frames[2];
    backtrace(frames, 2); /* it loads what it needs */
}

/* What libcrypto makes once for all, whoever asks for it first: where that fails it fails for good, alone too. */
static bool is_fetch(const void *frame)
{
    Dl_info info;
    const char *name = dladdr(frame, &info) != 0 ? info.dli_sname : NULL;
    size_t length = name != NULL ? strlen(name) : 0;
    return length > strlen("_fetch") && strcmp(name + length - strlen("_fetch"), "_fetch") == 0;
}

/* By CRYPTO_zalloc and its like, and by all that lies between. */
static bool is_asked_through_libcrypto(void)
{
    void *frames[FRAMES];
    int depth = backtrace(frames, FRAMES), i = 0, first;
    while (i < depth && !contains(&libcrypto, frames[i]))
        i++;
    for (first = i; i < depth && contains(&libcrypto, frames[i]);)
        i++;
    if (i == depth || !contains(&library, frames[i]))
        return false;
    while (first < i && !is_fetch(frames[first]))
        first++;
    return first == i;
}

static bool is_of_library(const void *caller)
{
    return contains(&library, caller) ||
           (contains(&libcrypto, caller) && is_asked_through_libcrypto());
}

static bool fails(const void *caller)
{
    if (is_inside || atomic_load(&is_over))
        return false;
    is_inside = true;
    int saved_errno = errno;
    begin();
    bool is_counted = is_of_library(caller);
    errno = saved_errno;
    is_inside = false;
    return is_counted && atomic_fetch_add(&count, 1) + 1 == failing;
}

__attribute__((noinline)) static void *refuse(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? refuse() : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    return fails(__builtin_return_address(0)) ? refuse() : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    return fails(__builtin_return_address(0)) ? refuse() : __libc_realloc(memory, size);
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = fails(__builtin_return_address(0)) ? refuse() : __libc_malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if (fails(__builtin_return_address(0)))
        return errno = ENOMEM, MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

/* For the program: from now on none fails, and none is counted. */
void failing_end(void)
{
    const char *name = getenv("FAILING_COUNT");
    FILE *file = name != NULL ? fopen(name, "w") : NULL;
    atomic_store(&is_over, true);
    if (file != NULL)
        fprintf(file, "%ld\n", atomic_load(&count)), fclose(file);
}
