#include "cshim/process/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void say_once(atomic_flag *said, const char *format, ...)
{
    if (atomic_flag_test_and_set(said))
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
    ssize_t written = write(STDERR_FILENO, line, (size_t)used);
    (void)written;
    errno = saved_errno;
}
