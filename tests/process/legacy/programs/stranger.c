/* A library that is not ours, under the name of ours: nothing of it may ever run. */
#include <unistd.h>

static void start(void)
{
    static const char text[] = "the stranger was started\n";
    ssize_t written = write(STDOUT_FILENO, text, sizeof(text) - 1);
    (void)written;
    _exit(9);
}

struct stranger {
    void (*functions[32])(void);
};

extern const struct stranger sslcache_core_generation;
const struct stranger sslcache_core_generation = {{start, start, start, start, start, start}};
