/*
 * Threads that are cancelled, or that have been before they come to the cache. A call of the cache
 * is no cancellation point, whatever it does inside, just as in libssl.
 */
#include "legacy.h"
#include <stdatomic.h>

static struct house house;
static atomic_int working;
static int answers[2];

static void *loop(void *argument)
{
    uint32_t from = *(uint32_t *)argument;
    SSL_SESSION *sessions[4];
    for (int i = 0; i < 4; i++)
        sessions[i] = numbered_session(from + (uint32_t)i);
    atomic_fetch_add(&working, 1);
    for (;;) {
        for (int i = 0; i < 4; i++)
            SSL_CTX_add_session(house.server, sessions[i]);
        for (int i = 0; i < 4; i++)
            SSL_CTX_remove_session(house.server, sessions[i]);
        pthread_testcancel();
    }
    return NULL;
}

static void cancel_loops(void)
{
    static uint32_t starts[] = {1000, 2000, 3000, 4000};
    pthread_t threads[4];
    int cancelled = 0;
    atomic_store(&working, 0);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, loop, &starts[i]);
    while (atomic_load(&working) < 4)
        rest(1);
    rest(10);
    for (int i = 0; i < 4; i++) {
        void *answer;
        pthread_cancel(threads[i]);
        pthread_join(threads[i], &answer);
        cancelled += answer == PTHREAD_CANCELED;
    }
    printf("cancelled %d; held %ld\n", cancelled, SSL_CTX_sess_number(house.server));
}

/* The thread is to end at its next cancellation point, and adds and removes first. */
static void *add_though_cancelled(void *argument)
{
    SSL_SESSION *session = argument;
    pthread_cancel(pthread_self());
    answers[0] = SSL_CTX_add_session(house.server, session);
    answers[1] = SSL_CTX_remove_session(house.server, session);
    pthread_testcancel();
    answers[1] = -1;
    return NULL;
}

static void cancel_first(const char *title)
{
    pthread_t thread;
    void *answer;
    SSL_SESSION *session = numbered_session(77);
    answers[0] = answers[1] = 0;
    pthread_create(&thread, NULL, add_though_cancelled, session);
    pthread_join(thread, &answer);
    printf("%s: cancelled %d, added %d, removed %d\n", title, answer == PTHREAD_CANCELED,
           answers[0], answers[1]);
    SSL_SESSION_free(session);
}

static void in_fork(void *argument UNUSED)
{
    cancel_first("first use in a child");
    SHOW(SSL_CTX_sess_number(house.server));
    cancel_loops();
}

int main(void)
{
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    cancel_first("first use");
    fill_house(&house);
    keeper_is(OURS, house.server);
    cancel_first("later use");
    cancel_loops();
    in_child("child", in_fork, NULL);
    revisit("again", house.client, house.server, house.kept[0]);
    cancel_loops();
    close_house(&house);
    return 0;
}
