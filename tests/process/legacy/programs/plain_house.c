/* A day in the life of a TLS program: handshakes, sessions by hand, threads, a child. */
#include "legacy.h"

static struct house house;

static void *work(void *argument)
{
    return (void *)(intptr_t)churn(house.server, *(uint32_t *)argument, 200);
}

static void use_in_child(void *argument UNUSED)
{
    revisit("child", house.client, house.server, house.kept[1]);
    SHOW(churn(house.server, 100, 3));
    SHOW(SSL_CTX_sess_number(house.server));
}

int main(int count, char **arguments)
{
    static uint32_t starts[] = {1000, 2000, 3000, 4000};
    pthread_t threads[4];
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, work, &starts[i]);
    for (int i = 0; i < 4; i++) {
        void *answer;
        pthread_join(threads[i], &answer);
        printf("thread: answered well %d\n", (int)(intptr_t)answer);
    }
    revisit("again", house.client, house.server, house.kept[0]);
    SHOW(add_numbered(house.server, 0, 5000));
    in_child("child", use_in_child, NULL);
    SHOW(SSL_CTX_sess_number(house.server));
    /* A program that our library cannot reach says so. */
    keeper_is(count > 1 && strcmp(arguments[1], "out of reach") == 0 ? LIBSSLS : OURS,
              house.server);
    close_house(&house);
    return 0;
}
