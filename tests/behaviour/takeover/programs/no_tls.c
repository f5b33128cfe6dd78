/* A program without TLS: one thread, and no libssl that it did not ask for. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    DIR *folder = opendir("/proc/self/task");
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    int threads = 0, ours = 0, libssl = 0;
    if (folder == NULL || maps == NULL)
        abort();
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        threads += entry->d_name[0] != '.';
    while (fgets(line, sizeof(line), maps) != NULL) {
        ours |= strstr(line, "/libsslcache.so") != NULL;
        libssl |= strstr(line, "/libssl.so") != NULL;
    }
    fclose(maps);
    closedir(folder);
    printf("threads %d, libsslcache %d, libssl %d\n", threads, ours, libssl);
    return 0;
}
