/* Times before 1970, and sums of time and timeout that no number can hold. */
#include "session.h"
#include <limits.h>

static const struct {
    const char *name;
    long time;
    long timeout;
} sessions[] = {
    {"over", 1000, LONG_MAX},
    {"usual", 1000, 5},
    {"brim", 1000, LONG_MAX - 1000},
    {"far", LONG_MAX - 10, 5},
    {"spill", 1000, LONG_MAX - 999},
    {"below", 1000, LONG_MAX - 1001},
    {"negative", -100, 14},
    {"least", LONG_MIN, 7},
    {"zero", 0, 0},
    {"to zero", -100, 100},
};

#define COUNT (int)(sizeof(sessions) / sizeof(sessions[0]))

static SSL_CTX *filled_context(void)
{
    SSL_CTX *ctx = noting_context();
    for (int i = 0; i < COUNT; i++) {
        SSL_SESSION *session =
            simple_session(sessions[i].name, sessions[i].time, sessions[i].timeout);
        STEP(ctx, SSL_CTX_add_session(ctx, session));
        SSL_SESSION_free(session);
    }
    return ctx;
}

/* Sessions that never expire have no order that means anything: they are shown by name. */
static void show_the_rest(SSL_CTX *ctx)
{
    SSL_CTX_free(ctx);
    qsort(removals.names, removals.count, sizeof(removals.names[0]), compare_names);
    qsort(frees.names, frees.count, sizeof(frees.names[0]), compare_names);
    show("never expired", NULL);
}

int main(void)
{
    SSL_CTX *ctx = filled_context();
    const long times[] = {LONG_MIN, -87, -86, -85, -1, 1, 1006, LONG_MAX - 1, LONG_MAX};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        printf("at %ld ", times[i]);
        DO(ctx, SSL_CTX_flush_sessions(ctx, times[i]));
    }
    show_the_rest(ctx);
    return 0;
}
