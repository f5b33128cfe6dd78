#include "cshim/share/ticket_counts.h"

#include <stdio.h>
#include <string.h>

#include "cshim/process/fork.h"
#include "cshim/trace/trace.h"

static const char *const event_names[] = {
#define X(name) #name,
    TICKET_EVENTS(X)
#undef X
};

/* By this process, also for contexts that are gone. */
static FORK_WRITES atomic_long counted[TICKET_EVENT_COUNT];

static const enum event_outcome outcomes[] = {
    [TICKET_EVENT_issued] = OUTCOME_ISSUED,   [TICKET_EVENT_opened] = OUTCOME_OPENED,
    [TICKET_EVENT_renewed] = OUTCOME_RENEWED, [TICKET_EVENT_unknown] = OUTCOME_UNKNOWN,
    [TICKET_EVENT_old] = OUTCOME_OLD,         [TICKET_EVENT_elsewhere] = OUTCOME_ELSEWHERE,
    [TICKET_EVENT_damaged] = OUTCOME_DAMAGED,
};

void ticket_counts_add(struct context *context, enum ticket_event event)
{
    atomic_fetch_add_explicit(&counted[event], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&context->tickets.counted[event], 1, memory_order_relaxed);
    if (tracing())
        trace_ticket(context, outcomes[event]);
}

void ticket_counts_fork_child(void)
{
    for (int event = 0; event < TICKET_EVENT_COUNT; event++)
        atomic_store(&counted[event], 0);
}

bool ticket_counts_describe(char *json, size_t size)
{
    long sum = 0;
    int length = snprintf(json, size, "\"tickets\":{");
    for (int event = 0; event < TICKET_EVENT_COUNT && (size_t)length < size; event++) {
        long number = atomic_load(&counted[event]);
        sum += number;
        length += snprintf(json + length, size - (size_t)length, "%s\"%s\":%ld",
                           event == 0 ? "" : ",", event_names[event], number);
    }
    if (sum == 0 || (size_t)length + 1 >= size)
        return false;
    memcpy(json + length, "}", 2);
    return true;
}
