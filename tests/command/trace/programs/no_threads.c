/* No thread can be made: libssl keeps the sessions, and the trace is written by whoever has an event. */
#include "session.h"

#include <errno.h>

#include "../../../process/legacy/programs/sandbox.h"

int main(void)
{
    if (forbid_threads() != 0)
        abort();
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_SESSION *session = simple_session("a", 1000000000, 2000000000);
    SHOW(SSL_CTX_add_session(ctx, session));
    for (int i = 0; i < 20000; i++) {
        SSL_SESSION_up_ref(session);
        SSL_SESSION_free(session);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
