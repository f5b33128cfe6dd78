/* A remove_cb leaves an eviction by longjmp. libssl alone would keep its lock: so there is nothing to compare with. */
#include "hazard.h"
#include <setjmp.h>

static jmp_buf back;
static int jumps;

static void jump(SSL_CTX *ctx UNUSED, SSL_SESSION *session UNUSED)
{
    if (jumps > 0) {
        jumps--;
        longjmp(back, 1);
    }
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_sess_set_cache_size(ctx, 10);
    SSL_CTX_sess_set_remove_cb(ctx, jump);
    jumps = 5;
    for (volatile unsigned i = 0; i < 100; i++)
        if (setjmp(back) == 0)
            add_numbered(ctx, i, i + 1);
    printf("held: %ld, jumps left: %d\n", SSL_CTX_sess_number(ctx), jumps);
    return 0;
}
