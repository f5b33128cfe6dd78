/*
 * longjmp out of a callback. libssl alone goes on with what follows here: the connection must be
 * freed and not used again, and references that the interrupted function held are lost. The same is
 * promised with our library: new_cb, get_cb, and remove_cb when it was called by a removal. Out of
 * a remove_cb that an eviction or a flush called, libssl alone hangs at the next use of the
 * context, since it holds a lock then; ours goes on, which nobody can rely on.
 */
#include "legacy.h"
#include <setjmp.h>

static struct house house;
static jmp_buf back;
static int jumps_wanted;

static void jump(void)
{
    if (jumps_wanted-- > 0)
        longjmp(back, 1);
    jumps_wanted = 0;
}

static int on_new(SSL *ssl UNUSED, SSL_SESSION *session UNUSED)
{
    jump();
    return 0;
}

static SSL_SESSION *on_get(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED,
                           int *copy UNUSED)
{
    jump();
    return NULL;
}

static void on_remove(SSL_CTX *ctx UNUSED, SSL_SESSION *session UNUSED)
{
    jump();
}

static void shake_hands(SSL_SESSION *offered)
{
    static struct connection connection;
    connection = open_connection(house.client, house.server, offered);
    jumps_wanted = 1;
    if (setjmp(back) == 0)
        printf("handshake: %d\n", handshake(connection));
    else
        printf("jumped\n");
    jumps_wanted = 0;
    SSL_free(connection.client);
    SSL_free(connection.server);
    ERR_clear_error();
}

static void use_in_child(void *argument UNUSED)
{
    revisit("child", house.client, house.server, house.kept[1]);
    SHOW(churn(house.server, 300, 3));
}

static void go_on(void)
{
    revisit("again", house.client, house.server, house.kept[0]);
    SHOW(churn(house.server, 100, 3));
    SHOW(SSL_CTX_sess_number(house.server));
    in_child("child", use_in_child, NULL);
}

int main(void)
{
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    fill_house(&house);
    keeper_is(OURS, house.server);

    SSL_CTX_sess_set_new_cb(house.server, on_new);
    for (int i = 0; i < 3; i++)
        shake_hands(NULL);
    SSL_CTX_sess_set_new_cb(house.server, NULL);
    go_on();

    unsigned char id[32] = "nobody knows";
    SSL_SESSION *stranger = SSL_SESSION_dup(house.kept[2]);
    SSL_SESSION_set1_id(stranger, id, sizeof(id));
    SSL_CTX_sess_set_get_cb(house.server, on_get);
    for (int i = 0; i < 3; i++)
        shake_hands(stranger);
    SSL_CTX_sess_set_get_cb(house.server, NULL);
    SSL_SESSION_free(stranger);
    go_on();

    SSL_CTX_sess_set_remove_cb(house.server, on_remove);
    for (volatile int i = 2; i < 4; i++) {
        jumps_wanted = 1;
        if (setjmp(back) == 0)
            SHOW(SSL_CTX_remove_session(house.server, house.kept[i]));
        else
            printf("jumped\n");
        SHOW(SSL_CTX_remove_session(house.server, house.kept[i]));
    }
    go_on();
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
