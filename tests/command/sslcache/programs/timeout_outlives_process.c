/* A server whose workers end long before the sessions that they promised. */
#include "workers.h"

int main(void)
{
    return run_workers(0);
}
