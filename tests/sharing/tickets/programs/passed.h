/* Sessions that go from one process to another. */
#ifndef TESTS_PASSED_H
#define TESTS_PASSED_H

#include "handshake.h"
#include <unistd.h>

enum { SESSION_MAX = 16384 };

static void send_session(int file, SSL_SESSION *session)
{
    unsigned char bytes[SESSION_MAX], *end = bytes;
    int length = i2d_SSL_SESSION(session, NULL);
    if (length <= 0 || length > SESSION_MAX || i2d_SSL_SESSION(session, &end) != length ||
        write(file, bytes, (size_t)length) != length)
        abort();
}

static SSL_SESSION *receive_session(int file)
{
    unsigned char bytes[SESSION_MAX];
    const unsigned char *start = bytes;
    ssize_t length = read(file, bytes, sizeof(bytes));
    return length > 0 ? d2i_SSL_SESSION(NULL, &start, length) : NULL;
}

#endif
