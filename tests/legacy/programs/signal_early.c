/* The handlers of a library that was loaded before main: they go on working, and read as they were.
 */
#include "legacy.h"
#include <sys/time.h>

static int count_handlers(void)
{
    static const int numbers[] = {SIGALRM, SIGUSR1, SIGUSR2};
    int handlers = 0;
    for (int i = 0; i < 3; i++) {
        struct sigaction action;
        sigaction(numbers[i], NULL, &action);
        handlers += action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
        printf("signal %d: flags %x\n", numbers[i], (unsigned)action.sa_flags);
    }
    return handlers;
}

int main(void)
{
    volatile sig_atomic_t *caught = dlsym(RTLD_DEFAULT, "early_signals");
    if (caught == NULL)
        return 1;
    printf("handlers of the early library: %d\n", count_handlers());
    struct house house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    keeper_is(OURS, house.server);
    int ok = 1;
    for (sig_atomic_t until = *caught + 200; *caught < until;)
        ok &= churn(house.server, 0, 20);
    printf("calls answered well: %d\n", ok);
    printf("handlers of the early library: %d\n", count_handlers());
    struct itimerval none = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &none, NULL);
    sig_atomic_t before = *caught;
    raise(SIGUSR1);
    raise(SIGUSR2);
    printf("caught when raised: %d\n", (int)(*caught - before));
    close_house(&house);
    return 0;
}
