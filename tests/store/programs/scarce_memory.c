/*
 * scarce_memory.c - the process may have no more memory, from the start or once the store was used (RLIMIT_DATA).
 *
 * usage: scarce_memory first|later
 */
#include "elsewhere.h"
#include <sys/resource.h>
#include <unistd.h>

/* Of data, VmData, in bytes. */
static size_t data_size(void)
{
    char line[256];
    size_t kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "VmData: %zu", &kilobytes) == 1)
            break;
    fclose(status);
    return kilobytes << 10;
}

static void set_limit(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = size;
    if (setrlimit(RLIMIT_DATA, &limit) != 0)
        abort();
}

int main(int argc, char **argv)
{
    const size_t little = 3 << 20;
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "first") == 0)
        set_limit(data_size() + little);
    store_session();
    if (strcmp(argv[1], "later") == 0)
        set_limit(data_size() + little / 2);
    int failed = 0;
    for (int i = 0; i < 1000; i++)
        failed += ask_elsewhere() < 0;
    printf("failed: %d\n", failed);
    set_limit(RLIM_INFINITY);
    if (strcmp(argv[1], "later") == 0)
        show_elsewhere("with memory again");
    leave();
    return 0;
}
