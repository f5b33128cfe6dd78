/* A program that has taken all keys of pthread_key_create: its own values stay its own. */
#include "hazard.h"

static void ignore(void *value UNUSED)
{
}

int main(void)
{
    pthread_key_t mine, other;
    pthread_key_create(&mine, ignore);
    pthread_setspecific(mine, "mine");
    SSL_CTX *ctx = unlimited_context();
    SSL_SESSION_free(numbered_session(1));
    ERR_clear_error();
    while (pthread_key_create(&other, NULL) == 0)
        continue;
    printf("added: %d\n", add_numbered(ctx, 0, 10));
    printf("mine: %s\n", (const char *)pthread_getspecific(mine));
    return 0;
}
