#include <stdlib.h>

void *volatile kept;

int main(void)
{
    kept = malloc(5);
    kept = NULL;
    return 0;
}
