#define _GNU_SOURCE
#include "cshim/share/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cshim/process/cancel.h"
#include "cshim/process/error.h"
#include "cshim/process/mapping.h"

static bool is_same(const struct stat *left, const struct stat *right)
{
    return left->st_ino == right->st_ino && left->st_dev == right->st_dev &&
           left->st_size == right->st_size && left->st_mtim.tv_sec == right->st_mtim.tv_sec &&
           left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}

/* Why a file of that kind can not be believed, or NULL. */
static const char *fault_of(const struct stat *file)
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

static const char *read_text(int descriptor, const struct stat *seen, struct secret_file **fresh)
{
    const char *fault = fault_of(seen);
    if (fault != NULL)
        return fault;
    struct secret_file *file = mapping_make_secret(sizeof(*file));
    if (file == NULL)
        return "there is no memory for it";
    ssize_t got;
    while (file->length < SECRET_FILE_SIZE_MAX &&
           (got = read(descriptor, file->text + file->length,
                       SECRET_FILE_SIZE_MAX - file->length)) > 0)
        file->length += (uint32_t)got;
    file->seen = *seen;
    *fresh = file;
    return NULL;
}

static const char *read_opened(int descriptor, const struct secret_file *before,
                               struct secret_file **fresh)
{
    struct stat seen;
    if (fstat(descriptor, &seen) != 0)
        return error_name(errno);
    if (before != NULL && is_same(&seen, &before->seen))
        return NULL;
    return read_text(descriptor, &seen, fresh);
}

static bool is_out_of_reach(int error)
{
    return error == EACCES || error == EPERM || error == ENOENT;
}

const char *secret_file_read(const char *path, const struct secret_file *before,
                             struct secret_file **fresh)
{
    const char *fault = NULL;
    int cancelling = cancel_forbid(); /* a descriptor would stay open */
    *fresh = NULL;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor >= 0) {
        fault = read_opened(descriptor, before, fresh);
        close(descriptor);
    } else if (before == NULL || !is_out_of_reach(errno)) {
        fault = error_name(errno);
    }
    cancel_allow(cancelling);
    return fault;
}

void secret_file_wipe(struct secret_file *file)
{
    explicit_bzero(file->text, sizeof(file->text));
    file->length = 0;
}

void secret_file_free(struct secret_file *file)
{
    if (file == NULL)
        return;
    secret_file_wipe(file);
    munmap(file, sizeof(*file));
}
