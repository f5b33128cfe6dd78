/*
 * A program that closes all descriptors, again and again, and opens files of its own under the same
 * numbers: none of them gets a line of ours.
 */
#include "session.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBERS = 1024 };

static long sizes(const int *files)
{
    long sum = 0;
    struct stat file;
    for (int i = 0; i < NUMBERS; i++)
        if (files[i] >= 0 && fstat(files[i], &file) == 0)
            sum += file.st_size;
    return sum;
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_SESSION *session = simple_session("a", 1000000000, 2000000000);
    int files[NUMBERS];
    SSL_CTX_add_session(ctx, session);
    usleep(300000);
    for (int i = 3; i < 2048; i++)
        close(i);
    int one = fileno(tmpfile());
    for (int i = 0; i < NUMBERS; i++)
        files[i] = fcntl(one, F_DUPFD, i < NUMBERS / 2 ? 3 : 512);
    SSL_CTX_remove_session(ctx, session);
    usleep(1500000);
    SSL_CTX_add_session(ctx, session);
    usleep(300000);
    printf("bytes in the program's own files: %ld\n", sizes(files));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
