#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "net.h"

enum {
    NAP_NS = 2000000,
    WORDS = 64, /* of a command line */
    PRIVATE = 0600,
    PUBLIC = 0644
};

/* Generous: a sanitizer or valgrind on a busy machine still makes it. */
#define PATIENCE (60 * SAM_SECOND)

void run_result_free(struct run_result *result) {
    sam_bytes_free(&result->out);
    sam_bytes_free(&result->err);
}

bool nap_until(int64_t deadline) {
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
    return sam_now() < deadline;
}

size_t count_text(const struct sam_bytes *haystack, const char *text) {
    size_t count = 0;
    for (const char *at = (const char *)haystack->data; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* A file without a name, which no other process inherits. */
static int unnamed_file(void) {
    FILE *file = tmpfile();
    ck_assert_msg(file != NULL, "cannot make a temporary file");
    int fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    ck_assert_int_ge(fd, 0);
    fclose(file);
    return fd;
}

/* The other end of these files has the offset of its own writes in mind: never move it. */
static struct sam_bytes content(int fd) {
    struct sam_bytes bytes = {0};
    char chunk[4096];
    ssize_t n;
    while ((n = pread(fd, chunk, sizeof chunk, (off_t)bytes.length)) > 0)
        ck_status(sam_bytes_append(&bytes, chunk, (size_t)n), SAM_OK);
    ck_assert_int_eq(n, 0);
    ck_status(sam_bytes_append(&bytes, "", 1), SAM_OK);
    bytes.length--;
    return bytes;
}

struct sam_bytes process_out(const struct process *process) {
    return content(process->out);
}

struct sam_bytes process_err(const struct process *process) {
    return content(process->err);
}

struct shortage shortage;

/* In the child. */
static bool run_short(void) {
    const struct rlimit most = {shortage.file_size, shortage.file_size};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (shortage.closed >> fd & 1)
            close(fd);
    return shortage.file_size == 0 || setrlimit(RLIMIT_FSIZE, &most) == 0;
}

/* In the child: only what is safe after a fork, and signals as a shell would leave them. (The test
 * runner ignores SIGPIPE, which an exec would pass on, and Check's handlers would end the test when
 * we are told to stop before the exec.) */
static void become(const char *const argv[], int in, int out, int err) {
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char *words[WORDS] = {NULL};
    for (size_t i = 0; i < WORDS - 1 && argv[i] != NULL; i++)
        memcpy(&words[i], &argv[i], sizeof words[i]); /* exec wants char *, and writes nothing */
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(err, STDERR_FILENO) >= 0 && run_short())
        execvp(words[0], words);
    _exit(127);
}

int open_terminal(char slave[PATH_MAX]) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    snprintf(slave, PATH_MAX, "%s", ptsname(master));
    ck_assert_int_eq(fcntl(master, F_SETFD, FD_CLOEXEC), 0);
    ck_assert_int_eq(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    return master;
}

struct process start(const char *const argv[], const void *input, size_t length) {
    int in = unnamed_file();
    struct process process = {.out = unnamed_file(), .err = unnamed_file()};
    ck_status(sam_file_write(in, input, length), SAM_OK);
    ck_assert_int_eq(lseek(in, 0, SEEK_SET), 0);
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    process.pid = fork();
    if (process.pid == 0)
        become(argv, in, process.out, process.err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    ck_assert_int_ge(process.pid, 0);
    shortage = (struct shortage){0};
    close(in);
    return process;
}

bool has_ended(const struct process *process) {
    siginfo_t info = {0};
    ck_assert_int_eq(waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    return info.si_pid == process->pid;
}

struct run_result finish(struct process *process) {
    int64_t deadline = sam_now() + PATIENCE;
    bool late = false;
    while (!late && !has_ended(process))
        late = !nap_until(deadline);
    if (late)
        kill(process->pid, SIGKILL);
    int how = 0;
    ck_assert_int_eq(waitpid(process->pid, &how, 0), process->pid);
    struct run_result result = {.out = process_out(process), .err = process_err(process)};
    result.code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    close(process->out);
    close(process->err);
    *process = (struct process){.out = -1, .err = -1};
    ck_assert_msg(!late, "the process did not end; it said:\n%s", (const char *)result.err.data);
    return result;
}

struct run_result run(const char *const argv[], const void *input, size_t length) {
    struct process process = start(argv, input, length);
    return finish(&process);
}

const char *program_path(char path[PATH_MAX], const struct sam_mode *mode, const char *program) {
    const char *base = getenv("SAM_BIN");
    snprintf(path, PATH_MAX, "%s/%s/%s", base != NULL && base[0] != '\0' ? base : ".", mode->name,
             program);
    return path;
}

static void give(const char *folder, const char *who, const char *as, const char *half,
                 mode_t permissions) {
    char from[128], to[PATH_MAX];
    snprintf(from, sizeof from, "%s.%s.pem", who, half);
    ck_assert_int_lt(snprintf(to, sizeof to, "%s/%s.%s.pem", folder, as, half), (int)sizeof to);
    struct sam_bytes pem = read_vector(from);
    write_file(to, permissions, pem.data, pem.length);
    sam_bytes_free(&pem);
}

void give_public(const char *folder, const char *who, const char *as) {
    give(folder, who, as, "public", PUBLIC);
}

void give_private(const char *folder, const char *who, const char *as) {
    give(folder, who, as, "private", PRIVATE);
}

void give_pair(const char *folder, const char *who, const char *as) {
    give_private(folder, who, as);
    give_public(folder, who, as);
}

char lab[PATH_MAX];

void make_lab(void) {
    load_people();
    make_folder(lab);
    give_pair(lab, "bob", "server");
    give_pair(lab, "alice", "client");
    give_pair(lab, "carol", "carol");
    give_private(lab, "mallory", "mallory");
}

void remove_lab(void) {
    remove_folder(lab);
    free_people();
}

/* Appends the words up to NULL, and NULL. */
static void add_words(const char *argv[WORDS], size_t count, va_list words) {
    const char *word = NULL;
    do {
        ck_assert_uint_lt(count, WORDS);
        word = va_arg(words, const char *);
        argv[count++] = word;
    } while (word != NULL);
}

static void wait_for_port(struct server_process *server) {
    int64_t deadline = sam_now() + PATIENCE;
    /* It appears whole or not at all. */
    while (access(server->port_file, R_OK) != 0) {
        bool waiting = nap_until(deadline);
        if (waiting && !has_ended(&server->process))
            continue;
        struct sam_bytes said = process_err(&server->process);
        kill(server->process.pid, SIGKILL);
        ck_abort_msg("the server does not listen; it said:\n%s", (const char *)said.data);
    }
    struct sam_bytes text = read_file(server->port_file);
    ck_status(sam_bytes_append(&text, "", 1), SAM_OK);
    server->port = (uint16_t)strtoul((const char *)text.data, NULL, 10);
    ck_assert_uint_ne(server->port, 0);
    sam_bytes_free(&text);
}

void start_server(struct server_process *server, const struct sam_mode *mode, const char *folder,
                  ...) {
    static unsigned number;
    char path[PATH_MAX];
    *server = (struct server_process){.mode = mode};
    snprintf(server->folder, sizeof server->folder, "%s", folder);
    int length = snprintf(server->port_file, sizeof server->port_file, "%s/port.%ld.%u", folder,
                          (long)getpid(), number++);
    ck_assert_int_lt(length, (int)sizeof server->port_file);
    const char *argv[WORDS] = {program_path(path, mode, "server"),
                               "--keys",
                               server->folder,
                               "--port",
                               "0",
                               "--port-file",
                               server->port_file};
    va_list words;
    va_start(words, folder);
    add_words(argv, 7, words);
    va_end(words);
    server->process = start(argv, NULL, 0);
    wait_for_port(server);
}

struct run_result stop_server(struct server_process *server) {
    ck_assert_int_gt(server->process.pid, 0);
    ck_assert_int_eq(kill(server->process.pid, SIGTERM), 0);
    return finish(&server->process);
}

void stop_server_well(struct server_process *server) {
    struct run_result result = stop_server(server);
    assert_code(&result, 0);
    run_result_free(&result);
}

void wait_for_log(const struct server_process *server, const char *text, size_t count) {
    int64_t deadline = sam_now() + PATIENCE / 2;
    for (;;) {
        struct sam_bytes said = process_err(&server->process);
        if (count_text(&said, text) >= count) {
            sam_bytes_free(&said);
            return;
        }
        ck_assert_msg(nap_until(deadline) && !has_ended(&server->process),
                      "waited for %zu times \"%s\" in:\n%s", count, text, (const char *)said.data);
        sam_bytes_free(&said);
    }
}

static struct process start_client_words(const struct server_process *server, const void *input,
                                         size_t length, va_list words) {
    char path[PATH_MAX], port[8];
    snprintf(port, sizeof port, "%u", (unsigned)server->port);
    const char *argv[WORDS] = {program_path(path, server->mode, "client"), "--keys", server->folder,
                               "--port", port};
    add_words(argv, 5, words);
    return start(argv, input, length);
}

struct process start_client(const struct server_process *server, const void *input, size_t length,
                            ...) {
    va_list words;
    va_start(words, length);
    struct process process = start_client_words(server, input, length, words);
    va_end(words);
    return process;
}

struct run_result run_client(const struct server_process *server, ...) {
    va_list words;
    va_start(words, server);
    struct process process = start_client_words(server, NULL, 0, words);
    va_end(words);
    return finish(&process);
}
