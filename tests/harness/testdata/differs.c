/* Behaves otherwise when a library is preloaded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments)
{
    int preloaded = getenv("LD_PRELOAD") != NULL;
    const char *difference = count == 2 ? arguments[1] : "";
    if (strcmp(difference, "nothing_printed") == 0)
        return 0;
    if (strcmp(difference, "a_complaint") == 0 && preloaded)
        fprintf(stderr, "complaint\n");
    printf("%s\n", strcmp(difference, "another_output") == 0 && preloaded ? "preload" : "usual");
    return strcmp(difference, "another_status") == 0 && preloaded;
}
