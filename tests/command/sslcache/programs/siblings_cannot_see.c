/* A server whose second worker is asked for the sessions of the first. */
#include "workers.h"

int main(void)
{
    return run_workers(1);
}
