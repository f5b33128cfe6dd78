/* collector.c - a program with a conservative collector of garbage, which looks through all stacks and data, while the store is in use. */
#include "elsewhere.h"
#include <gc.h>

struct element {
    struct element *next;
    int number;
};

enum { ELEMENTS = 1000 };

int main(void)
{
    struct element *list = NULL;
    int whole = 0;
    GC_INIT();
    store_session();
    for (int i = 0; i < ELEMENTS; i++) {
        struct element *element = GC_MALLOC(sizeof(*element));
        *element = (struct element){list, i};
        list = element;
        for (int garbage = 0; garbage < 200; garbage++)
            GC_MALLOC(100);
        if (i % 50 == 0)
            ask_elsewhere();
    }
    GC_gcollect();
    for (struct element *each = list; each != NULL; each = each->next)
        whole += each->number == ELEMENTS - 1 - whole;
    printf("list whole: %d elements\n", whole);
    show_elsewhere("elsewhere");
    leave();
    return 0;
}
