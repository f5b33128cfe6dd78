/* older.c - functions of newer glibcs for a library that is to need an older one (see tools/glibc). What the
 * library is made of calls them under their own names; those of the older glibc that are called here have
 * the names that they have there. `make release` links it, and nothing exports it. */
#include <stddef.h>
#include <sys/types.h>

#define HIDDEN __attribute__((visibility("hidden")))

struct stat;
struct timespec {
    long tv_sec;
    long tv_nsec;
};
typedef union sem sem_t;

long syscall(long number, ...);
int clock_gettime(int clock, struct timespec *now);
int sem_timedwait(sem_t *semaphore, const struct timespec *until);
void *memset(void *memory, int byte, size_t length);

#ifdef __x86_64__
enum { GETTID = 186, NEWFSTATAT = 262, GETRANDOM = 318, MEMFD_CREATE = 319 };
#elif defined(__aarch64__)
enum { GETTID = 178, NEWFSTATAT = 79, GETRANDOM = 278, MEMFD_CREATE = 279 };
#else
#error "the numbers of the system calls are not known here"
#endif
enum { HERE = -100 /* AT_FDCWD */, NO_FOLLOW = 0x100, EMPTY_PATH = 0x1000 };

/* ---- stat(2): functions of their own since 2.33. The kernel's struct stat is glibc's on both processors. ---- */

HIDDEN int stat(const char *path, struct stat *status)
{
    return (int)syscall(NEWFSTATAT, HERE, path, status, 0);
}

HIDDEN int lstat(const char *path, struct stat *status)
{
    return (int)syscall(NEWFSTATAT, HERE, path, status, NO_FOLLOW);
}

HIDDEN int fstat(int file, struct stat *status)
{
    return (int)syscall(NEWFSTATAT, file, "", status, EMPTY_PATH);
}

HIDDEN int fstatat(int folder, const char *path, struct stat *status, int flags)
{
    return (int)syscall(NEWFSTATAT, folder, path, status, flags);
}

/* ---- system calls: since 2.25, 2.27 and 2.30 ---- */

HIDDEN ssize_t getrandom(void *bytes, size_t length, unsigned flags)
{
    return syscall(GETRANDOM, bytes, length, flags);
}

HIDDEN int memfd_create(const char *name, unsigned flags)
{
    return (int)syscall(MEMFD_CREATE, name, flags);
}

HIDDEN pid_t gettid(void)
{
    return (pid_t)syscall(GETTID);
}

/* ---- explicit_bzero(3), since 2.25 ---- */

HIDDEN void explicit_bzero(void *memory, size_t length)
{
    memset(memory, 0, length);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* ---- sem_clockwait(3), since 2.30: until the same time on the clock that sem_timedwait(3) knows ---- */

HIDDEN int sem_clockwait(sem_t *semaphore, int clock, const struct timespec *until)
{
    const long second = 1000000000;
    struct timespec now, realtime;
    if (clock_gettime(clock, &now) != 0 || clock_gettime(0 /* CLOCK_REALTIME */, &realtime) != 0)
        return -1;
    realtime.tv_sec += until->tv_sec - now.tv_sec;
    realtime.tv_nsec += until->tv_nsec - now.tv_nsec;
    if (realtime.tv_nsec < 0) {
        realtime.tv_nsec += second;
        realtime.tv_sec--;
    } else if (realtime.tv_nsec >= second) {
        realtime.tv_nsec -= second;
        realtime.tv_sec++;
    }
    return sem_timedwait(semaphore, &realtime);
}

/* ---- what the headers of 2.38 and later make of strtol(3) and its like, which know binary numbers too ---- */

long strtol(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);

HIDDEN long __isoc23_strtol(const char *text, char **end, int base)
{
    return strtol(text, end, base);
}

HIDDEN long long __isoc23_strtoll(const char *text, char **end, int base)
{
    return strtol(text, end, base);
}

HIDDEN unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
    return strtoul(text, end, base);
}

HIDDEN unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
    return strtoul(text, end, base);
}
