/*
 * process.c - what a process pays once: being loaded, and storing its first session; and what others have
 * a part in: a page of memory that is touched for the first time.
 */
#include "measure.h"
#include "options.h"
#include "sessions.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PROGRAM "/bin/true"

void run_first(const struct options *options)
{
    struct pool pool = pool_new(options, 0, 1);
    double start = wall_nanoseconds();
    SSL_CTX *context = unlimited_context();

    print_measurement("context", wall_nanoseconds() - start);
    start = wall_nanoseconds();
    expect(SSL_CTX_add_session(context, pool.sessions[0]) == 1, "it is added");
    print_measurement("session", wall_nanoseconds() - start);
    SSL_CTX_free(context);
    pool_free(&pool);
}

/* A figure of /proc/self/status. */
static double own_status(const char *name)
{
    char line[256];
    double value = -1;
    FILE *file = fopen("/proc/self/status", "r");

    expect(file != NULL, "/proc/self/status can be read");
    while (value < 0 && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtod(line + strlen(name) + 1, NULL);
    fclose(file);
    expect(value >= 0, "/proc/self/status has the figure");
    return value;
}

/* A process with one session. */
void run_small(const struct options *options)
{
    struct pool pool = pool_new(options, 0, 1);
    SSL_CTX *context = unlimited_context();

    expect(SSL_CTX_add_session(context, pool.sessions[0]) == 1, "it is added");
    print_measurement("threads", own_status("Threads"));
    print_measurement("data", own_status("VmData") * 1024);
    SSL_CTX_free(context);
    pool_free(&pool);
}

static double time_program(char *const *environment)
{
    char *arguments[] = {PROGRAM, NULL};
    double start = wall_nanoseconds();
    pid_t child;
    int status;

    expect(posix_spawn(&child, PROGRAM, NULL, NULL, arguments, environment) == 0,
           PROGRAM " starts");
    expect(waitpid(child, &status, 0) == child && status == 0, PROGRAM " ends well");
    return wall_nanoseconds() - start;
}

/* In turn, so that whatever else the machine does meets both alike. */
void run_spawn(const struct options *options)
{
    char preload[4096];
    char *plain_environment[] = {NULL};
    char *preloaded_environment[] = {preload, NULL};
    double *plain = allocate(options->operations, sizeof(*plain));
    double *preloaded = allocate(options->operations, sizeof(*preloaded));

    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", options->library);
    for (size_t i = 0; i < options->operations; i++) {
        plain[i] = time_program(plain_environment);
        preloaded[i] = time_program(preloaded_environment);
    }
    print_measurement("plain", median(plain, options->operations));
    print_measurement("preloaded", median(preloaded, options->operations));
    free(plain);
    free(preloaded);
}

/* The first touch of each page of new memory. */
void run_pagefault(const struct options *options)
{
    const size_t page = 4096, size = options->operations * page;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    double start;

    expect(memory != MAP_FAILED, "there is memory");
    expect(madvise(memory, size, MADV_NOHUGEPAGE) == 0, "its pages are small");
    start = cpu_nanoseconds();
    for (size_t i = 0; i < size; i += page)
        *(volatile char *)(memory + i) = 1;
    print_measurement("fault", (cpu_nanoseconds() - start) / (double)options->operations);
    munmap(memory, size);
}
