/* tenant.h - what each user of TLS in one process does with its own contexts. */
#ifndef TESTS_TENANT_H
#define TESTS_TENANT_H

#include "handshake.h"

static const char *tenant;

static void say_removal(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)session;
    printf("  %s: removed, left %ld\n", tenant, SSL_CTX_sess_number(ctx));
}

static SSL_CTX *tenant_server(const char *name)
{
    tenant = name;
    SSL_CTX *server = stateful_context(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(server, say_removal);
    SSL_CTX_sess_set_cache_size(server, 10);
    return server;
}

static void live(const char *name, SSL_CTX *client, SSL_CTX *server)
{
    printf("-- %s, %s\n", name, OpenSSL_version_num() < 0x30000000L ? "1.1.1" : "3 or later");
    SSL_SESSION *made = make_session("made", TLS1_2_VERSION, "made", 4, 1000, 10);
    SHOW(SSL_CTX_add_session(server, made));
    SHOW(SSL_CTX_add_session(server, made));
    SSL_SESSION *session = visit("first", client, server, NULL);
    revisit("again", client, server, session);
    show_counters(name, server);
    SSL_SESSION_set_timeout(made, 20);
    SHOW(SSL_SESSION_get_timeout(made));
    SHOW(SSL_CTX_remove_session(server, made));
    SHOW(SSL_CTX_remove_session(server, made));
    SSL *ssl = SSL_new(server);
    SHOW(SSL_set_SSL_CTX(ssl, client) == client);
    SSL_free(ssl);
    SHOW(SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER));
    SSL_SESSION_free(made);
    SSL_SESSION_free(session);
}

#endif
