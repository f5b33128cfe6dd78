#include <stdlib.h>

int main(void)
{
    volatile char *bytes = malloc(5);
    volatile int place = 5;
    char beyond = bytes[place];
    free((void *)bytes);
    return beyond;
}
