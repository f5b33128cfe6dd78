#define _GNU_SOURCE
#include "cshim/share/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cshim/process/error.h"
#include "cshim/share/arena.h"
#include "cshim/share/owner.h"

/* ---- the address ---- */

static const uint64_t size_default = 64ULL << 20, size_least = 1ULL << 20, size_most = 1ULL << 40;

/* A number and k, m or g; 0 where it is none. */
static uint64_t parse_size(const char *text)
{
    uint64_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
            return 0;
    unsigned shift = *text == 'k' ? 10 : *text == 'm' ? 20 : *text == 'g' ? 30 : 0;
    if (text[0] == '\0' || text[1] != '\0' || shift == 0 || number > size_most >> shift)
        return 0;
    return number << shift;
}

const char *region_parse(const char *address, struct region_address *parsed)
{
    static const char scheme[] = "memory", option[] = "?size=";
    const char *rest = address + sizeof(scheme) - 1;
    const char *question = strstr(rest, option);
    size_t length = question != NULL ? (size_t)(question - rest) : strlen(rest);
    parsed->size = size_default;
    parsed->path[0] = '\0';
    if (question != NULL)
        parsed->size = parse_size(question + sizeof(option) - 1);
    if (parsed->size < size_least)
        return "its size is a number and k, m or g, from 1m to 1024g, as in memory?size=64m";
    if (length == 0)
        return NULL;
    if (rest[0] != ':' || length == 1 || memchr(rest, '?', length) != NULL)
        return "its address is memory or memory:FILE, with ?size=64m behind it if you like";
    memcpy(parsed->path, rest + 1, length - 1);
    parsed->path[length - 1] = '\0';
    if (strchr(parsed->path, '/') == NULL &&
        (strcmp(parsed->path, ".") == 0 || strcmp(parsed->path, "..") == 0))
        return "its file has no name";
    if (strchr(parsed->path, '/') != NULL && parsed->path[0] != '/')
        return "its file is a name, or a path that begins with /";
    return NULL;
}

/* ---- mapping ---- */

static const char *map(struct region *region, uint64_t size, int flags, int file)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);
    if (memory == MAP_FAILED)
        return "there is no memory for it";
    madvise(memory, size, MADV_DONTDUMP);
    region->memory = memory;
    region->size = size;
    return NULL;
}

static int64_t run(const struct region *region, enum arena_operation operation)
{
    struct arena_call call = {
        .region = region->memory, .size = region->size, .me = owner_self(), .operation = operation};
    return direct_arena_run(&call);
}

const char *region_map_family(struct region *region, uint64_t size)
{
    const char *fault = map(region, size, MAP_SHARED | MAP_ANONYMOUS, -1);
    if (fault == NULL)
        run(region, ARENA_FORMAT);
    return fault;
}

/* ---- the folder of files without a path: only its owner may enter it ---- */

static const char *fault_of_owner(const struct stat *file)
{
    if (file->st_uid != geteuid())
        return "it belongs to another user";
    if ((file->st_mode & 077) != 0)
        return "others than its owner may use it";
    return NULL;
}

static int open_folder_at(const char *parent, const char **fault)
{
    char path[64];
    struct stat seen;
    snprintf(path, sizeof(path), "%s/sslcache-%u", parent, (unsigned)geteuid());
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        *fault = "no folder can be made for it in /dev/shm or /run";
        return -1;
    }
    int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0 && fstat(folder, &seen) == 0 && fault_of_owner(&seen) == NULL)
        return folder;
    *fault = "its folder, sslcache-UID, is not one that only this user may enter";
    if (folder >= 0)
        close(folder);
    return -1;
}

static int open_folder(const char **fault)
{
    int folder = open_folder_at("/dev/shm", fault);
    return folder >= 0 ? folder : open_folder_at("/run", fault);
}

/* ---- the file ---- */

/* Waits for a process that is making the file, for two seconds at most: it may have been stopped. */
static bool lock_file(int file)
{
    enum { TRIES = 200 };
    const struct timespec pause = {.tv_nsec = 10000000};
    for (int i = 0; i < TRIES; i++) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* Beyond that limit the kernel would end the process by SIGXFSZ. */
static bool is_allowed(uint64_t size)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
           limit.rlim_cur >= size;
}

/* Allocates all of the file now: a page for which there is no room later would end the process by SIGBUS. */
static const char *take_room(int file, const struct stat *seen, uint64_t size)
{
    if (!is_allowed(size))
        return "it is larger than a file of this process may be (RLIMIT_FSIZE)";
    if (seen->st_size != 0 && (uint64_t)seen->st_size != size)
        return "it has another size";
    if (posix_fallocate(file, 0, (off_t)size) == 0)
        return NULL;
    if (seen->st_size == 0 && ftruncate(file, 0) != 0)
        return "there is no room for it, and it can't be cut to nothing again";
    return "there is no room for it";
}

static bool is_new(const struct region *region)
{
    const unsigned char *bytes = region->memory;
    for (size_t i = 0; i < ARENA_HEADER_SIZE; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* The file is locked. */
static const char *map_locked(struct region *region, int file, const struct stat *seen,
                              uint64_t size)
{
    const char *fault = take_room(file, seen, size);
    if (fault == NULL)
        fault = map(region, size, MAP_SHARED, file);
    if (fault != NULL)
        return fault;
    if (is_new(region))
        run(region, ARENA_FORMAT);
    if (run(region, ARENA_CHECK) == ARENA_DONE)
        return NULL;
    munmap(region->memory, region->size);
    region->memory = NULL;
    return "it is no store, or one of another version";
}

static const char *map_open(struct region *region, int file, uint64_t size)
{
    struct stat seen;
    if (fstat(file, &seen) != 0 || !S_ISREG(seen.st_mode))
        return "it is not a regular file";
    const char *fault = fault_of_owner(&seen);
    if (fault != NULL)
        return fault;
    if (!lock_file(file))
        return "another process has it locked";
    fault =
        fstat(file, &seen) == 0 ? map_locked(region, file, &seen, size) : "it can't be looked at";
    flock(file, LOCK_UN); /* the mapping would keep it beyond close(2) */
    return fault;
}

const char *region_map_file(struct region *region, const struct region_address *address)
{
    const char *fault = "it can't be opened";
    bool has_path = strchr(address->path, '/') != NULL;
    int folder = has_path ? AT_FDCWD : open_folder(&fault);
    if (!has_path && folder < 0)
        return fault;
    int file =
        openat(folder, address->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (file >= 0) {
        fault = map_open(region, file, address->size);
        close(file);
    } else {
        fault = errno == ELOOP ? "it is a symbolic link" : error_name(errno);
    }
    if (!has_path)
        close(folder);
    return fault;
}
