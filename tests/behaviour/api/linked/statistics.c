/* sslcache_get_stats and sslcache_version. */
#include "handshake.h"
#include "sslcache.h"

static void show_statistics(const char *when, SSL_CTX *ctx)
{
    struct sslcache_stats stats;
    memset(&stats, 0xff, sizeof(stats));
    int answer = sslcache_get_stats(ctx, &stats);
    printf("%s: %d: number %ld peak %ld stored %ld found %ld missed %ld replaced %ld evicted %ld "
           "expired %ld removed %ld\n",
           when, answer, (long)stats.number, (long)stats.peak, (long)stats.stored,
           (long)stats.found, (long)stats.missed, (long)stats.replaced, (long)stats.evicted,
           (long)stats.expired, (long)stats.removed);
}

static void fill(SSL_CTX *ctx)
{
    SSL_CTX_sess_set_cache_size(ctx, 3);
    for (int i = 0; i < 5; i++) {
        char name[12];
        snprintf(name, sizeof(name), "s%d", i);
        SSL_SESSION *session = simple_session(name, 1000, i);
        SSL_SESSION *twin = simple_session(name, 1000, i);
        SSL_CTX_add_session(ctx, session);
        SSL_CTX_add_session(ctx, session);
        SSL_CTX_add_session(ctx, twin);
        if (i == 3)
            SSL_CTX_remove_session(ctx, twin);
        SSL_SESSION_free(session);
        SSL_SESSION_free(twin);
    }
}

int main(void)
{
    SHOW(strlen(sslcache_version()) > 0);
    SHOW(sslcache_get_stats(NULL, NULL));
    show_statistics("process, before anything", NULL);
    SSL_CTX *ctx = noting_context(), *other = noting_context();
    show_statistics("new", ctx);
    fill(ctx);
    show_statistics("filled", ctx);
    show_statistics("other", other);
    SSL_CTX_flush_sessions(ctx, 1003);
    show_statistics("flushed", ctx);
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = visit("first", client, server, NULL);
    revisit("second", client, server, session);
    show_statistics("server", server);
    show_statistics("process", NULL);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    SSL_CTX_free(other);
    SSL_CTX_free(ctx);
    show_statistics("process, all freed", NULL);
    return 0;
}
