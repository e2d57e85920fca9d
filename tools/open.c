/* sam open: an envelope from a file, opened. */
#include "open.h"

#include <string.h>

#include "identity.h"

/* Whose private key is asked for: --name, or whoever the envelope is for. */
static const char *opener(const struct sam_tool_options *options, const struct sam_ring *ring,
                          const struct sam_header *header) {
    const struct sam_key *recipient = sam_ring_find(ring, header->recipient);
    if (options->name != NULL)
        return options->name;
    return recipient == NULL ? NULL : recipient->name;
}

/* What an envelope says of its own place, since a file has none: see sam_opening_run. */
static struct sam_expectation expectation(const struct sam_opening *opening) {
    struct sam_expectation expected = {.trusted = &opening->ring,
                                       .kinds = SAM_KINDS_ALL,
                                       .sequence = opening->envelope.header.sequence,
                                       .max_message = SAM_MESSAGE_LIMIT};
    memcpy(expected.reference, opening->envelope.header.reference, SAM_ID_SIZE);
    return expected;
}

/* A file has no freshness: whoever has it can hand it over again (docs/protocol.md, section 8). */
static const char *unfreshness(const struct sam_header *header) {
    bool for_a_file = header->kind == SAM_KIND_SEND && header->sequence == 0 &&
                      sam_is_zero(header->reference, SAM_ID_SIZE);
    return for_a_file ? "made for a file: it can be handed over again"
                      : "kept from a conversation: can be handed over again";
}

static enum sam_status load_keys(struct sam_opening *opening, const struct sam_tool *tool,
                                 struct sam_where *where) {
    enum sam_status status = sam_crypto_new(&opening->crypto);
    if (status == SAM_OK)
        status = sam_ring_load(&opening->ring, opening->crypto, tool->keys, where);
    if (status != SAM_OK)
        return status;
    const char *name = opener(&tool->options, &opening->ring, &opening->envelope.header);
    if (name == NULL)
        return SAM_RECIPIENT;
    return sam_identity_load(&opening->own, opening->crypto, tool->keys, name,
                             tool->options.passphrase_file, where);
}

enum sam_exit sam_opening_run(struct sam_opening *opening, const struct sam_tool *tool,
                              const char *path, const struct sam_trace *trace, FILE *verdicts) {
    struct sam_where where, from = {"libcrypto"};
    struct sam_anatomy anatomy;
    sam_where_set(&where, "%s", path);
    sam_anatomy_start(&anatomy, opening->envelope.bytes.data, opening->envelope.bytes.length);
    /* Whatever is wrong with it is found again, and told, below; a mode is needed even so. */
    const struct sam_mode *mode = anatomy.mode != NULL ? anatomy.mode : sam_modes[0];
    struct sam_party party = {.mode = mode, .own = &opening->own, .trace = trace};
    opening->envelope.header = anatomy.header;
    enum sam_status status =
        anatomy.type == SAM_ENVELOPE || anatomy.type == 0 ? anatomy.status : SAM_TYPE;
    if (status == SAM_OK)
        status = load_keys(opening, tool, &from);
    if (status != SAM_OK && sam_status_step(status) == 0)
        return sam_complain(&tool->talk, &from, status);
    party.crypto = opening->crypto;
    struct sam_expectation expected = expectation(opening);
    const char *unfresh = unfreshness(&opening->envelope.header);
    if (status == SAM_OK)
        status = sam_envelope_accept(&opening->envelope, &opening->sender, &party, &expected);
    if (status == SAM_OK || sam_status_step(status) > 0)
        sam_tell_verdicts(&tool->talk, verdicts, status, opening->sender, &party, unfresh);
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(&tool->talk, &where, status);
}

void sam_opening_free(struct sam_opening *opening) {
    sam_envelope_free(&opening->envelope);
    sam_key_free(&opening->own);
    sam_ring_free(&opening->ring);
    sam_crypto_free(opening->crypto);
    *opening = (struct sam_opening){0};
}

enum sam_exit sam_tool_open(const struct sam_tool *tool) {
    const struct sam_tool_options *options = &tool->options;
    const struct sam_trace trace = {stderr, tool->talk.colour};
    struct sam_opening opening = {0};
    struct sam_bytes *bytes = &opening.envelope.bytes;
    enum sam_exit code = sam_tool_read(tool, options->in, SAM_ENVELOPE_LIMIT, bytes);
    if (code == SAM_EXIT_OK)
        code = sam_opening_run(&opening, tool, sam_tool_input(options->in),
                               options->trace ? &trace : NULL, stderr);
    if (code == SAM_EXIT_OK)
        code = options->out == NULL
                   ? sam_tell_message(&tool->talk, &opening.envelope)
                   : sam_tool_write(tool, options->out, SAM_PRIVATE, opening.envelope.message,
                                    opening.envelope.message_length);
    sam_opening_free(&opening);
    return code;
}
