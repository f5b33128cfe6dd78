/*
 * A program whose counters can be asked for. It does what each line of standard input says, and prints a
 * line when it has done it. A child goes on in its place: the parent waits for its end.
 */
#include "session.h"
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static SSL_CTX *ctxs[8];
static int contexts;

static void add_one(void)
{
    static int number;
    char name[16];
    snprintf(name, sizeof(name), "session %d", number++);
    SSL_SESSION *session = simple_session(name, 1000000000, 2000000000);
    SSL_CTX_add_session(ctxs[0], session);
    SSL_SESSION_free(session);
}

static void close_all(void)
{
    for (int i = 3; i < 2048; i++)
        close(i);
    int one = fileno(tmpfile());
    for (int i = 0; i < 1024; i++)
        (void)!dup(one);
}

/* In the parent: ends at once, or waits for the child and ends as it did. */
static void go_on_in_child(int leaves)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        return;
    printf("child %d\n", (int)child);
    fflush(stdout);
    if (leaves)
        _exit(0);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    exit(WEXITSTATUS(status));
}

int main(void)
{
    char line[32];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "make") == 0)
            ctxs[contexts++] = SSL_CTX_new(TLS_method());
        if (strcmp(line, "free") == 0)
            SSL_CTX_free(ctxs[--contexts]);
        if (strcmp(line, "add") == 0)
            add_one();
        if (strcmp(line, "close") == 0)
            close_all();
        if (strcmp(line, "fork") == 0)
            go_on_in_child(0);
        if (strcmp(line, "leave") == 0)
            go_on_in_child(1);
        printf("%s %d\n", line, (int)getpid());
        fflush(stdout);
    }
    return 0;
}
