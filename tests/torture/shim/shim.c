/* Preloaded into a program (LD_PRELOAD), it lets one call of the program and its libraries fail, or
 * fall short. Its order is $SAM_FAULT, or what the mapped file $SAM_FAULT_BOARD holds at the
 * moment. Counting begins when the shim is loaded, a moment before main. */
#define _GNU_SOURCE
#include "order.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { A_DAY = 24 * 60 * 60 };

static struct fault_board own_board = {.call = FAULT_CALL_COUNT};
static struct fault_board *board = &own_board;

/* Where the program itself lies. */
static uintptr_t own_first = UINTPTR_MAX, own_last;

/* The first that is told of is the program. */
static int find_program(struct dl_phdr_info *found, size_t size, void *context) {
    (void)size, (void)context;
    for (size_t i = 0; i < found->dlpi_phnum; i++) {
        if (found->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        uintptr_t first = found->dlpi_addr + found->dlpi_phdr[i].p_vaddr;
        uintptr_t last = first + found->dlpi_phdr[i].p_memsz;
        own_first = first < own_first ? first : own_first;
        own_last = last > own_last ? last : own_last;
    }
    return 1;
}

__attribute__((constructor)) static void begin(void) {
    const char *order = getenv("SAM_FAULT"), *path = getenv("SAM_FAULT_BOARD");
    int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        void *mapped = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED)
            board = mapped;
        close(fd);
    }
    dl_iterate_phdr(find_program, NULL);
    if (order != NULL && !fault_order(board, order))
        abort();
}

/* The world changes while the program looks away. */
static void run_command(void) {
    char *command = getenv("SAM_FAULT_RUN");
    char *words[] = {"/bin/sh", "-c", command, NULL};
    char *environment[] = {"PATH=/usr/bin:/bin", NULL};
    pid_t child;
    int reason = errno;
    if (posix_spawn(&child, words[0], NULL, NULL, words, environment) == 0)
        waitpid(child, NULL, 0);
    errno = reason;
}

/* What befalls this call of that function. */
static int fate(enum fault_call call) {
    if (board->call != (int)call)
        return FAULT_NOTHING;
    unsigned long now = ++board->count, nth = board->nth;
    if (nth == 0 || (board->on ? now < nth : now != nth))
        return FAULT_NOTHING;
    int action = board->action;
    if (action == FAULT_RUN)
        run_command();
    if (action > 0)
        errno = action;
    return action;
}

#define NEXT(name) (next != NULL ? next : (*(void **)&next = dlsym(RTLD_NEXT, #name), next))

/* Stands before a function: fails as call, or lets through. */
#define STAND_BEFORE(result, name, call, failed, parameters, arguments)                            \
    result name parameters {                                                                       \
        static result(*next) parameters;                                                           \
        return fate(FAULT_##call) > 0 ? (failed) : NEXT(name) arguments;                           \
    }

/* Whether an allocation fails that this code asked for. */
static bool is_refused(const void *caller) {
    uintptr_t at = (uintptr_t)caller;
    if (board->call == FAULT_own_malloc)
        return at >= own_first && at < own_last && fate(FAULT_own_malloc) > 0;
    return fate(FAULT_malloc) > 0;
}

#define REFUSE_MEMORY(name, parameters, arguments)                                                 \
    void *name parameters {                                                                        \
        static void *(*next)parameters;                                                            \
        return is_refused(__builtin_return_address(0)) ? NULL : NEXT(name) arguments;              \
    }

REFUSE_MEMORY(malloc, (size_t size), (size))
REFUSE_MEMORY(calloc, (size_t count, size_t size), (count, size))
REFUSE_MEMORY(realloc, (void *at, size_t size), (at, size))
REFUSE_MEMORY(aligned_alloc, (size_t alignment, size_t size), (alignment, size))

STAND_BEFORE(int, poll, poll, -1, (struct pollfd * polled, nfds_t count, int timeout),
             (polled, count, timeout))
STAND_BEFORE(int, accept, accept, -1, (int fd, __SOCKADDR_ARG from, socklen_t *restrict n),
             (fd, from, n))
STAND_BEFORE(int, connect, connect, -1, (int fd, __CONST_SOCKADDR_ARG to, socklen_t n), (fd, to, n))
STAND_BEFORE(int, socket, socket, -1, (int domain, int type, int protocol),
             (domain, type, protocol))
STAND_BEFORE(int, fsync, fsync, -1, (int fd), (fd))
STAND_BEFORE(int, rename, rename, -1, (const char *from, const char *to), (from, to))
STAND_BEFORE(int, link, link, -1, (const char *from, const char *to), (from, to))
STAND_BEFORE(int, fstat, fstat, -1, (int fd, struct stat *file), (fd, file))
STAND_BEFORE(DIR *, opendir, opendir, NULL, (const char *path), (path))
STAND_BEFORE(struct dirent *, readdir, readdir, NULL, (DIR * listing), (listing))
STAND_BEFORE(int, pipe, pipe, -1, (int ends[2]), (ends))
STAND_BEFORE(int, pthread_create, pthread_create, EAGAIN,
             (pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
              void *(*start)(void *), void *restrict argument),
             (thread, attributes, start, argument))

/* A pipe that is ours at both ends passes a few bytes whole, and never fails. */
static bool is_pipe(int fd) {
    struct stat file;
    struct stat *at = &file;
    return syscall(SYS_fstat, fd, at) == 0 && S_ISFIFO(file.st_mode);
}

#define STAND_BEFORE_BYTES(name, fd, size, parameters, arguments)                                  \
    ssize_t name parameters {                                                                      \
        static ssize_t(*next) parameters;                                                          \
        bool spared = board->call == FAULT_##name && is_pipe(fd);                                  \
        int what = spared ? FAULT_NOTHING : fate(FAULT_##name);                                    \
        if (what > 0)                                                                              \
            return -1;                                                                             \
        if (what == FAULT_SHORT && (size) > 1)                                                     \
            size = 1;                                                                              \
        return NEXT(name) arguments;                                                               \
    }

STAND_BEFORE_BYTES(read, fd, size, (int fd, void *data, size_t size), (fd, data, size))
STAND_BEFORE_BYTES(write, fd, size, (int fd, const void *data, size_t size), (fd, data, size))
STAND_BEFORE_BYTES(recv, fd, size, (int fd, void *data, size_t size, int flags),
                   (fd, data, size, flags))
STAND_BEFORE_BYTES(send, fd, size, (int fd, const void *data, size_t size, int flags),
                   (fd, data, size, flags))

/* Whatever it says, the descriptor is gone. */
int close(int fd) {
    static int (*next)(int fd);
    int what = fate(FAULT_close);
    int closed = NEXT(close)(fd);
    if (what > 0)
        errno = what;
    return what > 0 ? -1 : closed;
}

int open(const char *path, int flags, ...) {
    static int (*next)(const char *path, int flags, ...);
    va_list more;
    va_start(more, flags);
    mode_t permissions = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return fate(FAULT_open) > 0 ? -1 : NEXT(open)(path, flags, permissions);
}

/* What open becomes where its flags are checked at run time. */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags) {
    return open(path, flags);
}

int fcntl(int fd, int command, ...) {
    static int (*next)(int fd, int command, ...);
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return fate(FAULT_fcntl) > 0 ? -1 : NEXT(fcntl)(fd, command, argument);
}

/* By how much the clock that people set is wrong now. */
static time_t clock_shift(void) {
    bool set = board->call == FAULT_clock && board->nth > 0 && board->count >= board->nth;
    if (!set)
        return 0;
    return board->action == FAULT_DAY ? A_DAY : board->action == FAULT_BACK ? -A_DAY : 0;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*next)(clockid_t which, struct timespec * now);
    int problem = NEXT(clock_gettime)(which, now);
    if (problem == 0 && which == CLOCK_REALTIME) {
        fate(FAULT_clock);
        now->tv_sec += clock_shift();
    }
    return problem;
}

/* Who sleeps by that clock must be woken by it. */
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock,
                           const struct timespec *restrict until) {
    static int (*next)(pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock,
                       const struct timespec *restrict until);
    struct timespec then = *until;
    if (then.tv_sec > A_DAY * 365) /* so it counts from 1970, not from the machine's start */
        then.tv_sec -= clock_shift();
    return NEXT(pthread_cond_timedwait)(condition, lock, &then);
}
