/*
 * A signal handler that forks, whatever the program was doing: child and parent go on, and what was
 * registered with pthread_atfork is called, in its order, as long as its module is there.
 */
#include "legacy.h"
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t forks, lost, order;
static int module_saw;

static void note_order(int digit)
{
    order = order * 10 + digit;
}

static void first_prepare(void)
{
    note_order(1);
}

static void first_after(void)
{
    note_order(2);
}

static void second_prepare(void)
{
    note_order(3);
}

static void second_after(void)
{
    note_order(4);
}

/* Once: where a fork takes longer than the time between two alarms, the program would never go on. */
static void set_alarm(void)
{
    const struct itimerval soon = {.it_value = {0, 3000}};
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void on_alarm(int number UNUSED)
{
    int status = 0, saved = errno;
    order = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(order != 3124);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 || order != 3124)
        lost++;
    forks++;
    set_alarm();
    errno = saved;
}

/* A handler may interrupt this one as well. */
static int fork_once(void)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status == 0;
}

/* Blocks too large for the part of malloc that a thread has to itself. */
static void allocate(void)
{
    for (int i = 0; i < 2000; i++) {
        void *volatile block = malloc(40000);
        free(block);
    }
}

static int fork_in_handlers(struct house *house)
{
    int ok = 1;
    set_alarm();
    for (forks = 0; forks < 100;) {
        ok &= churn(house->server, 0, 50);
        ok &= fork_once();
        allocate();
    }
    const struct itimerval never = {.it_value = {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    return ok;
}

/* The functions of the module are called before it is unloaded, and not after. */
static void load_watcher(const char *path)
{
    int (*watch_forks)(int *);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *(void **)&watch_forks = module != NULL ? dlsym(module, "watch_forks") : NULL;
    if (watch_forks == NULL || !watch_forks(&module_saw))
        abort();
    raise(SIGALRM);
    dlclose(module);
}

int main(int count UNUSED, char **arguments)
{
    struct house house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    pthread_atfork(first_prepare, first_after, first_after);
    pthread_atfork(second_prepare, second_after, second_after);
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    load_watcher(arguments[1]);
    int ok = fork_in_handlers(&house);
    signal(SIGALRM, SIG_IGN);
    printf("calls answered well: %d, children lost: %d, the module saw %d\n", ok, (int)lost,
           module_saw);
    revisit("again", house.client, house.server, house.kept[0]);
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
