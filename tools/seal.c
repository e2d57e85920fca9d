/* sam seal: a file, sealed into an envelope file. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "identity.h"
#include "net.h"
#include "sam.h"

/* What sealing needs, and what it makes. */
struct sealing {
    struct sam_party party;
    struct sam_key own, recipient;
    struct sam_envelope envelope;
};

/* A file of known size is read straight into its place in the envelope: it is in memory once. */
static enum sam_status read_message(struct sealing *sealing, int fd) {
    struct sam_bytes message = {0};
    size_t size = sam_file_size(fd);
    enum sam_status status = SAM_OK;
    if (size == 0)
        status = sam_file_read(fd, SAM_MESSAGE_LIMIT, &message);
    size_t length = size > 0 ? size : message.length;
    if (status == SAM_OK)
        status =
            sam_envelope_start(&sealing->envelope, &sealing->party, &sealing->recipient, length);
    if (status == SAM_OK && size > 0)
        status = sam_file_read_exactly(fd, sealing->envelope.message, size);
    if (status == SAM_OK && size > 0 && sam_file_size(fd) > 0) { /* it has grown */
        errno = 0;
        status = SAM_FILE_READ;
    }
    if (status == SAM_OK && size == 0 && length > 0)
        memcpy(sealing->envelope.message, message.data, length);
    sam_bytes_free(&message);
    return status;
}

static enum sam_status seal(struct sealing *sealing, const struct sam_tool *tool,
                            struct sam_where *where) {
    const struct sam_tool_options *options = &tool->options;
    struct sam_address address = {.kind = SAM_KIND_SEND, .sent_at = sam_unix_time()};
    enum sam_status status = sam_identity_load_both(
        &sealing->own, &sealing->recipient, sealing->party.crypto, tool->keys, options->from,
        options->to, options->passphrase_file, where);
    if (status != SAM_OK)
        return status;
    sam_where_set(where, "%s", sam_tool_input(options->in));
    int fd = sam_tool_open_input(options->in);
    status = fd < 0 ? SAM_FILE_READ : read_message(sealing, fd);
    sam_tool_close_input(fd);
    if (status == SAM_OK)
        status =
            sam_envelope_seal(&sealing->envelope, &sealing->party, &sealing->recipient, &address);
    return status;
}

enum sam_exit sam_tool_seal(const struct sam_tool *tool) {
    const struct sam_tool_options *options = &tool->options;
    const struct sam_trace trace = {stderr, tool->talk.colour};
    struct sealing sealing = {.party.trace = options->trace ? &trace : NULL};
    struct sam_where where = {"libcrypto"};
    if (options->mode == NULL || options->from == NULL || options->to == NULL) {
        sam_arguments_complain("sam", "seal takes --mode, --from and --to", NULL);
        return SAM_EXIT_USAGE;
    }
    sealing.party.own = &sealing.own;
    sealing.party.mode = sam_mode_find(options->mode);
    if (sealing.party.mode == NULL) {
        sam_arguments_complain("sam", "--mode takes 1, 2, or a mode's name, not", options->mode);
        return SAM_EXIT_USAGE;
    }
    if (options->out == NULL && isatty(STDOUT_FILENO)) {
        sam_arguments_complain("sam", "an envelope is no text for a terminal: use --out", NULL);
        return SAM_EXIT_USAGE;
    }
    enum sam_status status = sam_crypto_new(&sealing.party.crypto);
    if (status == SAM_OK)
        status = seal(&sealing, tool, &where);
    enum sam_exit code = SAM_EXIT_OK;
    if (status != SAM_OK) {
        code = sam_complain(&tool->talk, &where, status);
        if (status == SAM_TOO_LONG) /* what is sealed here is no peer's fault */
            code = SAM_EXIT_USAGE;
    } else {
        code = sam_tool_write(tool, options->out, SAM_PUBLIC, sealing.envelope.bytes.data,
                              sealing.envelope.bytes.length);
    }
    if (code == SAM_EXIT_OK && !options->quiet)
        fprintf(stderr, "sam: sealed for %s, signed by %s: %zu bytes\n", sealing.recipient.name,
                sealing.own.name, sealing.envelope.bytes.length);
    sam_envelope_free(&sealing.envelope);
    sam_key_free(&sealing.own);
    sam_key_free(&sealing.recipient);
    sam_crypto_free(sealing.party.crypto);
    return code;
}
