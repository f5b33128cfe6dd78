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

/* Once Go's threads, which start beside the program and take memory while there is plenty, are through with that. */
static size_t settled_data_size(void)
{
    size_t size = data_size();
    for (int same = 0; same < 10; same++) {
        rest(50);
        if (data_size() != size)
            same = 0;
        size = data_size();
    }
    return size;
}

/* They may still take some between the look and the limit. */
static void limit_to(size_t left)
{
    size_t size;
    do {
        set_limit(RLIM_INFINITY);
        size = settled_data_size();
        set_limit(size + left);
        rest(50);
    } while (data_size() > size);
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
        limit_to(little / 2);
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
