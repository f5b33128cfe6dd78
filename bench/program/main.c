/*
 * bench CASE [options] - runs one case against whatever session cache the process has: libssl's
 * own, or that of a preloaded library. It calls nothing but OpenSSL's public functions.
 */
#include "measure.h"
#include "options.h"

#include <dlfcn.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(const struct options *options);
} cases[] = {
    {"operations", run_operations}, {"threads", run_threads}, {"lookups", run_lookups},
    {"handshakes", run_handshakes}, {"workers", run_workers}, {"first", run_first},
    {"children", run_children},     {"fork", run_fork},       {"contexts", run_contexts},
    {"small", run_small},           {"spawn", run_spawn},     {"pagefault", run_pagefault},
};

static const struct option long_options[] = {
    {"sessions", required_argument, NULL, 's'},
    {"operations", required_argument, NULL, 'o'},
    {"threads", required_argument, NULL, 't'},
    {"own-contexts", no_argument, NULL, 'c'},
    {"mixed", no_argument, NULL, 'm'},
    {"shuffled", no_argument, NULL, 'r'},
    {"parent-holds", no_argument, NULL, 'p'},
    {"tls13", no_argument, NULL, '3'},
    {"library", required_argument, NULL, 'l'},
    {"tickets", no_argument, NULL, 'k'},
    {NULL, 0, NULL, 0},
};

static size_t positive(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    expect(*text != '\0' && *end == '\0' && value > 0, "a number on the command line is positive");
    return value;
}

static void set_option(struct options *options, int letter, const char *argument)
{
    switch (letter) {
    case 's':
        options->sessions = positive(argument);
        break;
    case 'o':
        options->operations = positive(argument);
        break;
    case 't':
        options->threads = positive(argument);
        break;
    case 'c':
        options->own_contexts = true;
        break;
    case 'm':
        options->mixed = true;
        break;
    case 'r':
        options->shuffled = true;
        break;
    case 'p':
        options->parent_holds = true;
        break;
    case 'k':
        options->tickets = true;
        break;
    case '3':
        options->version = TLS1_3_VERSION;
        break;
    case 'l':
        options->library = argument;
        break;
    default:
        exit(EXIT_FAILURE);
    }
}

/* Which cache is measured, so that a library that was not loaded is not taken for a fast one. */
static void print_subject(void)
{
    const char *(*version)(void);

    *(void **)&version = dlsym(RTLD_DEFAULT, "sslcache_version");
    printf("libssl %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
    printf("sslcache %s\n", version != NULL ? version() : "none");
}

int main(int argc, char **argv)
{
    struct options options = {
        .sessions = 10000,
        .operations = 100000,
        .threads = 1,
        .version = TLS1_2_VERSION,
    };
    const char *name = argc > 1 ? argv[1] : "";
    int letter;

    while ((letter = getopt_long(argc - 1, argv + 1, "", long_options, NULL)) != -1)
        set_option(&options, letter, optarg);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(name, cases[i].name) != 0)
            continue;
        print_subject();
        cases[i].run(&options);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "usage: bench CASE [options]\n");
    return EXIT_FAILURE;
}
