/* A handler with 2 MB of locals: on the program's own stack there is room for it. */
#include "hazard.h"

static void handle(int signal UNUSED)
{
    char room[2 << 20];
    memset(room, 1, sizeof(room));
    __asm__ volatile("" ::"r"(room) : "memory");
    (void)!write(1, "the handler ran\n", 16);
}

int main(void)
{
    signal(SIGUSR1, handle);
    SSL_CTX *ctx = unlimited_context();
    add_numbered(ctx, 0, 1);
    raise(SIGUSR1);
    return 0;
}
