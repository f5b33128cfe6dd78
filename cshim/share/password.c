#include "cshim/share/password.h"

#include <string.h>

#include "cshim/settings/config.h"
#include "cshim/share/secret_file.h"

enum { LENGTH_MAX = 1024 };

static struct secret_file *file; /* NULL: none was read; its text ends where the password does */

/* The line without its end, which an editor has put there. */
static uint32_t length_of_line(void)
{
    uint32_t length = file->length;
    if (length > 0 && file->text[length - 1] == '\n')
        length--;
    if (length > 0 && file->text[length - 1] == '\r')
        length--;
    return length;
}

/* Why it is no password, in a few words, or NULL. */
static const char *end_text(void)
{
    uint32_t length = length_of_line();
    if (length == 0)
        return "it is empty";
    if (length > LENGTH_MAX)
        return "it is too long";
    if (memchr(file->text, '\n', length) != NULL || memchr(file->text, '\0', length) != NULL)
        return "it has more than one line";
    file->text[length] = '\0';
    return NULL;
}

const char *password_read(void)
{
    const char *path = config.settings.store_password_file;
    if (path[0] == '\0' || file != NULL)
        return NULL;
    const char *fault = secret_file_read(path, NULL, &file);
    return fault != NULL ? fault : end_text();
}

const char *password_text(void)
{
    return file != NULL ? (const char *)file->text : "";
}
