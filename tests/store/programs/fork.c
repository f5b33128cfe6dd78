/*
 * fork.c - a process that has used the store forks: what has the child of its connections?
 *
 * usage: fork PORT
 *
 * PORT is the store's. Printed: how many connections to it the process and its child have, and whether
 * the child resumes a session that only the store has.
 */
#include "handshake.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int store_port;

static int connections_to_store(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == store_port)
            count++;
    }
    return count;
}

/* Another context with the same session id context: its own cache has nothing. */
static void resume_elsewhere(const char *title, SSL_CTX *client, SSL_SESSION *session)
{
    SSL_CTX *server = stateful_context(TLS1_2_VERSION);
    revisit(title, client, server, session);
    SSL_CTX_free(server);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    store_port = atoi(argv[1]);
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = visit("first", client, server, NULL);
    usleep(300000); /* the write is on its way */
    resume_elsewhere("parent", client, session);
    printf("parent has connections: %d\n", connections_to_store() > 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("child has inherited: %d\n", connections_to_store());
        resume_elsewhere("child", client, session);
        printf("child has connections: %d\n", connections_to_store() > 0);
        fflush(stdout);
        _exit(0); /* what the parent has is no leak of ours */
    }
    waitpid(child, NULL, 0);
    resume_elsewhere("parent", client, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return 0;
}
