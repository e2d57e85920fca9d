#include "commands.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "net.h"

enum { WORDS = 32, PATHS = 16 };

/* Generous, as in process.c. */
#define PATIENCE (60 * SAM_SECOND)

char place[PATH_MAX], keys[PATH_MAX];

static const char *join(const char *folder, const char *name) {
    static char paths[PATHS][2 * PATH_MAX];
    static size_t turn;
    turn = (turn + 1) % PATHS;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

const char *in_place(const char *name) {
    return join(place, name);
}

const char *in_keys(const char *name) {
    return join(keys, name);
}

void set_up_place(void) {
    unsetenv("NO_COLOR");
    make_folder(place);
    snprintf(keys, sizeof keys, "%s", in_place("keys"));
    ck_assert_int_eq(mkdir(keys, 0700), 0);
}

void tear_down_place(void) {
    remove_folder(place);
}

void set_up_pairs(void) {
    set_up_place();
    give_pair(keys, "bob", "server");
    give_pair(keys, "alice", "client");
}

/* path and the words up to NULL. */
static void make_argv(const char *argv[WORDS], const char *path, const char *const words[]) {
    size_t count = 0;
    argv[count++] = path;
    for (size_t i = 0; words[i] != NULL; i++) {
        ck_assert_uint_lt(count, WORDS - 1);
        argv[count++] = words[i];
    }
    argv[count] = NULL;
}

struct run_result run_words(const struct sam_mode *mode, const char *program,
                            const char *const words[]) {
    char path[PATH_MAX];
    const char *argv[WORDS];
    make_argv(argv, program_path(path, mode, program), words);
    return run(argv, NULL, 0);
}

void assert_text(const struct sam_bytes *actual, const char *expected) {
    ck_assert_msg(actual->length == strlen(expected) &&
                      memcmp(actual->data, expected, actual->length) == 0,
                  "expected \"%s\", got \"%s\"", expected, (const char *)actual->data);
}

void assert_one_line(const struct sam_bytes *text) {
    ck_assert_msg(text->length > 1 && count_text(text, "\n") == 1 &&
                      text->data[text->length - 1] == '\n',
                  "not one line: \"%s\"", (const char *)text->data);
}

void assert_columns(const struct sam_bytes *text) {
    const char *line = (const char *)text->data;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        ck_assert_msg(length <= 80, "%zu columns: %.*s", length, (int)length, line);
        line += length + (line[length] == '\n');
    }
}

void assert_file(const char *path, const struct sam_bytes *expected) {
    struct sam_bytes actual = read_file(path);
    ck_assert_uint_eq(actual.length, expected->length);
    if (actual.length > 0)
        ck_assert_mem_eq(actual.data, expected->data, actual.length);
    sam_bytes_free(&actual);
}

bool exists(const char *path) {
    struct stat file;
    return lstat(path, &file) == 0;
}

/* In the child. A session's first terminal that is opened becomes its controlling one, on some
 * systems only when asked for. */
static void become(const struct session *session, const char *slave, int out, int err,
                   const char *argv[WORDS]) {
    setsid();
    int in = open(session->terminal ? slave : "/dev/null", O_RDWR);
#ifdef TIOCSCTTY
    if (session->terminal)
        ioctl(in, TIOCSCTTY, 0);
#endif
    char *words[WORDS] = {NULL};
    for (size_t i = 0; argv[i] != NULL; i++)
        memcpy(&words[i], &argv[i], sizeof words[i]); /* exec wants char *, and writes nothing */
    if (in >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
        dup2(session->out ? in : out, STDOUT_FILENO) >= 0 &&
        dup2(session->err ? in : err, STDERR_FILENO) >= 0)
        execv(words[0], words);
    _exit(127);
}

static int unnamed_file(void) {
    const char *path = in_place("stream");
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    return fd;
}

/* Appends what the terminal shows now, a NUL behind it. */
static void look(int master, struct sam_bytes *screen) {
    char chunk[4096];
    ssize_t n;
    while ((n = read(master, chunk, sizeof chunk)) > 0)
        ck_status(sam_bytes_append(screen, chunk, (size_t)n), SAM_OK);
    ck_status(sam_bytes_append(screen, "", 1), SAM_OK);
    screen->length--;
}

/* Types the next line, once the prompt for it is there and the terminal no longer echoes. Returns
 * how many lines have been typed. */
static size_t type(const struct session *session, int master, const struct sam_bytes *screen,
                   size_t lines) {
    struct termios settings;
    if (session->prompt == NULL || count_text(screen, session->prompt) <= lines ||
        tcgetattr(master, &settings) != 0 || (settings.c_lflag & ECHO) != 0)
        return lines;
    const char *line = session->typed;
    for (size_t i = 0; i < lines; i++)
        line += strcspn(line, "\n") + 1;
    size_t length = strcspn(line, "\n") + 1;
    ck_assert_int_eq(write(master, line, length), (ssize_t)length);
    return lines + 1;
}

struct run_result run_session(const struct session *session, const struct sam_mode *mode,
                              const char *program, const char *const words[],
                              struct sam_bytes *screen) {
    char path[PATH_MAX], slave[PATH_MAX];
    const char *argv[WORDS];
    make_argv(argv, program_path(path, mode, program), words);
    *screen = (struct sam_bytes){0};
    int master = open_terminal(slave);
    int kept = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC); /* or what was shown last may be lost */
    struct process process = {.out = unnamed_file(), .err = unnamed_file()};
    process.pid = fork();
    ck_assert_int_ge(process.pid, 0);
    if (process.pid == 0)
        become(session, slave, process.out, process.err, argv);
    int64_t deadline = sam_now() + PATIENCE / 2;
    size_t lines = 0;
    bool ended = false;
    while (!ended && nap_until(deadline)) {
        ended = has_ended(&process);
        look(master, screen);
        lines = type(session, master, screen, lines);
    }
    if (!ended)
        kill(process.pid, SIGKILL);
    struct run_result result = finish(&process);
    look(master, screen);
    struct termios settings;
    ck_assert_int_eq(tcgetattr(kept, &settings), 0);
    ck_assert_uint_eq(settings.c_lflag & (ICANON | ECHO), ICANON | ECHO);
    close(kept);
    close(master);
    ck_assert_msg(ended, "the program did not end; the terminal showed:\n%s",
                  (const char *)screen->data);
    return result;
}

size_t count_verdicts(const struct sam_bytes *text, const char *promise, const char *verdict) {
    size_t count = 0;
    const char *line = (const char *)text->data;
    while (*line != '\0') {
        char words[2][32] = {"", ""};
        if (sscanf(line, "  %31s %31s", words[0], words[1]) == 2)
            count += strcmp(words[0], promise) == 0 && strcmp(words[1], verdict) == 0;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return count;
}
