/* Floor 1. Where a passphrase comes from. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
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

/* How signals were handled, and which were let through. */
struct before {
    struct sigaction actions[ENDINGS];
    sigset_t open;
};

/* From now on they come only where a byte is waited for: one that came just before would be noted,
 * and the wait go on. */
static void watch(struct before *before) {
    struct sigaction action = {.sa_handler = note}; /* no SA_RESTART: the wait ends */
    sigset_t blocked;
    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    for (size_t i = 0; i < ENDINGS; i++)
        sigaddset(&blocked, endings[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before->open);
    caught = 0;
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &action, &before->actions[i]);
}

static void unwatch(const struct before *before) {
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &before->actions[i], NULL);
    if (caught != 0)
        raise(caught);
    pthread_sigmask(SIG_SETMASK, &before->open, NULL);
}

/* Where a passphrase is typed. */
struct prompt {
    int terminal;
    const char *text;
    const sigset_t *open; /* signals, while a byte is waited for */
};

static bool read_byte(const struct prompt *prompt, char *byte) {
    fd_set waited;
    if (prompt->terminal >= FD_SETSIZE)
        return false;
    FD_ZERO(&waited);
    FD_SET(prompt->terminal, &waited);
    return pselect(prompt->terminal + 1, &waited, NULL, NULL, NULL, prompt->open) == 1 &&
           read(prompt->terminal, byte, 1) == 1;
}

/* One line of 1 to SAM_PASSPHRASE_MAX bytes, none of them NUL; false for anything else. */
static bool read_line(const struct prompt *prompt, struct sam_passphrase *out) {
    char byte = '\0';
    *out = (struct sam_passphrase){0};
    while (read_byte(prompt, &byte) && byte != '\n')
        if (out->length++ < SAM_PASSPHRASE_MAX)
            out->text[out->length - 1] = byte;
    return byte == '\n' && out->length >= 1 && out->length <= SAM_PASSPHRASE_MAX &&
           memchr(out->text, '\0', out->length) == NULL;
}

static bool ask(const struct prompt *prompt, struct sam_passphrase *out, const char *again) {
    bool good =
        dprintf(prompt->terminal, "%s%s", again, prompt->text) > 0 && read_line(prompt, out);
    return dprintf(prompt->terminal, "\n") > 0 && good;
}

static bool ask_again(const struct prompt *prompt, const struct sam_passphrase *first) {
    struct sam_passphrase second;
    bool good = ask(prompt, &second, "Once more: ");
    bool same = good && second.length == first->length &&
                sam_equal(second.text, first->text, first->length);
    if (good && !same)
        dprintf(prompt->terminal, "These are not the same.\n");
    sam_wipe(&second, sizeof second);
    return same;
}

static bool ask_unseen(int terminal, struct sam_passphrase *out, const char *text, bool twice) {
    struct termios shown, unseen;
    struct before before;
    const struct prompt prompt = {terminal, text, &before.open};
    if (tcgetattr(terminal, &shown) != 0)
        return false;
    unseen = shown;
    unseen.c_iflag |= ICRNL;
    unseen.c_lflag = (unseen.c_lflag | ICANON | ISIG) & ~(tcflag_t)ECHO;
    unseen.c_cc[VSUSP] = _POSIX_VDISABLE;
    watch(&before);
    bool good = tcsetattr(terminal, TCSAFLUSH, &unseen) == 0 && ask(&prompt, out, "") &&
                (!twice || ask_again(&prompt, out));
    tcsetattr(terminal, TCSAFLUSH, &shown);
    unwatch(&before);
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
