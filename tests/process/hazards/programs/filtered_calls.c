/* A filter of system calls lets through what a cache of libssl needs, and kills for anything else. */
#include "hazard.h"
#include <alloca.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ALLOW(call)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void filter_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_read),
        ALLOW(SYS_write),
        ALLOW(SYS_brk),
        ALLOW(SYS_mmap),
        ALLOW(SYS_munmap),
        ALLOW(SYS_clock_gettime),
        ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        abort();
}

/* From each place of a page, so that what it calls stands on the same page and on the next ones. */
static void free_at_depth(SSL_CTX *ctx, size_t depth)
{
    volatile char *room = alloca(depth + 1);
    *room = 0;
    SSL_CTX_free(ctx);
}

int main(void)
{
    enum { DEPTHS = 64, STEP = 64 };
    SSL_CTX *others[DEPTHS];
    setvbuf(stdout, NULL, _IONBF, 0);
    SSL_CTX *ctx = unlimited_context();
    SSL_SESSION_free(numbered_session(0));
    for (int i = 0; i < DEPTHS; i++)
        others[i] = unlimited_context();
    filter_calls();
    SHOW(add_numbered(ctx, 0, 400));
    SSL_SESSION *session = numbered_session(1);
    SHOW(SSL_CTX_remove_session(ctx, session));
    SSL_SESSION_free(session);
    SSL_CTX_flush_sessions(ctx, 1);
    SHOW(SSL_CTX_sess_number(ctx));
    SSL_CTX_flush_sessions(ctx, 0);
    SHOW(SSL_CTX_sess_number(ctx));
    SSL_CTX_free(ctx);
    for (int i = 0; i < DEPTHS; i++)
        free_at_depth(others[i], (size_t)i * STEP);
    _exit(0);
}
