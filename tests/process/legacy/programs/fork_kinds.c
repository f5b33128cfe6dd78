/* daemon, vfork, posix_spawn, system and popen, before and after the first session. */
#include "legacy.h"
#include <spawn.h>

extern char **environ;

static void others(const char *when)
{
    char *echo[] = {"sh", "-c", "echo spawned; exit 7", NULL};
    char line[64] = "";
    pid_t pid;
    printf("%s\n", when);
    fflush(stdout);
    if (posix_spawnp(&pid, "sh", NULL, NULL, echo, environ) == 0)
        printf("posix_spawn: %s\n", end_of(pid));
    fflush(stdout);
    printf("system: %d\n", WEXITSTATUS(system("echo from system; exit 5")));
    FILE *pipe = popen("echo from popen", "r");
    if (pipe != NULL && fgets(line, sizeof(line), pipe) != NULL)
        printf("popen: %s", line);
    printf("pclose: %d\n", pipe == NULL ? -1 : pclose(pipe));
    fflush(stdout);
    pid = vfork();
    if (pid == 0) {
        execlp("sh", "sh", "-c", "echo from vfork; exit 3", (char *)NULL);
        _exit(127);
    }
    printf("vfork and exec: %s\n", end_of(pid));
    fflush(stdout);
    pid = vfork();
    if (pid == 0)
        _exit(9);
    printf("vfork and _exit: %s\n", end_of(pid));
}

/* The parent of a daemon leaves at once: the daemon's end shows when its pipe closes. */
static void run_daemon(struct house *house)
{
    int ends[2];
    char byte;
    if (pipe(ends) != 0)
        abort();
    pid_t pid = fork_clean();
    if (pid == 0) {
        close(ends[0]);
        if (daemon(1, 1) != 0)
            _exit(1);
        revisit("daemon", house->client, house->server, house->kept[1]);
        printf("daemon removes: %d\n", SSL_CTX_remove_session(house->server, house->kept[1]));
        printf("daemon holds: %ld\n", SSL_CTX_sess_number(house->server));
        keeper_is(OURS, house->server);
        fflush(stdout);
        _exit(0);
    }
    close(ends[1]);
    printf("parent of the daemon: %s\n", end_of(pid));
    while (read(ends[0], &byte, 1) > 0)
        continue;
    close(ends[0]);
}

int main(void)
{
    struct house house = open_house(TLS1_2_VERSION);
    others("before");
    fill_house(&house);
    others("after");
    run_daemon(&house);
    revisit("parent", house.client, house.server, house.kept[1]);
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
