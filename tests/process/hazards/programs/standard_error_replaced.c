/* Descriptor 2 is a file of the program's, and nothing of ours belongs there. */
#include "hazard.h"
#include <fcntl.h>

int main(int count UNUSED, char **arguments)
{
    close(2);
    int file = open(arguments[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file != 2 || write(file, "payload\n", 8) != 8)
        return 9;
    SSL_CTX *ctx = unlimited_context();
    add_numbered(ctx, 0, 3);
    rest_ms(300);
    SSL_CTX_free(ctx);
    char content[4096];
    ssize_t length = pread(file, content, sizeof(content), 0);
    printf("%.*s", (int)length, content);
    return 0;
}
