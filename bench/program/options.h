/*
 * options.h - what the command line asks of a case.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options {
    size_t sessions;   /* the cache holds this many */
    size_t operations; /* how many operations of a kind are timed, about */
    size_t threads;    /* threads, or worker processes; of handshakes, all but one sleep */
    bool own_contexts; /* each thread has a context of its own */
    bool mixed;        /* each session has a timeout of its own */
    bool shuffled;     /* sessions are visited in an order that is not the one they were made in */
    bool tickets;      /* the server gives out stateless tickets */
    bool parent_holds; /* the parent of the workers stores sessions before it forks */
    int version;       /* TLS version of the handshakes */
    const char *library; /* a library to load or to preload */
};

/* One function a case, in the file of its name. */
void run_operations(const struct options *options);
void run_threads(const struct options *options);
void run_lookups(const struct options *options);
void run_handshakes(const struct options *options);
void run_workers(const struct options *options);
void run_children(const struct options *options);
void run_fork(const struct options *options);
void run_contexts(const struct options *options);
void run_small(const struct options *options);
void run_first(const struct options *options);
void run_spawn(const struct options *options);
void run_pagefault(const struct options *options);

#endif
