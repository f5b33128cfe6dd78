/*
 * load.c - what is done when the library is loaded, before the program has made a thread or a lock of its own.
 */
#include <stddef.h>

#include "cshim/context/connection.h"
#include "cshim/context/context.h"
#include "cshim/context/counters.h"
#include "cshim/libssl/libssl.h"
#include "cshim/process/background.h"
#include "cshim/process/fork.h"
#include "cshim/report/live.h"
#include "cshim/settings/config.h"
#include "cshim/settings/fault.h"
#include "cshim/share/store.h"
#include "cshim/share/ticket_counts.h"
#include "cshim/share/ticket_keys.h"
#include "cshim/takeover/release.h"
#include "cshim/trace/writer.h"

/*
 * In the order in which their locks are taken: see docs/architecture.md. The gate closes first: a thread that is inside
 * may take any of these locks before it leaves.
 */
static const struct fork_part parts[] = {
    {fault_fork_prepare, NULL, fault_fork_child, fault_fork_child},
    {NULL, NULL, background_fork_child, background_fork_child},
    {gate_fork_prepare, gate_fork_parent, gate_fork_child, gate_fork_child},
    {NULL, NULL, release_fork_child, NULL},
    {live_fork_prepare, live_fork_parent, live_fork_child, NULL},
    {NULL, NULL, counters_fork_child, NULL},
    {contexts_fork_prepare, contexts_fork_done, contexts_fork_child, NULL},
    {connections_fork_prepare, connections_fork_done, connections_fork_done, NULL},
    {ticket_keys_fork_prepare, ticket_keys_fork_parent, ticket_keys_fork_child, NULL},
    {NULL, NULL, ticket_counts_fork_child, ticket_counts_fork_child},
    {NULL, NULL, store_fork_child, store_fork_child},
    {writer_fork_prepare, writer_fork_parent, writer_fork_child, writer_fork_child_unprepared},
};

__attribute__((constructor)) static void watch_forks(void)
{
    fork_watch(parts, sizeof(parts) / sizeof(parts[0]));
}

/* Now, since the dynamic linker is asked, and no other thread is in it yet. */
__attribute__((constructor)) static void find_libssl(void)
{
    if (!config.settings.disable)
        libssl_look();
}
