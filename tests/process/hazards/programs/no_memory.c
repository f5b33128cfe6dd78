/* Memory comes to an end while contexts are made and sessions added: OpenSSL says so, and the program goes on. */
#include "hazard.h"
#include <sys/resource.h>

static long bytes_in_use(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld", &pages) != 1)
        abort();
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static int add_few(SSL_CTX *ctx)
{
    for (unsigned number = 0; number < 4; number++) {
        SSL_SESSION *session = numbered_session(number);
        if (session == NULL)
            return 0;
        SSL_CTX_add_session(ctx, session);
        SSL_SESSION_free(session);
    }
    return 1;
}

int main(int count, char **arguments)
{
    int resource = count > 1 && strcmp(arguments[1], "data") == 0 ? RLIMIT_DATA : RLIMIT_AS;
    SSL_CTX *first = unlimited_context();
    printf("added: %d\n", add_numbered(first, 0, 1000));
    fflush(stdout);
    long most = bytes_in_use() + (64L << 20);
    const struct rlimit limit = {most, most};
    setrlimit(resource, &limit);
    int contexts = 0;
    for (SSL_CTX *ctx; contexts < 200000 && (ctx = SSL_CTX_new(TLS_method())) != NULL; contexts++)
        if (!add_few(ctx))
            break;
    const char *text = contexts > 10 ? "noticed after many contexts\n" : "noticed after few\n";
    (void)!write(1, text, strlen(text));
    _exit(0);
}
