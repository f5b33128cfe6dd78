#define _GNU_SOURCE
#include "cshim/share/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cshim/process/error.h"

bool secret_file_is_same(const struct stat *left, const struct stat *right)
{
    return left->st_ino == right->st_ino && left->st_dev == right->st_dev &&
           left->st_size == right->st_size && left->st_mtim.tv_sec == right->st_mtim.tv_sec &&
           left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}

const char *secret_file_fault(const struct stat *file)
{
    if (!S_ISREG(file->st_mode))
        return "it is not a regular file";
    if (file->st_uid != geteuid())
        return "it belongs to another user";
    if ((file->st_mode & 077) != 0)
        return "others than its owner may use it (chmod 600)";
    if (file->st_size > SECRET_FILE_SIZE_MAX)
        return "it is too large";
    return NULL;
}

/* Never in a core dump, never on a disk where that can be had. */
static bool make_room(struct secret_file *file)
{
    if (file->text != NULL)
        return true;
    void *page = mmap(NULL, SECRET_FILE_SIZE_MAX, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    madvise(page, SECRET_FILE_SIZE_MAX, MADV_DONTDUMP);
    mlock(page, SECRET_FILE_SIZE_MAX);
    file->text = page;
    return true;
}

static const char *read_text(struct secret_file *file, int descriptor, const struct stat *now)
{
    const char *fault = secret_file_fault(now);
    if (fault != NULL)
        return fault;
    if (!make_room(file))
        return "there is no memory for it";
    explicit_bzero(file->text, SECRET_FILE_SIZE_MAX);
    file->length = 0;
    ssize_t got;
    while (file->length < SECRET_FILE_SIZE_MAX &&
           (got = read(descriptor, file->text + file->length,
                       SECRET_FILE_SIZE_MAX - file->length)) > 0)
        file->length += (uint32_t)got;
    file->seen = *now;
    file->changes++;
    return NULL;
}

const char *secret_file_look(struct secret_file *file)
{
    struct stat now;
    int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0)
        return error_name(errno);
    const char *fault = NULL;
    if (fstat(descriptor, &now) != 0)
        fault = error_name(errno);
    else if (!secret_file_is_same(&now, &file->seen))
        fault = read_text(file, descriptor, &now);
    close(descriptor);
    return fault;
}
