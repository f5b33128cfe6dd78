#define _GNU_SOURCE
#include "cshim/process/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cshim/process/descriptor.h"

static struct stat standard_error; /* what descriptor 2 was; st_ino 0: nothing is written there */

static bool is_network_connection(void)
{
    int domain;
    socklen_t size = sizeof(domain);
    return getsockopt(STDERR_FILENO, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           domain != AF_UNIX;
}

void say_prepare(void)
{
    int saved_errno = errno;
    if (fstat(STDERR_FILENO, &standard_error) != 0 || is_network_connection())
        standard_error.st_ino = 0;
    errno = saved_errno;
}

static bool is_still_there(void)
{
    struct stat now;
    return standard_error.st_ino != 0 && fstat(STDERR_FILENO, &now) == 0 &&
           now.st_dev == standard_error.st_dev && now.st_ino == standard_error.st_ino;
}

void say_once(atomic_flag *was_said, const char *format, ...)
{
    if (atomic_flag_test_and_set(was_said))
        return;

    int saved_errno = errno;
    char line[512] = "sslcache: ";
    int used = sizeof("sslcache: ") - 1;
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, arguments);
    va_end(arguments);
    if (more > 0)
        used += more < (int)sizeof(line) - used - 1 ? more : (int)sizeof(line) - used - 2;
    line[used++] = '\n';

    /* One write, past stdio: its locks may be held by whoever called us. */
    if (is_still_there())
        descriptor_write(STDERR_FILENO, line, (size_t)used);
    errno = saved_errno;
}
