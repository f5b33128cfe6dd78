/* The order in which callbacks are called and references dropped, seen one by one. */
#include "session.h"

static int label_index;

static void tell_free(void *session UNUSED, void *label, CRYPTO_EX_DATA *data UNUSED,
                      int index UNUSED, long number UNUSED, void *argument UNUSED)
{
    if (label != NULL)
        printf("  freed %s\n", (const char *)label);
}

static void tell_removal(SSL_CTX *ctx, SSL_SESSION *session)
{
    printf("  removed %s held %ld\n", (const char *)SSL_SESSION_get_ex_data(session, label_index),
           SSL_CTX_sess_number(ctx));
}

static void add(SSL_CTX *ctx, const char *label, const char *id, long timeout)
{
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    SSL_SESSION_set1_id(session, (const unsigned char *)id, (unsigned)strlen(id));
    SSL_SESSION_set_time(session, 1000);
    SSL_SESSION_set_timeout(session, timeout);
    SSL_SESSION_set_ex_data(session, label_index, (void *)label);
    printf("adding %s\n", label);
    printf("added %s: %d\n", label, SSL_CTX_add_session(ctx, session));
    SSL_SESSION_free(session);
}

int main(void)
{
    label_index = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, tell_free);
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_sess_set_remove_cb(ctx, tell_removal);
    add(ctx, "a", "a", 1);
    add(ctx, "b", "b", 2);
    add(ctx, "twin of b", "b", 3);
    add(ctx, "c", "c", 4);
    SSL_CTX_sess_set_cache_size(ctx, 3);
    add(ctx, "d", "d", 5);
    SSL_CTX_sess_set_cache_size(ctx, 0);
    add(ctx, "e", "e", 6);
    add(ctx, "f", "f", 7);
    printf("flushing\n");
    SSL_CTX_flush_sessions(ctx, 1007);
    printf("flushed\n");
    add(ctx, "g", "g", 8);
    add(ctx, "h", "h", 9);
    SSL_CTX_sess_set_cache_size(ctx, 2);
    add(ctx, "i", "i", 10);
    SSL_CTX_sess_set_cache_size(ctx, 0);
    add(ctx, "j", "j", 11);
    printf("freeing the context\n");
    SSL_CTX_free(ctx);
    printf("freed the context\n");
    return 0;
}
