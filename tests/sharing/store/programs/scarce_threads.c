/*
 * scarce_threads.c - no thread can be made, from the start or once the store was used.
 *
 * usage: scarce_threads first|later
 */
#include "elsewhere.h"
#include <errno.h>

#include "../../../process/legacy/programs/sandbox.h"

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "first") == 0 && forbid_threads() != 0)
        return 2;
    store_session();
    if (strcmp(argv[1], "later") == 0 && forbid_threads() != 0)
        return 2;
    int failed = 0;
    for (int i = 0; i < 300; i++)
        failed += ask_elsewhere() < 0;
    printf("failed: %d\n", failed);
    leave();
    return 0;
}
