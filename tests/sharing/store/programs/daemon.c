/* daemon.c - a process that forks before it makes its first SSL_CTX, and gives up its root folder after it. */
#include "elsewhere.h"
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        SSL_CTX_free(stateful_context(TLS1_2_VERSION));
        if (chroot("/var/empty") != 0 && chroot("/proc/self/task") != 0)
            return 1;
        store_session();
        show_elsewhere("in the child");
        fflush(stdout);
        _exit(0); /* a report could not be written here */
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
