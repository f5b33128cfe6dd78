/*
 * Two children of one process, each with an SSL_CTX of its own: a client goes to the one, and then to the other with the
 * ticket that it got.
 */
#include "passed.h"
#include <sys/wait.h>

static void serve(int version, int from, int to)
{
    SSL_CTX *client = client_context(), *server = server_context(version);
    SSL_SESSION *offered = from >= 0 ? receive_session(from) : NULL;
    SSL_SESSION *session = visit(from >= 0 ? "second" : "first", client, server, offered);
    if (to >= 0)
        send_session(to, session);
    fflush(stdout);
    _exit(0);
}

static void run_child(int version, int from, int to)
{
    pid_t child = fork();
    if (child == 0)
        serve(version, from, to);
    waitpid(child, NULL, 0);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    make_certificate(); /* the key is the same in both */
    for (int i = 0; i < 2; i++) {
        int ends[2];
        if (pipe(ends) != 0)
            abort();
        run_child(versions[i], -1, ends[1]);
        run_child(versions[i], ends[0], -1);
    }
    return 0;
}
