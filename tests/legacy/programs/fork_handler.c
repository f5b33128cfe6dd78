/* A signal handler that forks, whatever the program was doing: child and parent go on. */
#include "legacy.h"
#include <sys/time.h>

static volatile sig_atomic_t forks, lost;

/* Once: where a fork takes longer than the time between two alarms, the program would never go on. */
static void set_alarm(void)
{
    const struct itimerval soon = {.it_value = {0, 3000}};
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void on_alarm(int number UNUSED)
{
    int status = 0, saved = errno;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        lost++;
    forks++;
    set_alarm();
    errno = saved;
}

int main(void)
{
    struct house house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    set_alarm();
    int ok = 1;
    while (forks < 100)
        ok &= churn(house.server, 0, 50);
    signal(SIGALRM, SIG_IGN);
    printf("calls answered well: %d, children lost: %d\n", ok, (int)lost);
    revisit("again", house.client, house.server, house.kept[0]);
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
