#define _GNU_SOURCE
#include "cshim/trace/ring.h"

#include <stdatomic.h>
#include <sys/mman.h>

/*
 * Dmitry Vyukov's bounded queue. A slot is used once in each round through the ring, and its turn says what it is: 2 *
 * round, free in that round; 2 * round + 1, filled.
 */
struct slot {
    _Alignas(64) _Atomic uint64_t turn;
    struct event event;
};

static _Atomic(struct slot *) slots;
static _Atomic uint64_t head; /* the next to be filled */
static _Atomic uint64_t tail; /* the next to be written */

bool ring_ready(void)
{
    if (atomic_load_explicit(&slots, memory_order_acquire) != NULL)
        return true;
    struct slot *fresh = mmap(NULL, RING_SIZE * sizeof(struct slot), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct slot *none = NULL;
    if (fresh == MAP_FAILED)
        return false;
    if (!atomic_compare_exchange_strong(&slots, &none, fresh))
        munmap(fresh, RING_SIZE * sizeof(struct slot)); /* another thread was quicker */
    return true;
}

static struct slot *slot_at(uint64_t position)
{
    return &atomic_load_explicit(&slots, memory_order_relaxed)[position % RING_SIZE];
}

static uint64_t free_turn(uint64_t position)
{
    return position / RING_SIZE * 2;
}

bool ring_put(const struct event *event, uint64_t *position)
{
    uint64_t mine = atomic_load_explicit(&head, memory_order_relaxed);
    for (;;) {
        uint64_t turn = atomic_load_explicit(&slot_at(mine)->turn, memory_order_acquire);
        if (turn < free_turn(mine))
            return false;
        if (turn > free_turn(mine))
            mine = atomic_load_explicit(&head, memory_order_relaxed);
        else if (atomic_compare_exchange_weak_explicit(&head, &mine, mine + 1, memory_order_relaxed,
                                                       memory_order_relaxed))
            break;
    }
    slot_at(mine)->event = *event;
    atomic_store_explicit(&slot_at(mine)->turn, free_turn(mine) + 1, memory_order_release);
    *position = mine;
    return true;
}

const struct event *ring_peek(void)
{
    uint64_t oldest = atomic_load_explicit(&tail, memory_order_relaxed);
    uint64_t turn = atomic_load_explicit(&slot_at(oldest)->turn, memory_order_acquire);
    return turn == free_turn(oldest) + 1 ? &slot_at(oldest)->event : NULL;
}

void ring_pop(void)
{
    uint64_t oldest = atomic_load_explicit(&tail, memory_order_relaxed);
    atomic_store_explicit(&tail, oldest + 1, memory_order_relaxed);
    atomic_store_explicit(&slot_at(oldest)->turn, free_turn(oldest) + 2, memory_order_release);
}

uint64_t ring_waiting(void)
{
    return atomic_load_explicit(&head, memory_order_relaxed) -
           atomic_load_explicit(&tail, memory_order_relaxed);
}

void ring_empty(void)
{
    struct slot *all = atomic_load(&slots);
    atomic_store(&head, 0);
    atomic_store(&tail, 0);
    if (all != NULL) /* pages that are given back are zero when they are touched again */
        madvise(all, RING_SIZE * sizeof(struct slot), MADV_DONTNEED);
}
