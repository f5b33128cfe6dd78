#include "key_file.h"

#include <stdio.h>
#include <string.h>

static bool is_blank(char letter)
{
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

static int digit_of_hexadecimal(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F')
        return letter - 'A' + 10;
    return -1;
}

static int digit_of_base64(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    if (letter == '+')
        return 62;
    return letter == '/' ? 63 : -1;
}

/* Decodes digits of so many bits each. Bits at the end that do not make a byte are left out. */
static bool decode(const char *text, size_t digits, int (*digit_of)(char letter), unsigned bits,
                   unsigned char key[KEY_FILE_KEY_SIZE])
{
    unsigned held = 0, count = 0;
    size_t length = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0)
            return false;
        held = (held << bits | (unsigned)digit) & 0xffff;
        count += bits;
        if (count < 8)
            continue;
        count -= 8;
        if (length < KEY_FILE_KEY_SIZE)
            key[length++] = (unsigned char)(held >> count);
    }
    return length == KEY_FILE_KEY_SIZE;
}

static bool parse_line(const char *line, size_t length, unsigned char key[KEY_FILE_KEY_SIZE])
{
    enum { HEXADECIMAL = 2 * KEY_FILE_KEY_SIZE, BASE64 = (KEY_FILE_KEY_SIZE + 2) / 3 * 4 };
    if (length == HEXADECIMAL)
        return decode(line, length, digit_of_hexadecimal, 4, key);
    /* 32 bytes are 43 digits of base64, and '=' to make them 44. */
    return length == BASE64 && line[length - 1] == '=' &&
           decode(line, length - 1, digit_of_base64, 6, key);
}

static bool has(const struct key_file *file, const unsigned char key[KEY_FILE_KEY_SIZE])
{
    for (unsigned i = 0; i < file->count; i++)
        if (memcmp(file->keys[i], key, KEY_FILE_KEY_SIZE) == 0)
            return true;
    return false;
}

/* The line without its blanks. */
static const char *trim(const char *line, size_t *length)
{
    while (*length > 0 && is_blank(line[0])) {
        line++;
        --*length;
    }
    while (*length > 0 && is_blank(line[*length - 1]))
        --*length;
    return line;
}

/* Why the line can't be taken, or NULL. */
static const char *take_line(const char *line, size_t length, struct key_file *file)
{
    unsigned char *key = file->keys[file->count];
    if (!parse_line(line, length, key))
        return "not a key, which is 32 bytes in base64 or hexadecimal";
    if (has(file, key))
        return "the same key again";
    file->count++;
    return NULL;
}

bool key_file_parse(const char *text, size_t length, struct key_file *file, char *problem,
                    size_t size)
{
    const char *end = text + length;
    file->count = 0;
    for (unsigned number = 1; text < end; number++) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        size_t rest = (size_t)((line_end != NULL ? line_end : end) - text);
        const char *line = trim(text, &rest);
        text = line_end != NULL ? line_end + 1 : end;
        if (rest == 0 || line[0] == '#')
            continue;
        if (file->count == KEY_FILE_KEYS_MAX) {
            snprintf(problem, size, "more than %d keys", KEY_FILE_KEYS_MAX);
            return false;
        }
        const char *fault = take_line(line, rest, file);
        if (fault != NULL) {
            snprintf(problem, size, "line %u: %s", number, fault);
            return false;
        }
    }
    if (file->count == 0)
        snprintf(problem, size, "no key in it");
    return file->count > 0;
}
