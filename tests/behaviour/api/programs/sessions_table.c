/* SSL_CTX_sessions: the table that some programs read. */
#include "handshake.h"

static void list(void *session)
{
    note(&removals, name_of(session));
}

static void show_table(const char *when, SSL_CTX *ctx)
{
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);
    printf("%s: %lu items:", when, OPENSSL_LH_num_items(table));
    OPENSSL_LH_doall(table, list);
    /* The order of a hash table means nothing. */
    qsort(removals.names, removals.count, sizeof(removals.names[0]), compare_names);
    for (int i = 0; i < removals.count; i++)
        printf(" %s", removals.names[i]);
    removals.count = 0;
    printf("\n");
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_SESSION *a = simple_session("a", 1000, 10), *b = simple_session("b", 1000, 20);
    show_table("empty", ctx);
    SSL_CTX_add_session(ctx, a);
    SSL_CTX_add_session(ctx, b);
    show_table("two added", ctx);
    SSL_CTX_remove_session(ctx, a);
    show_table("one removed", ctx);
    SSL_CTX_add_session(ctx, a);
    SSL_CTX_flush_sessions(ctx, 1015);
    show_table("one flushed", ctx);
    SSL_CTX_flush_sessions(ctx, 0);
    show_table("all flushed", ctx);
    SSL_SESSION_free(a);
    SSL_SESSION_free(b);
    SSL_CTX_free(ctx);

    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    for (int i = 0; i < 5; i++)
        revisit("visit", client, server, NULL);
    printf("%lu items\n", OPENSSL_LH_num_items((OPENSSL_LHASH *)SSL_CTX_sessions(server)));
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
