/* The main thread ends before the others. The process ends with its last thread. */
#include "legacy.h"

static struct house house;

static void say_goodbye(void)
{
    printf("goodbye\n");
    fflush(stdout);
}

static void *outlive(void *argument UNUSED)
{
    rest(50);
    printf("churn %d\n", churn(house.server, 100, 10));
    revisit("again", house.client, house.server, house.kept[0]);
    keeper_is(OURS, house.server);
    fflush(stdout);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    atexit(say_goodbye);
    pthread_create(&thread, NULL, outlive, NULL);
    pthread_detach(thread);
    pthread_exit(NULL);
}
