/* descriptors_closed.c - the program closes all descriptors while the store is in use, and opens others in their place. */
#include "elsewhere.h"
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    store_session();
    show_elsewhere("before");
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    for (int i = 0; i < 50; i++)
        if (open("/dev/null", O_RDWR) < 0)
            abort();
    for (int i = 0; i < 20; i++)
        ask_elsewhere();
    show_elsewhere("after");
    leave();
    return 0;
}
