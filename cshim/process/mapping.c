#define _GNU_SOURCE
#include "cshim/process/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cshim/process/cancel.h"

/* /proc/self/maps, read in pieces and parsed byte by byte: stdio would call malloc(3), which may be the program's. */
struct maps {
    int file;
    char piece[2048];
    ssize_t length;
    ssize_t next;
};

static int next_byte(struct maps *maps)
{
    if (maps->next == maps->length) {
        do
            maps->length = read(maps->file, maps->piece, sizeof(maps->piece));
        while (maps->length < 0 && errno == EINTR);
        maps->next = 0;
    }
    return maps->length > 0 ? (unsigned char)maps->piece[maps->next++] : -1;
}

/* A number in base 16 and the byte behind it. */
static uintptr_t read_number(struct maps *maps, int *behind)
{
    uintptr_t number = 0;
    int byte;
    for (;;) {
        byte = next_byte(maps);
        if (byte >= '0' && byte <= '9')
            number = number << 4 | (uintptr_t)(byte - '0');
        else if (byte >= 'a' && byte <= 'f')
            number = number << 4 | (uintptr_t)(byte - 'a' + 10);
        else
            break;
    }
    *behind = byte;
    return number;
}

enum kind { KIND_UNKNOWN, KIND_PRIVATE, KIND_SHARED };

/* A line is "START-END rwxs ...": the last letter of the rights is 's' or 'p'. */
static enum kind kind_of(struct maps *maps, uintptr_t address)
{
    int byte = 0;
    while (byte >= 0) {
        uintptr_t start = read_number(maps, &byte);
        uintptr_t end = read_number(maps, &byte);
        for (int i = 0; i < 4 && byte >= 0; i++)
            byte = next_byte(maps);
        if (address >= start && address < end)
            return byte == 's' ? KIND_SHARED : byte == 'p' ? KIND_PRIVATE : KIND_UNKNOWN;
        while (byte >= 0 && byte != '\n')
            byte = next_byte(maps);
    }
    return KIND_UNKNOWN;
}

bool mapping_is_shared(const void *address)
{
    int saved_errno = errno, cancelling = cancel_forbid();
    struct maps maps = {.file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    enum kind kind = KIND_UNKNOWN;
    if (maps.file >= 0) {
        kind = kind_of(&maps, (uintptr_t)address);
        close(maps.file);
    }
    cancel_allow(cancelling);
    errno = saved_errno;
    return kind != KIND_PRIVATE;
}

void *mapping_make_secret(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    madvise(pages, size, MADV_DONTDUMP);
    mlock(pages, size);
    return pages;
}
