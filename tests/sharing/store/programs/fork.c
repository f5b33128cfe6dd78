/*
 * fork.c - a process that has used the store forks: what have it and its child of the store's descriptors?
 *
 * usage: fork
 *
 * Printed: how many descriptors the process has beside those that it had at first, and its child; and whether the child
 * resumes a session that only the store has.
 */
#include "handshake.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static int descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 4096; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

/* Another context with the same session id context: its own cache has nothing. */
static void resume_elsewhere(const char *title, SSL_CTX *client, SSL_SESSION *session)
{
    SSL_CTX *server = stateful_context(TLS1_2_VERSION);
    revisit(title, client, server, session);
    SSL_CTX_free(server);
}

int main(void)
{
    int before = descriptors();
    SSL_CTX *client = client_context(), *server = stateful_context(TLS1_2_VERSION);
    SSL_SESSION *session = visit("first", client, server, NULL);
    usleep(300000); /* the write is on its way */
    resume_elsewhere("parent", client, session);
    printf("parent has descriptors: %d\n", descriptors() - before);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("child has inherited: %d\n", descriptors() - before);
        resume_elsewhere("child", client, session);
        printf("child has descriptors: %d\n", descriptors() - before);
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
