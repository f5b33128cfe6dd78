/*
 * endpoint.h - the two ends of a TCP connection, as the kernel knows them.
 */
#ifndef SSLCACHE_ENDPOINT_H
#define SSLCACHE_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* An address of IPv4 is one of IPv6 here (::ffff:a.b.c.d), however the program connects. */
struct endpoint {
    struct in6_addr address;
    uint32_t scope;
    uint16_t port;
};

struct endpoints {
    int descriptor;
    struct endpoint peer;
    struct endpoint own;
};

/* Reads them. False: descriptor is no connected TCP socket. errno may change. */
bool endpoints_read(int descriptor, struct endpoints *ends);

/* Whether the descriptor is still that very connection, and neither side has closed it. */
bool endpoints_are_open(const struct endpoints *ends);

/* The milliseconds since something came from the peer last. */
uint32_t endpoints_silence(const struct endpoints *ends);

bool endpoint_is_same_host(const struct endpoint *left, const struct endpoint *right);
bool endpoint_is_same(const struct endpoint *left, const struct endpoint *right);

#endif
