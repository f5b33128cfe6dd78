/*
 * handshake.h - a client and a server in one process, that talk through memory.
 */
#ifndef BENCH_HANDSHAKE_H
#define BENCH_HANDSHAKE_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct peers {
    SSL_CTX *server;
    SSL_CTX *client;
};

/*
 * Both speak this one version of TLS. The server sends no self-contained tickets: every resumption
 * is a look-up in its cache.
 */
struct peers peers_new(int version);

void peers_free(struct peers *peers);

/*
 * One handshake. session: what the client offers, or NULL for a full one. Returns whether it was
 * resumed. established, where not NULL, receives the client's session with a reference of its own;
 * looking_up, where not NULL, the CPU time of the server's first step, which reads the ClientHello
 * and looks the session up.
 */
bool shake_hands(const struct peers *peers, SSL_SESSION *session, SSL_SESSION **established,
                 double *looking_up);

#endif
