/*
 * manual.c - SSL_CTX_add_session(3) in a program that is linked with -lsslcache -lssl -lcrypto: an
 * external store, here one variable, gives a session to a server that is told not to fill its
 * cache.
 */
#include <sslcache.h>
#include <stdio.h>

static SSL_SESSION *make_session(unsigned char first)
{
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH] = {first};
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set1_id(session, id, sizeof(id));
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    return session;
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_SESSION *session = make_session(1), *twin = make_session(1);

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    printf("add a session:              %d\n", SSL_CTX_add_session(ctx, session));
    printf("add it again:               %d\n", SSL_add_session(ctx, session));
    printf("add another of the same id: %d\n", SSL_CTX_add_session(ctx, twin));
    printf("remove it:                  %d\n", SSL_CTX_remove_session(ctx, twin));
    printf("remove it again:            %d\n", SSL_remove_session(ctx, twin));

    struct sslcache_stats stats;
    if (sslcache_get_stats(ctx, &stats) == 1)
        printf("libsslcache %s counted: %lu stored, %lu replaced, %lu removed, %lu held\n",
               sslcache_version(), (unsigned long)stats.stored, (unsigned long)stats.replaced,
               (unsigned long)stats.removed, (unsigned long)stats.number);

    SSL_SESSION_free(session);
    SSL_SESSION_free(twin);
    SSL_CTX_free(ctx);
    return 0;
}
