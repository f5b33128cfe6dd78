/*
 * measure.h - clocks, checks and output of the bench program.
 *
 * A measurement is printed as one line, "name value"; the runner reads these lines.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * CPU time of the whole process in nanoseconds. Other programs on the machine do not disturb it,
 * and what a runtime does on threads of its own (a garbage collector) is counted.
 */
double cpu_nanoseconds(void);

/* Time that passed, in nanoseconds: for what several threads or processes do together. */
double wall_nanoseconds(void);

/* Memory of this process that is in RAM now, in bytes. */
double resident_bytes(void);

/* Sorts the values. */
double median(double *values, size_t count);

void print_measurement(const char *name, double value);

/* Ends the program when something measured did not do what it should: its time would mean nothing.
 */
void expect(bool condition, const char *what);

void *allocate(size_t count, size_t size);

#endif
