/* How many threads the process has, step by step. */
#include "handshake.h"
#include <dirent.h>

static int count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    if (folder == NULL)
        abort();
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void report(const char *when)
{
    printf("%d thread%s: %s\n", count_threads(), count_threads() == 1 ? "" : "s", when);
}

static int on_new(SSL *ssl UNUSED, SSL_SESSION *session UNUSED)
{
    return 0;
}

static SSL_SESSION *on_get(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED,
                           int *copy UNUSED)
{
    return NULL;
}

/* Two visits to a server whose sessions are not for our cache. */
static void visit_twice(SSL_CTX *client, SSL_CTX *server)
{
    SSL_SESSION *session = visit("first", client, server, NULL);
    revisit("second", client, server, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

int main(void)
{
    report("at the start");
    SSL_CTX *ctx = noting_context(), *client = client_context();
    report("contexts made");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    SSL_CTX_sess_set_cache_size(ctx, 5);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    SSL_CTX_sess_set_get_cb(ctx, on_get);
    show_counters("set up", ctx);
    report("contexts set up");
    SSL_SESSION *session = simple_session("a", 1000, 10);
    SSL_CTX_remove_session(ctx, session);
    SSL_CTX_flush_sessions(ctx, 0);
    report("nothing removed and nothing flushed");
    visit_twice(client, server_context(TLS1_2_VERSION));
    visit_twice(client, server_context(TLS1_3_VERSION));
    report("visits with tickets");
    SSL_CTX *external = stateful_context(TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(external, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(external, on_new);
    SSL_CTX_sess_set_get_cb(external, on_get);
    visit_twice(client, external);
    report("visits with a cache of the program's own");
    SSL_CTX_add_session(ctx, session);
    report("a session stored");
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
    return 0;
}
