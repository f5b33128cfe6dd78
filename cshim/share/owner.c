#define _GNU_SOURCE
#include "cshim/share/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A word has, from the top: 22 bits of the process's number, 10 of its namespace, 32 of its start. The last two are 0
 * where they are not known.
 */
enum { NUMBER_SHIFT = 42, SPACE_SHIFT = 32, SPACE_MASK = 0x3ff };

static _Atomic uint64_t self; /* of this process, or of the one that it was forked from */

/* By syscall(2), since open(2) and the others of libc are cancellation points. */
static ssize_t read_whole(const char *path, char *text, size_t size)
{
    long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    long length = syscall(SYS_read, file, text, size - 1);
    syscall(SYS_close, file);
    if (length >= 0)
        text[length] = '\0';
    return length;
}

struct process {
    char state;
    long threads;
    unsigned long long start; /* clock ticks since the machine was started; 0: not known */
};

/* proc_pid_stat(5): the name in brackets may have anything in it, the fields stand behind the last one. */
static bool look_up(long number, struct process *process)
{
    enum { STATE = 3, THREADS = 20, START = 22 };
    char path[32], text[1024];
    snprintf(path, sizeof(path), "/proc/%ld/stat", number);
    if (read_whole(path, text, sizeof(text)) <= 0)
        return false;
    char *field = strrchr(text, ')');
    for (int i = STATE; field != NULL && i <= START; i++) {
        field = strchr(field, ' ');
        if (field == NULL)
            return false;
        field++;
        if (i == STATE)
            process->state = *field;
        if (i == THREADS)
            process->threads = strtol(field, NULL, 10);
        if (i == START)
            process->start = strtoull(field, NULL, 10);
    }
    return field != NULL;
}

/* The namespace of process numbers that this process is in, 1 to SPACE_MASK; 0: not known. */
static uint64_t own_space(void)
{
    struct stat space;
    if (stat("/proc/self/ns/pid", &space) != 0)
        return 0;
    return 1 + ((uint64_t)space.st_ino ^ (uint64_t)space.st_ino >> 10) % SPACE_MASK;
}

static uint64_t make_word(long number)
{
    struct process process = {.start = 0};
    int saved_errno = errno;
    uint64_t word = (uint64_t)number << NUMBER_SHIFT;
    if (look_up(number, &process))
        word |= own_space() << SPACE_SHIFT | (uint32_t)process.start;
    errno = saved_errno;
    return word;
}

uint64_t owner_self(void)
{
    long number = getpid();
    uint64_t word = atomic_load_explicit(&self, memory_order_relaxed);
    if ((long)(word >> NUMBER_SHIFT) == number)
        return word;
    word = make_word(number);
    atomic_store_explicit(&self, word, memory_order_relaxed);
    return word;
}

/* A zombie. With more than one thread it is a process whose first thread has ended. */
static bool has_ended(const struct process *process)
{
    return (process->state == 'Z' || process->state == 'X') && process->threads <= 1;
}

static bool is_dead(uint64_t word)
{
    long number = (long)(word >> NUMBER_SHIFT);
    uint64_t space = word >> SPACE_SHIFT & SPACE_MASK;
    struct process process = {.start = 0};
    if (number == 0)
        return true; /* we write no such word: something else has */
    if (space != (owner_self() >> SPACE_SHIFT & SPACE_MASK))
        return false;
    if (kill((pid_t)number, 0) != 0 && errno == ESRCH)
        return true;
    if (space == 0 || !look_up(number, &process))
        return false;
    return has_ended(&process) || (uint32_t)process.start != (uint32_t)word;
}

bool owner_is_dead(uint64_t word)
{
    int saved_errno = errno;
    bool dead = is_dead(word);
    errno = saved_errno;
    return dead;
}

void owner_fork_child(void)
{
    atomic_store_explicit(&self, 0, memory_order_relaxed);
}
