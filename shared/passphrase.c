/* Floor 1. Where a passphrase comes from. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "openssl.h"
#include "rsa.h"

enum sam_status sam_passphrase_ask(struct sam_passphrase *out, const char *prompt, bool twice) {
    *out = (struct sam_passphrase){0};
    /* Without a terminal libcrypto would read standard input, which may be the message. */
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal < 0)
        return SAM_NO_PASSPHRASE;
    close(terminal);
    int failed = EVP_read_pw_string_min(out->text, 1, SAM_PASSPHRASE_MAX, prompt, twice);
    ERR_clear_error();
    if (failed) {
        sam_wipe(out, sizeof *out);
        return SAM_NO_PASSPHRASE;
    }
    out->length = strlen(out->text);
    return SAM_OK;
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
