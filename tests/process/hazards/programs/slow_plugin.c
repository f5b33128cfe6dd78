/* A module that takes its time to load, and makes an SSL_CTX. */
#include "hazard.h"

__attribute__((constructor)) static void begin(void)
{
    rest_ms(300);
    SSL_CTX *ctx = unlimited_context();
    add_numbered(ctx, 0, 1);
    SSL_CTX_free(ctx);
}
