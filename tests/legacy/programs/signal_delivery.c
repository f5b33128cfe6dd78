/*
 * A signal sent to the process reaches a thread of the program: who waits for one wakes up, and
 * what is to be interrupted is interrupted.
 */
#include "legacy.h"
#include <dirent.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>

static struct house house;
static volatile sig_atomic_t caught;
static pthread_t main_thread;
static volatile sig_atomic_t elsewhere;

static void on_signal(int number UNUSED)
{
    if (!pthread_equal(pthread_self(), main_thread))
        elsewhere++;
    caught++;
}

static void handle(int number, int flags)
{
    struct sigaction action = {.sa_flags = flags};
    action.sa_handler = on_signal;
    sigaction(number, &action, NULL);
}

static void every(int timer, long microseconds)
{
    struct itimerval interval = {{0, microseconds}, {0, microseconds}};
    setitimer(timer, &interval, NULL);
}

static sigset_t only(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

/* How many threads of this process would take the signal. */
static int takers_of(int number)
{
    int takers = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
        char path[300], line[128];
        snprintf(path, sizeof(path), "/proc/self/task/%s/status", task->d_name);
        FILE *status = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (status != NULL && fgets(line, sizeof(line), status) != NULL)
            if (strncmp(line, "SigBlk:", 7) == 0)
                takers += (strtoull(line + 7, NULL, 16) >> (number - 1) & 1) == 0;
        if (status != NULL)
            fclose(status);
    }
    if (tasks != NULL)
        closedir(tasks);
    return takers;
}

static void show_takers(void)
{
    const int numbers[] = {SIGHUP,  SIGINT,  SIGTERM, SIGUSR1, SIGALRM,   SIGCHLD,
                           SIGPIPE, SIGPROF, SIGURG,  SIGIO,   SIGVTALRM, SIGRTMIN};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        printf("threads that take signal %d: %d\n", numbers[i], takers_of(numbers[i]));
}

/* Waits for signals in every way, many times over. */
static void wait_for_timer(void)
{
    sigset_t block = only(SIGALRM), before;
    int number;
    handle(SIGALRM, 0);
    every(ITIMER_REAL, 1000);
    for (caught = 0; caught < 100;)
        pause();
    printf("pause wakes\n");
    sigprocmask(SIG_BLOCK, &block, &before);
    for (caught = 0; caught < 100;) {
        churn(house.server, 0, 1);
        sigsuspend(&before);
    }
    printf("sigsuspend wakes\n");
    for (int i = 0; i < 100; i++)
        if (sigwait(&block, &number) != 0 || number != SIGALRM)
            printf("sigwait fails\n");
    printf("sigwait wakes\n");
    for (caught = 0; caught < 100;)
        if (ppoll(NULL, 0, NULL, &before) != -1 || errno != EINTR)
            printf("ppoll: %s\n", strerror(errno));
    printf("ppoll is interrupted\n");
    every(ITIMER_REAL, 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void start_child(void)
{
    pid_t pid = fork_clean();
    if (pid == 0)
        _exit(0);
}

/* The end of a child, as servers wait for it: blocked, and taken when there is time. */
static void wait_for_children(void)
{
    sigset_t block = only(SIGCHLD), before;
    int number, taken = 0;
    sigprocmask(SIG_BLOCK, &block, &before);
    for (int i = 0; i < 20; i++) {
        struct timespec limit = {5, 0};
        start_child();
        taken += sigtimedwait(&block, NULL, &limit) == SIGCHLD;
        waitpid(-1, &number, 0);
    }
    printf("sigtimedwait took %d SIGCHLD\n", taken);

    int descriptor = signalfd(-1, &block, SFD_CLOEXEC);
    struct signalfd_siginfo info;
    struct pollfd watched = {.fd = descriptor, .events = POLLIN};
    taken = 0;
    for (int i = 0; i < 20; i++) {
        start_child();
        taken += poll(&watched, 1, 5000) == 1 && read(descriptor, &info, sizeof(info)) > 0;
        waitpid(-1, &number, 0);
    }
    close(descriptor);
    printf("signalfd read %d SIGCHLD\n", taken);

    handle(SIGCHLD, 0);
    elsewhere = 0;
    taken = 0;
    for (int i = 0; i < 20; i++) {
        struct timespec limit = {5, 0};
        caught = 0;
        start_child();
        churn(house.server, 0, 20);
        rest(3); /* the child has ended, and its signal waits for us */
        printf("%s", caught != 0 ? "SIGCHLD came where it was blocked\n" : "");
        taken += ppoll(NULL, 0, &limit, &before) == -1 && errno == EINTR;
        waitpid(-1, &number, 0);
    }
    printf("ppoll was interrupted by %d SIGCHLD, %d ran in another thread\n", taken,
           (int)elsewhere);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Profiling: each tick belongs to a thread of the program. */
static void profile(void)
{
    handle(SIGPROF, SA_RESTART);
    elsewhere = 0;
    every(ITIMER_PROF, 1000);
    for (caught = 0; caught < 100;)
        churn(house.server, 0, 10);
    every(ITIMER_PROF, 0);
    printf("ticks that ran in another thread: %d\n", (int)elsewhere);
    sigset_t block = only(SIGPROF), before;
    sigprocmask(SIG_BLOCK, &block, &before);
    caught = 0;
    kill(getpid(), SIGPROF);
    churn(house.server, 0, 500);
    printf("SIGPROF caught while blocked: %d", (int)caught);
    sigprocmask(SIG_SETMASK, &before, NULL);
    printf(", then %d\n", (int)caught);
}

/* A read that no byte ever comes for. */
static void *send_later(void *argument)
{
    rest(30);
    if (*(int *)argument >= 0 && write(*(int *)argument, "x", 1) != 1)
        abort();
    return NULL;
}

static void interrupt_read(const char *title, int interrupts)
{
    int ends[2];
    char byte;
    sigset_t block = only(SIGALRM);
    pthread_t thread;
    if (pipe(ends) != 0)
        abort();
    signal(SIGALRM, on_signal);
    siginterrupt(SIGALRM, interrupts);
    pthread_sigmask(SIG_BLOCK, &block, NULL);
    pthread_create(&thread, NULL, send_later, interrupts ? &(int){-1} : &ends[1]);
    pthread_sigmask(SIG_UNBLOCK, &block, NULL);
    every(ITIMER_REAL, 10000);
    ssize_t got = read(ends[0], &byte, 1);
    printf("%s: %ld %s\n", title, (long)got, got < 0 ? strerror(errno) : "");
    every(ITIMER_REAL, 0);
    pthread_join(thread, NULL);
    siginterrupt(SIGALRM, 0);
    close(ends[0]);
    close(ends[1]);
}

static void break_pipe(void *argument)
{
    int ends[2];
    sighandler_t handler = *(sighandler_t *)argument;
    add_numbered(house.server, 0, 3);
    signal(SIGPIPE, handler);
    add_numbered(house.server, 3, 3);
    if (pipe(ends) != 0)
        abort();
    close(ends[0]);
    caught = 0;
    ssize_t written = write(ends[1], "x", 1);
    printf("write to a broken pipe: %ld %s, caught %d\n", (long)written, strerror(errno),
           (int)caught);
}

static void send_urgent(sighandler_t handler)
{
    int ends[2];
    signal(SIGURG, handler);
    caught = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        abort();
    kill(getpid(), SIGURG);
    churn(house.server, 0, 100);
    printf("SIGURG caught: %d\n", (int)caught);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    house = open_house(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(house.server, NULL);
    main_thread = pthread_self();
    fill_house(&house);
    add_numbered(house.server, 1000, 20000); /* the core has as many threads as it ever needs */
    keeper_is(OURS, house.server);
    show_takers();
    wait_for_timer();
    wait_for_children();
    profile();
    interrupt_read("read that is to be interrupted", 1);
    interrupt_read("read that is to be restarted", 0);
    sighandler_t handlers[] = {SIG_DFL, SIG_IGN, on_signal};
    for (int i = 0; i < 3; i++)
        in_child("broken pipe", break_pipe, &handlers[i]);
    send_urgent(SIG_DFL);
    send_urgent(SIG_IGN);
    send_urgent(on_signal);
    revisit("again", house.client, house.server, house.kept[0]);
    close_house(&house);
    return 0;
}
