#define _GNU_SOURCE
#include "capi/library/image.h"

#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* Where this library is loaded. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* What of the library is written to: data, of which the file has the beginning, and zeroes behind them. */
struct part {
    char *data;
    size_t length;
    size_t zeroes;
};

/* The last header of that type. */
static const ElfW(Phdr) * header_of(ElfW(Word) type, ElfW(Word) flags)
{
    const char *start = (const char *)&__ehdr_start;
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)(start + __ehdr_start.e_phoff), *found = NULL;
    for (int i = 0; i < __ehdr_start.e_phnum; i++)
        if (headers[i].p_type == type && (headers[i].p_flags & flags) == flags)
            found = &headers[i];
    return found;
}

/* The dynamic linker has made the beginning read-only (RELRO), after its relocations: nobody changes that. */
static struct part written_part(void)
{
    const ElfW(Phdr) *segment = header_of(PT_LOAD, PF_W), *relro = header_of(PT_GNU_RELRO, 0);
    uintptr_t base = (uintptr_t)&__ehdr_start, page = getauxval(AT_PAGESZ);
    uintptr_t start = base + segment->p_vaddr, end = start + segment->p_filesz;
    uintptr_t fixed = relro != NULL ? (base + relro->p_vaddr + relro->p_memsz) & -page : 0;
    if (start < fixed)
        start = fixed;
    return (struct part){(char *)start, end - start, segment->p_memsz - segment->p_filesz};
}

static bool note(struct go_image *image, const struct part *part)
{
    void *data =
        mmap(NULL, part->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return false;
    memcpy(data, part->data, part->length);
    *image = (struct go_image){data, part->length};
    return true;
}

/* Of the pages that the file has no part of the kernel makes new ones, when they are needed. */
static void zero(char *start, size_t length)
{
    uintptr_t page = getauxval(AT_PAGESZ);
    size_t before = -(uintptr_t)start & (page - 1);
    if (before > length)
        before = length;
    size_t whole = (length - before) & -page;
    memset(start, 0, before);
    memset(start + before + whole, 0, length - before - whole);
    if (madvise(start + before, whole, MADV_DONTNEED) != 0)
        memset(start + before, 0, whole);
}

bool image_renew(struct go_image *image)
{
    struct part part = written_part();
    if (image->data == NULL)
        return note(image, &part);
    memcpy(part.data, image->data, image->length);
    zero(part.data + part.length, part.zeroes);
    return true;
}

/* ---- data that nobody uses ---- */

/* Of Go's random numbers as FIPS 140 wants them, which are off: 32 MB. Where a Go has none, it is NULL. */
extern char go_fips_memory[32 << 20] __attribute__((weak, visibility("hidden")));

/*
 * They count as the program's data (RLIMIT_DATA) as long as they can be written to. Whoever looks through the data of all
 * libraries, as a conservative collector does, can read them.
 */
__attribute__((constructor)) static void give_back_unused(void)
{
    uintptr_t page = getauxval(AT_PAGESZ), start = ((uintptr_t)go_fips_memory + page - 1) & -page;
    uintptr_t end = ((uintptr_t)go_fips_memory + sizeof(go_fips_memory)) & -page;
    if (go_fips_memory != NULL)
        mprotect((void *)start, end - start, PROT_READ);
}
