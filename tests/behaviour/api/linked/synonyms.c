/*
 * SSL_add_session and SSL_remove_session, or the pair that they are synonyms of: compiled once with
 * each, this program prints the same.
 */
#include "session.h"
#include "sslcache.h"

#ifdef SYNONYMS
#define ADD SSL_add_session
#define REMOVE SSL_remove_session
#else
#define ADD SSL_CTX_add_session
#define REMOVE SSL_CTX_remove_session
#endif

int main(void)
{
    int (*add)(SSL_CTX *, SSL_SESSION *) = ADD;
    int (*remove)(SSL_CTX *, SSL_SESSION *) = REMOVE;
    SSL_CTX *ctx = noting_context();
    SSL_SESSION *session = make_session("one", TLS1_2_VERSION, "same", 4, 1000, 10);
    SSL_SESSION *twin = make_session("twin", TLS1_2_VERSION, "same", 4, 1000, 10);
    SSL_SESSION *nameless = make_session("no id", TLS1_2_VERSION, "", 0, 1000, 10);
    STEP(ctx, add(ctx, session));
    STEP(ctx, add(ctx, session));
    STEP(ctx, add(ctx, twin));
    STEP(ctx, remove(ctx, session));
    STEP(ctx, remove(ctx, session));
    STEP(ctx, SSL_SESSION_is_resumable(session));
    STEP(ctx, SSL_SESSION_is_resumable(twin));
    STEP(ctx, add(ctx, nameless));
    STEP(ctx, remove(ctx, nameless));
    STEP(ctx, remove(ctx, NULL));
    STEP(ctx, SSL_CTX_add_session(ctx, session));
    STEP(ctx, add(ctx, session));
    STEP(ctx, SSL_CTX_remove_session(ctx, session));
    STEP(ctx, remove(ctx, session));
    STEP(ctx, add(ctx, session));
    DO(ctx, SSL_SESSION_free(session));
    DO(ctx, SSL_SESSION_free(twin));
    DO(ctx, SSL_SESSION_free(nameless));
    DO(NULL, SSL_CTX_free(ctx));
    return 0;
}
