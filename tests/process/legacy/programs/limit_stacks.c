/*
 * Threads with the smallest stack that there is, and thousands of threads that come and go: all are
 * answered well, and the process does not grow.
 */
#include "legacy.h"
#include <limits.h>
#include <sys/resource.h>

static struct house house;

static void *work(void *argument)
{
    SSL_SESSION **sessions = argument;
    SSL_SESSION *found = sessions[0];
    int ok = 1;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 4; i++)
            ok &= SSL_CTX_add_session(house.server, sessions[i]);
        SSL_SESSION_set_timeout(found, 500);
        ok &= SSL_CTX_sess_number(house.server) > 0;
        for (int i = 0; i < 4; i++)
            ok &= SSL_CTX_remove_session(house.server, sessions[i]);
    }
    return (void *)(intptr_t)ok;
}

/* Eight at a time. */
static int run_threads(int count, size_t stack)
{
    static SSL_SESSION *sessions[8][4];
    pthread_attr_t attributes;
    pthread_t threads[8];
    int ok = 1;
    pthread_attr_init(&attributes);
    if (stack != 0 && pthread_attr_setstacksize(&attributes, stack) != 0)
        abort();
    for (int i = 0; i < 32 && sessions[i / 4][i % 4] == NULL; i++)
        sessions[i / 4][i % 4] = numbered_session((uint32_t)(50000 + i));
    for (int done = 0; done < count; done += 8) {
        for (int i = 0; i < 8; i++)
            if (pthread_create(&threads[i], &attributes, work, sessions[i]) != 0)
                abort();
        for (int i = 0; i < 8; i++) {
            void *answer;
            pthread_join(threads[i], &answer);
            ok &= (int)(intptr_t)answer;
        }
    }
    pthread_attr_destroy(&attributes);
    return ok;
}

int main(int count, char **arguments)
{
    int many = count > 1 ? atoi(arguments[1]) : 1000;
    struct rlimit stack;
    getrlimit(RLIMIT_STACK, &stack);
    printf("stack of main: %ld\n", (long)stack.rlim_cur);
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    add_numbered(house.server, 0, 100);
    printf("smallest stacks: answered well %d\n", run_threads(64, 16384));
    printf("small stacks: answered well %d\n", run_threads(64, 65536));
    printf("threads: answered well %d\n", run_threads(many / 5, 0));
    long settled = status_of("VmRSS");
    printf("threads: answered well %d\n", run_threads(many * 4 / 5, 0));
    printf("resident memory grew by less than 4 MB: %d\n", status_of("VmRSS") - settled < 4096);
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
