/*
 * attach.h - how a struct context comes and goes: an SSL_CTX is taken over, gets its cache, and is freed.
 */
#ifndef SSLCACHE_ATTACH_H
#define SSLCACHE_ATTACH_H

#include "cshim/context/context.h"
#include "cshim/process/scope.h"

/* What an SSL_CTX is made with: the arguments of SSL_CTX_new_ex(3), NULL for SSL_CTX_new(3). */
struct context_origin {
    struct ossl_lib_ctx_st *library;
    const char *properties;
};

/* Attaches a context to an SSL_CTX that was made just now, unless it is to be left to libssl. */
void context_attach_new(SSL_CTX *ctx, struct context_origin origin);

/*
 * The context of ctx, attached now if it was not. NULL where libssl keeps the sessions of ctx: libssl
 * can't be found, ctx is NULL, there is no memory, or its memory is shared with other processes. Then libssl is to
 * be called. caller is where the call comes from: for libssl itself nothing is attached.
 */
struct context *context_of(SSL_CTX *ctx, const void *caller);

/* The cache of the context, made now if there is none. NULL where there is no memory. */
core_handle context_make_cache(struct context *context);

/*
 * Around a call of libssl that may free an SSL_CTX. What we keep for it stays until libssl is through with it: the program's
 * own CRYPTO_EX_free functions may still ask for its sessions.
 */
void contexts_enter_free(struct scope *scope);
void contexts_leave_free(struct scope *scope);

#endif
