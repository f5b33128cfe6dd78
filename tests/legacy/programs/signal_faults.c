/* The faults of the program are the program's: its handlers get them, or they end it. */
#include "legacy.h"
#include <setjmp.h>
#include <stdbool.h>
#include <sys/mman.h>

static sigjmp_buf back;
static siginfo_t seen;
static struct house house;

static void on_fault(int number UNUSED, siginfo_t *info, void *state UNUSED)
{
    seen = *info;
    siglongjmp(back, 1);
}

static void install(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    action.sa_sigaction = on_fault;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
}

static volatile int zero;
static volatile int *nowhere = (volatile int *)0x18;
static volatile char *beyond;

static void touch_nowhere(void)
{
    *nowhere = 1;
}

static void touch_beyond(void)
{
    beyond[0] = 1;
}

static void divide(void)
{
    zero = 1 / zero;
}

static void execute_nothing(void)
{
    __asm__ volatile("ud2");
}

static void fault(const char *title, void (*cause)(void))
{
    if (sigsetjmp(back, 1) == 0) {
        cause();
        printf("%s: nothing\n", title);
        return;
    }
    bool is_beyond = seen.si_addr == (void *)beyond;
    printf("%s: signal %d code %d address %s\n", title, seen.si_signo, seen.si_code,
           seen.si_addr == (void *)nowhere ? "nowhere"
           : is_beyond                     ? "beyond"
                                           : "in the code");
}

static void all_faults(const char *title)
{
    printf("--- %s\n", title);
    fault("touch nowhere", touch_nowhere);
    fault("touch beyond the file", touch_beyond);
    fault("divide by zero", divide);
    fault("execute nothing", execute_nothing);
}

static void *in_thread(void *argument UNUSED)
{
    add_numbered(house.server, 500, 5);
    all_faults("in a thread inside the cache");
    return NULL;
}

static void die_of(void *cause)
{
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
    add_numbered(house.server, 600, 5);
    (*(void (**)(void))cause)();
}

static void terminate(void)
{
    raise(SIGTERM);
}

static void quit_by_default(void)
{
    raise(SIGPROF);
}

int main(void)
{
    FILE *file = tmpfile();
    if (file == NULL)
        abort();
    beyond = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    house = open_house(TLS1_2_VERSION);
    install();
    all_faults("before the first session");
    fill_house(&house);
    all_faults("after the first session");
    install();
    all_faults("installed anew");
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    static void (*const deadly[])(void) = {
        touch_nowhere, touch_beyond, divide, execute_nothing, abort, terminate, quit_by_default};
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        in_child("by default", die_of, (void *)&deadly[i]);
    revisit("again", house.client, house.server, house.kept[0]);
    keeper_is(OURS, house.server);
    close_house(&house);
    return 0;
}
