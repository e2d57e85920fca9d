/* Mode 1, asymmetric_only: RSA alone. The letter is cut into chunks, each sealed by RSAES-OAEP; the
 * signature follows in clear (docs/protocol.md, section 6). */
#include <string.h>

#include "mode.h"

static size_t chunk_size(size_t block_length) {
    return block_length - SAM_OAEP_OVERHEAD;
}

static size_t blocks_for(size_t letter_length, size_t block_length) {
    size_t chunk = chunk_size(block_length);
    return (letter_length + chunk - 1) / chunk;
}

static bool fits(const struct sam_header *header, uint32_t max_message) {
    size_t signature_length = header->signature_length, block_length = header->block_length;
    if (header->body_length < signature_length + block_length)
        return false;
    size_t blocks_length = header->body_length - signature_length;
    return blocks_length % block_length == 0 &&
           blocks_length / block_length <=
               blocks_for(SAM_SALT_SIZE + (size_t)max_message, block_length);
}

/* The letter stands at the end of the blocks that it will become. A block is 66 bytes longer than
 * its chunk, so writing blocks from the front catches up with reading chunks only at the last one:
 *
 *            [ chunk 0 | chunk 1 | chunk 2 ]
 *   [ block 0   | block 1   | block 2      ][ signature ]
 */
static struct sam_layout layout(size_t letter_length, size_t signature_length,
                                size_t block_length) {
    size_t blocks_length = blocks_for(letter_length, block_length) * block_length;
    return (struct sam_layout){
        .length = blocks_length + signature_length,
        .letter = blocks_length - letter_length,
        .letter_length = letter_length,
        .signature = blocks_length,
    };
}

static enum sam_status seal(struct sam_crypto *crypto, const struct sam_rsa *recipient,
                            const uint8_t header[SAM_HEADER_SIZE], uint8_t *body,
                            const struct sam_layout *at, const struct sam_trace *trace) {
    size_t block = sam_rsa_size(recipient), chunk = chunk_size(block);
    size_t blocks = blocks_for(at->letter_length, block);
    uint8_t salt[SAM_SALT_SIZE], label[SAM_LABEL_SIZE];
    enum sam_status status = SAM_OK;
    memcpy(salt, body + at->letter, sizeof salt); /* block 0 overwrites it */
    sam_trace_step(trace, "seal the letter, block by block",
                   "RSAES-OAEP, SHA-256, MGF1 with SHA-256; %zu block(s) of %zu bytes,\n"
                   "    each with at most %zu bytes of the letter; label of block 0:\n"
                   "    SHA-256(header) || 0, of block i: SHA-256(header || salt) || i",
                   blocks, block, chunk);
    for (size_t i = 0; i < blocks && status == SAM_OK; i++) {
        size_t left = at->letter_length - i * chunk;
        status = sam_label(crypto, label, header, i == 0 ? NULL : salt, (uint32_t)i);
        if (i == 0)
            sam_trace_value(trace, "label of block 0", label, sizeof label);
        if (status == SAM_OK)
            status = sam_oaep_encrypt(crypto, recipient, body + i * block, label, sizeof label,
                                      body + at->letter + i * chunk, left < chunk ? left : chunk);
    }
    sam_wipe(salt, sizeof salt);
    return status;
}

static enum sam_status open_body(struct sam_crypto *crypto, const struct sam_rsa *own,
                                 const uint8_t header[SAM_HEADER_SIZE],
                                 const struct sam_header *parsed, uint8_t *body,
                                 struct sam_layout *at, const struct sam_trace *trace) {
    size_t block = parsed->block_length, chunk = chunk_size(block);
    size_t blocks = (at->length - parsed->signature_length) / block;
    uint8_t opened[SAM_RSA_SIZE_MAX], label[SAM_LABEL_SIZE];
    enum sam_status status = SAM_OK;
    at->letter = 0;
    at->letter_length = 0;
    at->signature = blocks * block;
    sam_trace_step(trace, "open the letter, block by block",
                   "RSAES-OAEP, SHA-256, MGF1 with SHA-256; %zu block(s) of %zu bytes", blocks,
                   block);
    for (size_t i = 0; i < blocks && status == SAM_OK; i++) {
        size_t length = 0;
        /* From block 1 on the salt is known: it stands at the start of the letter. */
        status = sam_label(crypto, label, header, i == 0 ? NULL : body, (uint32_t)i);
        if (status == SAM_OK)
            status = sam_oaep_decrypt(crypto, own, opened, &length, label, sizeof label,
                                      body + i * block);
        bool last = i + 1 == blocks;
        size_t least = !last ? chunk : i == 0 ? SAM_SALT_SIZE : 1;
        if (status == SAM_OK && length < least)
            status = SAM_DECRYPT;
        memcpy(body + i * chunk, opened, length);
        at->letter_length += length;
    }
    sam_wipe(opened, sizeof opened);
    return status;
}

static bool part(const struct sam_header *header, size_t index, struct sam_field *out) {
    size_t block = header->block_length;
    size_t blocks = (header->body_length - header->signature_length) / block;
    if (index > blocks)
        return false;
    if (index < blocks)
        *out = (struct sam_field){"OAEP block", SAM_HEADER_SIZE + index * block, block,
                                  "a chunk of the letter, for the recipient's key alone",
                                  SAM_AS_BYTES};
    else
        *out = (struct sam_field){"signature", SAM_HEADER_SIZE + blocks * block,
                                  header->signature_length,
                                  "RSASSA-PSS of header and letter, in clear", SAM_AS_BYTES};
    return true;
}

const struct sam_mode sam_mode_asymmetric_only = {
    .number = 1,
    .name = "asymmetric_only",
    .max_message = 16 * 1024,
    .session_refusal = "mode 1 has no symmetric key: it offers no sessions",
    .fits = fits,
    .layout = layout,
    .seal = seal,
    .open = open_body,
    .part = part,
};
