#define _GNU_SOURCE
#include "cshim/share/endpoint.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

typedef int (*asking)(int descriptor, __SOCKADDR_ARG address, socklen_t *length);

static void map_ipv4(struct endpoint *endpoint, const struct sockaddr_in *address)
{
    endpoint->address.s6_addr[10] = endpoint->address.s6_addr[11] = 0xff;
    memcpy(endpoint->address.s6_addr + 12, &address->sin_addr, sizeof(address->sin_addr));
    endpoint->port = ntohs(address->sin_port);
}

static bool ask(asking asked, int descriptor, struct endpoint *endpoint)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_storage room;
    } address;
    socklen_t length = sizeof(address);
    *endpoint = (struct endpoint){.port = 0};
    if (asked(descriptor, &address.any, &length) != 0)
        return false;
    if (address.any.sa_family == AF_INET) {
        map_ipv4(endpoint, &address.ipv4);
        return true;
    }
    if (address.any.sa_family != AF_INET6)
        return false;
    endpoint->address = address.ipv6.sin6_addr;
    endpoint->scope = address.ipv6.sin6_scope_id;
    endpoint->port = ntohs(address.ipv6.sin6_port);
    return true;
}

static bool read_information(int descriptor, struct tcp_info *information)
{
    socklen_t length = sizeof(*information);
    *information = (struct tcp_info){0};
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, information, &length) == 0;
}

bool endpoints_read(int descriptor, struct endpoints *ends)
{
    struct tcp_info information;
    ends->descriptor = descriptor;
    return descriptor >= 0 && ask(getpeername, descriptor, &ends->peer) &&
           ask(getsockname, descriptor, &ends->own) && read_information(descriptor, &information);
}

bool endpoints_are_open(const struct endpoints *ends)
{
    struct endpoints now;
    struct tcp_info information;
    return endpoints_read(ends->descriptor, &now) && endpoint_is_same(&now.peer, &ends->peer) &&
           endpoint_is_same(&now.own, &ends->own) &&
           read_information(ends->descriptor, &information) &&
           information.tcpi_state == TCP_ESTABLISHED;
}

uint32_t endpoints_silence(const struct endpoints *ends)
{
    struct tcp_info information;
    return read_information(ends->descriptor, &information) ? information.tcpi_last_data_recv
                                                            : UINT32_MAX;
}

bool endpoint_is_same_host(const struct endpoint *left, const struct endpoint *right)
{
    return memcmp(&left->address, &right->address, sizeof(left->address)) == 0 &&
           left->scope == right->scope;
}

bool endpoint_is_same(const struct endpoint *left, const struct endpoint *right)
{
    return endpoint_is_same_host(left, right) && left->port == right->port;
}
