/* TLS before main: before any constructor has run, and in a constructor. And after it. */
#include "legacy.h"

static struct house early;

static void visit_early(const char *title)
{
    printf("%s\n", title);
    if (early.server == NULL) {
        early = open_house(TLS1_2_VERSION);
        SSL_CTX_sess_set_remove_cb(early.server, NULL);
        fill_house(&early);
    }
    revisit("again", early.client, early.server, early.kept[0]);
    SHOW(churn(early.server, 100, 3));
    SHOW(SSL_CTX_sess_number(early.server));
    keeper_is(OURS, early.server);
}

static void before_all_constructors(void)
{
    visit_early("before all constructors");
}

__attribute__((section(".preinit_array"),
               used)) static void (*const first)(void) = before_all_constructors;

__attribute__((constructor)) static void in_constructor(void)
{
    visit_early("in a constructor");
}

__attribute__((destructor)) static void in_destructor(void)
{
    printf("in a destructor\n");
    SHOW(SSL_CTX_sess_number(early.server));
    SHOW(SSL_CTX_remove_session(early.server, early.kept[0]));
    SHOW(SSL_CTX_sess_number(early.server));
    fflush(stdout);
}

int main(void)
{
    visit_early("in main");
    return 0;
}
