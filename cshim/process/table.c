#include "cshim/process/table.h"

#include <stdint.h>
#include <stdlib.h>

/*
 * Linear probing over a power of two of slots, of which half at least have no object. A slot without a value
 * was removed and may be given to another object. So whoever reads a value looks at the object once more.
 */
struct slot {
    _Atomic(const void *) object;
    _Atomic(void *) value;
};

struct table_slots {
    size_t mask;
    size_t used;                 /* slots that have an object, with a value or without */
    size_t held;                 /* slots that have a value too */
    struct table_slots *smaller; /* replaced by these; another thread may still read them */
    struct slot slots[];
};

enum { FEWEST = 16 };

static size_t home_of(const struct table_slots *slots, const void *object)
{
    return (size_t)(((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15U >> 32) & slots->mask;
}

/* The slot that has the object, or the first that has none. */
static struct slot *probe(struct table_slots *slots, const void *object)
{
    size_t i = home_of(slots, object);
    for (;; i = (i + 1) & slots->mask) {
        const void *found = atomic_load_explicit(&slots->slots[i].object, memory_order_acquire);
        if (found == object || found == NULL)
            return &slots->slots[i];
    }
}

void *table_find(struct table *table, const void *object)
{
    struct table_slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    if (slots == NULL)
        return NULL;
    struct slot *slot = probe(slots, object);
    void *value = atomic_load_explicit(&slot->value, memory_order_acquire);
    bool is_same = atomic_load_explicit(&slot->object, memory_order_acquire) == object;
    return is_same ? value : NULL;
}

static void fill(struct table_slots *slots, const void *object, void *value)
{
    struct slot *slot = probe(slots, object);
    atomic_store_explicit(&slot->value, value, memory_order_relaxed);
    atomic_store_explicit(&slot->object, object, memory_order_release);
    slots->used++;
    slots->held++;
}

/* Makes room for one more, in new slots: those without a value are not copied. */
static struct table_slots *grow(struct table *table, struct table_slots *slots)
{
    size_t size = slots == NULL ? FEWEST : slots->mask + 1;
    if (slots != NULL && slots->held >= size / 4)
        size *= 2;
    struct table_slots *fresh = calloc(1, sizeof(*fresh) + size * sizeof(fresh->slots[0]));
    if (fresh == NULL)
        return NULL;
    fresh->mask = size - 1;
    fresh->smaller = slots;
    for (size_t i = 0; slots != NULL && i <= slots->mask; i++) {
        void *value = atomic_load_explicit(&slots->slots[i].value, memory_order_relaxed);
        if (value != NULL)
            fill(fresh, atomic_load(&slots->slots[i].object), value);
    }
    atomic_store_explicit(&table->slots, fresh, memory_order_release);
    return fresh;
}

/* The first removed slot that a search for the object would pass, or NULL. */
static struct slot *removed_slot(struct table_slots *slots, const void *object)
{
    for (size_t i = home_of(slots, object);; i = (i + 1) & slots->mask) {
        struct slot *slot = &slots->slots[i];
        if (atomic_load(&slot->object) == NULL)
            return NULL;
        if (atomic_load(&slot->value) == NULL)
            return slot;
    }
}

bool table_put(struct table *table, const void *object, void *value)
{
    struct table_slots *slots = atomic_load(&table->slots);
    struct slot *slot = slots != NULL ? probe(slots, object) : NULL;
    if (slot != NULL && atomic_load(&slot->object) == object) {
        slots->held += atomic_load(&slot->value) == NULL;
        atomic_store_explicit(&slot->value, value, memory_order_release);
        return true;
    }
    slot = slots != NULL ? removed_slot(slots, object) : NULL;
    if (slot != NULL) {
        atomic_store(&slot->object, object);
        atomic_store(&slot->value, value);
        slots->held++;
        return true;
    }
    if (slots == NULL || 2 * (slots->used + 1) > slots->mask + 1)
        slots = grow(table, slots);
    if (slots == NULL)
        return false;
    fill(slots, object, value);
    return true;
}

/* Removed slots at the end of a row of used ones are free again: no search goes on behind them. */
static void free_removed(struct table_slots *slots, size_t i)
{
    if (atomic_load(&slots->slots[(i + 1) & slots->mask].object) != NULL)
        return;
    while (atomic_load(&slots->slots[i].object) != NULL &&
           atomic_load(&slots->slots[i].value) == NULL) {
        atomic_store(&slots->slots[i].object, NULL);
        slots->used--;
        i = (i - 1) & slots->mask;
    }
}

void table_remove(struct table *table, const void *object)
{
    struct table_slots *slots = atomic_load(&table->slots);
    struct slot *slot = slots != NULL ? probe(slots, object) : NULL;
    if (slot == NULL || atomic_load(&slot->object) != object || atomic_load(&slot->value) == NULL)
        return;
    atomic_store(&slot->value, NULL);
    slots->held--;
    free_removed(slots, (size_t)(slot - slots->slots));
}
