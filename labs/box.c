/* setgroups, MAP_ANON and RLIMIT_NPROC are not in POSIX. */
#define _DEFAULT_SOURCE  /* NOLINT: a name of the system's */
#define _DARWIN_C_SOURCE /* NOLINT */
#include "box.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tests/peer.h"
#include "grader.h"
#include "net.h"

enum {
    MEMORY = 1 << 30,    /* bytes of address space: a sanitizer needs more */
    FILE_SIZE = 1 << 20, /* bytes */
    NOBODY = 65534,      /* and the ids below: each grading has its own */
    NOBODIES = 1000,
    PRINTED_LINES = 20, /* of what a student's function prints */
    PRINTED_COLUMNS = 100,
    DESCRIPTORS = 256
};

/* What the judge learns of a box besides its exit. */
struct box_end {
    bool returned;
    char problem[256]; /* why work was not even begun; "" otherwise */
};

static void *code;             /* in the box: the student's, loaded */
static struct box_end *my_end; /* in the box */

static _Noreturn void cannot_begin(const char *what, const char *why) {
    snprintf(my_end->problem, sizeof my_end->problem, "%s: %s", what, why);
    _exit(1);
}

void (*box_function(const char *name))(void) {
    void (*function)(void) = NULL;
    void *symbol = dlsym(code, name);
    if (symbol == NULL)
        cannot_begin(name, "your file has no function of this name");
    memcpy(&function, &symbol, sizeof function); /* ISO C has no cast for it */
    return function;
}

/* A run of pages that processes share, between two that nobody may touch. */
struct shared {
    uint8_t *pages;
    size_t size; /* with the two */
};

static struct shared hidden; /* from boxes */

/* The memory ends where the last page begins: who writes on and on gets no further than his own. */
static void *share(struct shared *shared, size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t between = (size + page - 1) / page * page, used = (size + 15) / 16 * 16;
    shared->size = page + between + page;
    shared->pages = mmap(NULL, shared->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
    if (shared->pages == MAP_FAILED || mprotect(shared->pages, page, PROT_NONE) != 0 ||
        mprotect(shared->pages + page + between, page, PROT_NONE) != 0) {
        perror("grade: mmap"); /* no ck_assert: also called where no check is running */
        exit(2);
    }
    return shared->pages + page + between - used;
}

void *box_shared(size_t size) {
    struct shared shared;
    return share(&shared, size);
}

void *judge_shared(size_t size) {
    return share(&hidden, size);
}

static void need(bool done, const char *what) {
    if (!done)
        cannot_begin(what, strerror(errno));
}

/* Soft below hard: who comes to the soft one is told by a signal what it was. */
static void limit(int resource, rlim_t most) {
    need(setrlimit(resource, &(struct rlimit){most, most + 1}) == 0, "setrlimit");
}

/* What the student prints goes to a file of the box's; there is nothing to read. */
static void redirect(int printed) {
    int nothing = open("/dev/null", O_RDONLY);
    need(nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(printed, STDOUT_FILENO) >= 0 &&
             dup2(printed, STDERR_FILENO) >= 0,
         "dup2");
    setvbuf(stdout, NULL, _IOLBF, 0); /* also what is printed just before a crash is told */
}

static void close_others(const int *fds) {
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++) {
        bool kept = false;
        for (const int *mine = fds; mine != NULL && *mine >= 0; mine++)
            kept = kept || *mine == fd;
        if (!kept)
            close(fd);
    }
}

/* No limit on processes binds root, so a box of root's is nobody's: before any line of the
 * student's runs, a constructor's too. The way to the folder may be root's alone, the folder is
 * not. */
static void load_as_nobody(void) {
    need(chdir(student_folder()) == 0, "chdir");
    uid_t mine = (uid_t)(NOBODY - getsid(0) % NOBODIES);
    if (geteuid() == 0)
        need(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(mine) == 0, "setuid");
    code = dlopen(student_code(), RTLD_NOW | RTLD_LOCAL);
    if (code == NULL)
        cannot_begin("your file was compiled, but cannot be loaded", dlerror());
}

static _Noreturn void inside(void (*work)(void *), void *shared, const int *fds, int printed) {
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL); /* not Check's, which would end our siblings */
    signal(SIGPIPE, SIG_IGN);    /* a peer that is gone is a failed write */
    signal(SIGXFSZ, SIG_IGN);    /* and so is a file that grows too long */
    need(munmap(hidden.pages, hidden.size) == 0, "munmap");
    redirect(printed);
    close_others(fds);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)(student_time() / SAM_SECOND) + 1);
    limit(RLIMIT_FSIZE, FILE_SIZE);
#ifndef __APPLE__ /* where a process begins with more address space than this */
    if (!SANITIZED)
        limit(RLIMIT_AS, MEMORY);
#endif
    need(setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0}) == 0, "setrlimit");
    load_as_nobody();
    work(shared);
    fflush(NULL);
    my_end->returned = true;
    _exit(0);
}

/* A file without a name. */
static int unnamed_file(void) {
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    int fd = dup(fileno(file));
    fclose(file);
    ck_assert_int_ge(fd, 0);
    return fd;
}

struct box box_start(const char *function, void (*work)(void *shared), void *shared,
                     const int *fds) {
    if (!student_has_code())
        lose("a file that compiles", "errors: they stand above");
    struct box box = {.function = function, .printed = unnamed_file()};
    box.end = box_shared(sizeof *box.end);
    box.deadline = sam_now() + student_time();
    fflush(NULL);
    box.pid = fork();
    if (box.pid == 0) {
        my_end = box.end;
        inside(work, shared, fds, box.printed);
    }
    ck_assert_int_gt(box.pid, 0);
    return box;
}

/* The beginning of what the student printed becomes part of the story. */
static void tell_printed(int fd) {
    char line[PRINTED_COLUMNS];
    FILE *printed = fdopen(fd, "r");
    ck_assert_ptr_nonnull(printed);
    rewind(printed);
    for (int i = 0; i < PRINTED_LINES && fgets(line, sizeof line, printed) != NULL; i++)
        tell_line(line);
    if (fgetc(printed) != EOF)
        tell_line("...");
    fclose(printed);
}

void box_finish(struct box *box) {
    siginfo_t info = {0};
    int how = 0;
    bool late = false;
    while (!late && waitid(P_PID, (id_t)box->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != box->pid)
        late = !nap_until(box->deadline);
    kill(box->pid, SIGKILL);
    ck_assert_int_eq(waitpid(box->pid, &how, 0), box->pid);
    tell_printed(box->printed);
    bool slow = late || (WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU);
    if (box->end->problem[0] != '\0')
        lose("a function to call", "%s", box->end->problem);
    if (slow)
        lose("an end", "%s() still running after %d seconds", box->function,
             (int)(student_time() / SAM_SECOND));
    if (WIFSIGNALED(how))
        lose("a result", "a crash: %s in %s()", strsignal(WTERMSIG(how)), box->function);
    if (!box->end->returned)
        lose("a result", "exit(%d): %s() ended its process instead of returning", WEXITSTATUS(how),
             box->function);
}

void box_call(const char *function, void (*work)(void *shared), void *shared) {
    struct box box = box_start(function, work, shared, NULL);
    box_finish(&box);
}
