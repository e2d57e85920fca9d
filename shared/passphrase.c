/* Floor 1. Where a passphrase comes from. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "file.h"
#include "rsa.h"

/* What ends the program while it waits; first the terminal shows again what is typed. */
static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDINGS = sizeof endings / sizeof endings[0] };
static volatile sig_atomic_t caught;

static void note(int number) {
    caught = number;
}

static void watch(struct sigaction before[ENDINGS]) {
    struct sigaction action = {.sa_handler = note}; /* no SA_RESTART: the read ends */
    sigemptyset(&action.sa_mask);
    caught = 0;
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &action, &before[i]);
}

static void unwatch(const struct sigaction before[ENDINGS]) {
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &before[i], NULL);
    if (caught != 0)
        raise(caught);
}

/* One line of 1 to SAM_PASSPHRASE_MAX bytes; false for anything else. */
static bool read_line(int terminal, struct sam_passphrase *out) {
    char byte = '\0';
    *out = (struct sam_passphrase){0};
    while (read(terminal, &byte, 1) == 1 && byte != '\n')
        if (out->length++ < SAM_PASSPHRASE_MAX)
            out->text[out->length - 1] = byte;
    return byte == '\n' && out->length >= 1 && out->length <= SAM_PASSPHRASE_MAX;
}

static bool ask(int terminal, struct sam_passphrase *out, const char *again, const char *prompt) {
    bool good = dprintf(terminal, "%s%s", again, prompt) > 0 && read_line(terminal, out);
    return dprintf(terminal, "\n") > 0 && good;
}

static bool ask_unseen(int terminal, struct sam_passphrase *out, const char *prompt, bool twice) {
    struct termios before, unseen;
    struct sam_passphrase second = {0};
    struct sigaction actions[ENDINGS];
    if (tcgetattr(terminal, &before) != 0)
        return false;
    unseen = before;
    unseen.c_lflag = (unseen.c_lflag | ICANON) & ~(tcflag_t)ECHO;
    unseen.c_cc[VSUSP] = _POSIX_VDISABLE;
    watch(actions);
    bool good = tcsetattr(terminal, TCSAFLUSH, &unseen) == 0 && ask(terminal, out, "", prompt);
    if (good && twice) {
        good = ask(terminal, &second, "Once more: ", prompt);
        bool same =
            good && second.length == out->length && sam_equal(second.text, out->text, out->length);
        if (good && !same)
            dprintf(terminal, "These are not the same.\n");
        good = same;
    }
    tcsetattr(terminal, TCSAFLUSH, &before);
    unwatch(actions);
    sam_wipe(&second, sizeof second);
    return good;
}

/* Not by libcrypto, whose reading leaves the passphrase in a buffer of stdio that it frees. */
enum sam_status sam_passphrase_ask(struct sam_passphrase *out, const char *prompt, bool twice) {
    *out = (struct sam_passphrase){0};
    /* Standard input may be the message. */
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal < 0)
        return SAM_NO_PASSPHRASE;
    bool good = ask_unseen(terminal, out, prompt, twice);
    close(terminal);
    if (good)
        return SAM_OK;
    sam_wipe(out, sizeof *out);
    return SAM_NO_PASSPHRASE;
}

enum sam_status sam_passphrase_read(struct sam_passphrase *out, const char *path) {
    *out = (struct sam_passphrase){0};
    struct sam_bytes text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SAM_FILE_READ;
    enum sam_status status = sam_file_read(fd, sizeof out->text, &text);
    close(fd);
    /* An editor ends the line; the line's end is not part of the passphrase. */
    if (text.length > 0 && text.data[text.length - 1] == '\n')
        text.length--;
    bool good = text.length > 0 && text.length <= SAM_PASSPHRASE_MAX &&
                memchr(text.data, '\0', text.length) == NULL;
    if (status == SAM_TOO_LONG || (status == SAM_OK && !good))
        status = SAM_PASSPHRASE;
    if (status == SAM_OK) {
        memcpy(out->text, text.data, text.length);
        out->length = text.length;
    }
    sam_bytes_free(&text);
    return status;
}
