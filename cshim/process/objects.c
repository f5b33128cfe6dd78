#define _GNU_SOURCE
#include "cshim/process/objects.h"

#include <stddef.h>
#include <sys/auxv.h>

#include "cshim/process/fork.h"

static void note_segments(struct object *object, const ElfW(Phdr) * segments, size_t count)
{
    object->start = UINTPTR_MAX;
    object->end = 0;
    for (size_t i = 0; i < count; i++) {
        uintptr_t first = object->base + segments[i].p_vaddr;
        if (segments[i].p_type == PT_DYNAMIC)
            object->dynamic = (const ElfW(Dyn) *)first;
        if (segments[i].p_type != PT_LOAD)
            continue;
        if (first < object->start)
            object->start = first;
        if (first + segments[i].p_memsz > object->end)
            object->end = first + segments[i].p_memsz;
    }
}

/* ---- from the dynamic linker ---- */

struct search {
    bool (*use)(const struct object *object, void *argument);
    void *argument;
};

static int use_object(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    const struct search *search = argument;
    struct object object = {.path = info->dlpi_name, .base = info->dlpi_addr};
    note_segments(&object, info->dlpi_phdr, info->dlpi_phnum);
    return search->use(&object, search->argument);
}

/* ---- without it ---- */

/*
 * The program itself is the first in the list, and the kernel tells where its segments are. Any other object is mapped
 * with its ELF header at the start.
 */
static bool describe(const struct link_map *map, struct object *object)
{
    *object = (struct object){.path = map->l_name, .base = map->l_addr};
    if (map->l_prev == NULL) {
        object->path = "";
        note_segments(object, (const ElfW(Phdr) *)getauxval(AT_PHDR), getauxval(AT_PHNUM));
        return true;
    }
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)map->l_addr;
    if (map->l_addr == 0)
        return false;
    note_segments(object, (const ElfW(Phdr) *)(map->l_addr + header->e_phoff), header->e_phnum);
    return true;
}

static bool find_in_list(const struct search *search)
{
    struct object object;
    if (_r_debug.r_state != RT_CONSISTENT)
        return false;
    for (const struct link_map *map = _r_debug.r_map; map != NULL; map = map->l_next)
        if (describe(map, &object) && search->use(&object, search->argument))
            return true;
    return false;
}

bool objects_find(bool (*use)(const struct object *object, void *argument), void *argument)
{
    struct search search = {use, argument};
    if (fork_has_locked_linker())
        return find_in_list(&search);
    return dl_iterate_phdr(use_object, &search) != 0;
}

/* ---- what is asked often ---- */

static int note_loads(struct dl_phdr_info *info, size_t size, void *loads)
{
    (void)size;
    *(unsigned long long *)loads = info->dlpi_adds;
    return 1;
}

unsigned long long objects_loads(void)
{
    unsigned long long loads = 0;
    if (!fork_has_locked_linker())
        dl_iterate_phdr(note_loads, &loads);
    return loads;
}

struct place {
    uintptr_t address;
    struct object *object;
};

static bool contains(const struct object *object, void *argument)
{
    const struct place *place = argument;
    if (place->address < object->start || place->address >= object->end)
        return false;
    *place->object = *object;
    return true;
}

bool objects_containing(const void *address, struct object *object)
{
    struct place place = {(uintptr_t)address, object};
    return objects_find(contains, &place);
}
