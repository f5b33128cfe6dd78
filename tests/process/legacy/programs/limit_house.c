/*
 * What a process may do to itself before or after its first session: give up its user, its root,
 * its descriptors; lock its memory. Arguments: what, when, and a folder.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "legacy.h"
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>

static struct house house;

static void show_descriptors(void)
{
    printf("descriptors:");
    for (int i = 0; i < 1024; i++)
        if (fcntl(i, F_GETFD) >= 0)
            printf(" %d", i);
    printf("\n");
}

/* How many threads have another user than this one: none may stay behind. */
static void show_users(void)
{
    int others = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
        char path[300], line[128];
        snprintf(path, sizeof(path), "/proc/self/task/%s/status", task->d_name);
        FILE *status = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (status != NULL && fgets(line, sizeof(line), status) != NULL)
            others += strncmp(line, "Uid:", 4) == 0 && strtoul(line + 4, NULL, 10) != getuid();
        if (status != NULL)
            fclose(status);
    }
    if (tasks != NULL)
        closedir(tasks);
    printf("user %u, threads of another user: %d\n", (unsigned)getuid(), others);
}

static int change(const char *what, const char *folder)
{
    struct rlimit files = {4, 4};
    if (strcmp(what, "closefrom") == 0)
        closefrom(3);
    else if (strcmp(what, "close_range") == 0)
        return close_range(3, ~0U, 0);
    else if (strcmp(what, "setuid") == 0)
        return setgroups(0, NULL) | setgid(65534) | setuid(65534);
    else if (strcmp(what, "chroot") == 0)
        return chroot(folder) | chdir("/");
    else if (strcmp(what, "nofile") == 0)
        return setrlimit(RLIMIT_NOFILE, &files);
    else if (strcmp(what, "mlockall") == 0)
        return mlockall(MCL_CURRENT | MCL_FUTURE);
    else
        return -1;
    return 0;
}

static void use_in_child(void *argument UNUSED)
{
    revisit("child", house.client, house.server, house.kept[1]);
    SHOW(add_numbered(house.server, 10000, 500));
    SHOW(SSL_CTX_sess_number(house.server));
    show_descriptors();
}

int main(int count, char **arguments)
{
    if (count < 3)
        return 1;
    const char *what = arguments[1];
    bool before = strcmp(arguments[2], "before") == 0;
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    show_descriptors();
    if (!before)
        add_numbered(house.server, 0, 10);
    SHOW(change(what, count > 3 ? arguments[3] : ""));
    fill_house(&house);
    keeper_is(OURS, house.server);
    show_descriptors();
    if (strcmp(what, "setuid") == 0)
        show_users();
    SHOW(add_numbered(house.server, 500, 5000));
    SSL_CTX_flush_sessions(house.server, (long)time(NULL) + 1000);
    SHOW(SSL_CTX_sess_number(house.server));
    revisit("again", house.client, house.server, house.kept[0]);
    in_child("child", use_in_child, NULL);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    printf("files %ld\n", strcmp(what, "nofile") == 0 ? (long)files.rlim_cur : 0L);
    show_descriptors();
    printf("first free descriptor: %d\n", dup(1));
    close_house(&house);
    return 0;
}
