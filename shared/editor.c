#include "editor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "show.h"

enum { CHUNK = 4096, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, ESCAPE = 27, DELETE = 127 };

static const char prompt[] = "> ";

/* How the terminal was: a signal's handler has no other way to it. */
static struct termios before;
static struct termios while_editing;

static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

/* tcsetattr, signal and raise are safe in a handler (POSIX.1-2008, 2.4.3). */
static void put_back(int number) {
    int reason = errno;
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    signal(number, SIG_DFL);
    raise(number);
    errno = reason;
}

static void watch(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        sigaction(endings[i], &action, NULL);
}

/* Back from Ctrl-Z. */
static void resume(int number) {
    int reason = errno;
    (void)number;
    tcsetattr(STDIN_FILENO, TCSANOW, &while_editing);
    watch(put_back);
    errno = reason;
}

void sam_editor_open(struct sam_editor *editor) {
    *editor = (struct sam_editor){0};
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
        return;
    while_editing = before;
    while_editing.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    while_editing.c_cc[VMIN] = 1;
    while_editing.c_cc[VTIME] = 0;
    struct sigaction back = {.sa_handler = resume, .sa_flags = SA_RESTART};
    sigemptyset(&back.sa_mask);
    watch(put_back);
    sigaction(SIGCONT, &back, NULL);
    editor->terminal = tcsetattr(STDIN_FILENO, TCSANOW, &while_editing) == 0;
    sam_editor_show(editor);
}

void sam_editor_close(struct sam_editor *editor) {
    if (editor->terminal) {
        sam_editor_hide(editor);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
        watch(SIG_DFL);
        signal(SIGCONT, SIG_DFL);
    }
    editor->terminal = false;
    sam_bytes_free(&editor->read);
}

/* Where the line begins that is being typed: behind the last end of a line. */
static size_t line_start(const struct sam_bytes *read) {
    size_t at = read->length;
    while (at > 0 && read->data[at - 1] != '\n')
        at--;
    return at;
}

/* Takes one character of UTF-8 back, whole. */
static void take_back(struct sam_bytes *read, size_t start) {
    while (read->length > start && (read->data[read->length - 1] & 0xc0) == 0x80)
        read->length--;
    if (read->length > start)
        read->length--;
}

/* The line stays on the terminal, above what follows. */
static enum sam_status end_line(struct sam_editor *editor) {
    sam_editor_show(editor);
    fputc('\n', stderr);
    return sam_bytes_append(&editor->read, "\n", 1);
}

/* Arrows and such come as an escape, perhaps a bracket, and bytes up to a letter or a tilde
 * (ECMA-48, 5.4): they do nothing here, and are no part of a line. */
static bool skips(struct sam_editor *editor, uint8_t key) {
    enum sam_editor_skip skip = editor->skip;
    if (key == ESCAPE)
        editor->skip = SAM_SKIP_ESCAPE;
    else if (skip == SAM_SKIP_ESCAPE)
        editor->skip = key == '[' || key == 'O' ? SAM_SKIP_SEQUENCE : SAM_SKIP_NOTHING;
    else if (skip == SAM_SKIP_SEQUENCE && key >= '@' && key <= '~')
        editor->skip = SAM_SKIP_NOTHING;
    return key == ESCAPE || skip != SAM_SKIP_NOTHING;
}

static enum sam_status take_key(struct sam_editor *editor, uint8_t key) {
    struct sam_bytes *read = &editor->read;
    if (skips(editor, key))
        return SAM_OK;
    size_t start = line_start(read);
    if (key == CTRL_D && read->length == start)
        editor->ended = true;
    else if (key == BACKSPACE || key == DELETE)
        take_back(read, start);
    else if (key == CTRL_U)
        read->length = start;
    else if (key == '\n' || key == '\r')
        return end_line(editor);
    else if (key >= ' ')
        return sam_bytes_append(read, &key, 1);
    return SAM_OK;
}

/* Bytes of a terminal, key by key. */
static enum sam_status take_keys(struct sam_editor *editor, const uint8_t *keys, size_t count) {
    enum sam_status status = SAM_OK;
    sam_editor_hide(editor);
    for (size_t i = 0; i < count && status == SAM_OK && !editor->ended; i++)
        status = take_key(editor, keys[i]);
    sam_editor_show(editor);
    return status;
}

enum sam_status sam_editor_read(struct sam_editor *editor) {
    uint8_t chunk[CHUNK];
    ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? SAM_OK : SAM_FILE_READ;
    editor->ended = n == 0;
    enum sam_status status = editor->terminal ? take_keys(editor, chunk, (size_t)n)
                                              : sam_bytes_append(&editor->read, chunk, (size_t)n);
    sam_wipe(chunk, sizeof chunk);
    return status;
}

enum sam_status sam_editor_line(struct sam_editor *editor, struct sam_bytes *line, bool *found) {
    struct sam_bytes *read = &editor->read;
    const uint8_t *end = read->length > 0 ? memchr(read->data, '\n', read->length) : NULL;
    line->length = 0;
    *found = end != NULL || (editor->ended && read->length > 0);
    if (!*found)
        return SAM_OK;
    size_t length = end != NULL ? (size_t)(end - read->data) : read->length;
    size_t taken = end != NULL ? length + 1 : length;
    enum sam_status status = sam_bytes_append(line, read->data, length);
    if (status != SAM_OK)
        return status;
    memmove(read->data, read->data + taken, read->length - taken);
    read->length -= taken;
    return SAM_OK;
}

void sam_editor_hide(const struct sam_editor *editor) {
    if (editor->terminal)
        fputs("\r\033[K", stderr);
}

void sam_editor_show(const struct sam_editor *editor) {
    if (!editor->terminal)
        return;
    size_t start = line_start(&editor->read);
    fputs(prompt, stderr);
    if (editor->read.length > start)
        sam_show_text(stderr, editor->read.data + start, editor->read.length - start, SIZE_MAX);
    fflush(stderr);
}
