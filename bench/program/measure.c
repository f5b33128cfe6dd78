#include "measure.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double read_clock(clockid_t clock)
{
    struct timespec now;

    expect(clock_gettime(clock, &now) == 0, "the clock can be read");
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double cpu_nanoseconds(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

double wall_nanoseconds(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long resident = 0;

    expect(file != NULL, "/proc/self/statm opens");
    expect(fscanf(file, "%*d %ld", &resident) == 1, "/proc/self/statm holds the resident pages");
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

void print_measurement(const char *name, double value)
{
    printf("%s %.3f\n", name, value);
    fflush(stdout);
}

void expect(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "bench: not so: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(EXIT_FAILURE);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    expect(memory != NULL, "memory can be had");
    return memory;
}

static int compare(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;

    return (difference > 0) - (difference < 0);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}
