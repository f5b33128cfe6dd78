/*
 * ProFTPD's way: root is given up, two capabilities are kept by PR_SET_KEEPCAPS and capset(2), which are of one
 * thread, and later the program becomes root again. glibc asks all threads to, and aborts where one may not.
 */
#include "hazard.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int keep_only(unsigned capabilities)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{capabilities, capabilities, 0}, {0, 0, 0}};
    return (int)syscall(SYS_capset, &header, data);
}

int main(void)
{
    SSL_CTX *server = stateful_context(TLS1_2_VERSION), *client = client_context();
    printf("handshakes: %d\n", connect_often(client, server, 3));
    prctl(PR_SET_KEEPCAPS, 1);
    if (setreuid(1000, 1000) != 0 || keep_only(1U << CAP_SETUID | 1U << CAP_SETGID) != 0)
        return 4;
    printf("seteuid(0): %d\n", seteuid(0));
    fflush(stdout);
    _exit(0);
}
