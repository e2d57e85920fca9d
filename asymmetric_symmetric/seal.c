/* Mode 2, asymmetric_symmetric: RSAES-OAEP carries a secret key, and AES-256-GCM under that key
 * carries the letter and the signature (docs/protocol.md, section 6). */
#include <string.h>

#include "mode.h"

/* Body: wrapped key (B) || nonce (12) || letter || signature (S) || tag (16). */
static size_t overhead(size_t signature_length, size_t block_length) {
    return block_length + SAM_GCM_NONCE_SIZE + signature_length + SAM_GCM_TAG_SIZE;
}

static bool fits(const struct sam_header *header, uint32_t max_message) {
    uint64_t least =
        overhead(header->signature_length, header->block_length) + (uint64_t)SAM_SALT_SIZE;
    return header->body_length >= least && header->body_length <= least + max_message;
}

/* Letter and signature stand where they will be encrypted, one after the other. */
static struct sam_layout layout(size_t letter_length, size_t signature_length,
                                size_t block_length) {
    size_t letter = block_length + SAM_GCM_NONCE_SIZE;
    return (struct sam_layout){
        .length = overhead(signature_length, block_length) + letter_length,
        .letter = letter,
        .letter_length = letter_length,
        .signature = letter + letter_length,
    };
}

static enum sam_status seal(struct sam_crypto *crypto, const struct sam_rsa *recipient,
                            const uint8_t header[SAM_HEADER_SIZE], uint8_t *body,
                            const struct sam_layout *at, const struct sam_trace *trace) {
    size_t block = sam_rsa_size(recipient);
    uint8_t *nonce = body + block, *tag = body + at->length - SAM_GCM_TAG_SIZE;
    size_t length = at->length - at->letter - SAM_GCM_TAG_SIZE;
    uint8_t key[SAM_GCM_KEY_SIZE], label[SAM_LABEL_SIZE] = {0};
    enum sam_status status = sam_random(key, sizeof key);
    if (status == SAM_OK)
        status = sam_random(nonce, SAM_GCM_NONCE_SIZE);
    if (status == SAM_OK)
        status = sam_label(crypto, label, header, NULL, 0);
    if (status == SAM_OK)
        status = sam_oaep_encrypt(crypto, recipient, body, label, sizeof label, key, sizeof key);
    sam_trace_step(trace, "wrap a new secret key",
                   "RSAES-OAEP, SHA-256, MGF1 with SHA-256, label SHA-256(header) || 0:\n"
                   "    %zu bytes become %zu",
                   sizeof key, block);
    sam_trace_value(trace, "label", label, sizeof label);
    sam_trace_secret(trace, "key", sizeof key);
    if (status == SAM_OK)
        status = sam_gcm_encrypt(crypto, key, nonce, header, SAM_HEADER_SIZE, body + at->letter,
                                 length, tag);
    sam_trace_step(trace, "encrypt letter and signature",
                   "AES-256-GCM with that key and a new nonce of %d bytes, the header as\n"
                   "    associated data: %zu bytes stay %zu, with a tag of %d",
                   SAM_GCM_NONCE_SIZE, length, length, SAM_GCM_TAG_SIZE);
    sam_wipe(key, sizeof key);
    return status;
}

/* Unwraps the key into key, which holds a random one: where that fails, the random one stays, and
 * the tag will not fit. Which of the two happened is not to be seen, nor to be timed here. */
static enum sam_status unwrap_key(struct sam_crypto *crypto, const struct sam_rsa *own,
                                  const uint8_t header[SAM_HEADER_SIZE], const uint8_t *wrapped,
                                  uint8_t key[SAM_GCM_KEY_SIZE]) {
    uint8_t unwrapped[SAM_RSA_SIZE_MAX] = {0}, label[SAM_LABEL_SIZE];
    size_t length = 0;
    enum sam_status status = sam_label(crypto, label, header, NULL, 0);
    if (status == SAM_OK) {
        enum sam_status opened =
            sam_oaep_decrypt(crypto, own, unwrapped, &length, label, sizeof label, wrapped);
        unsigned good = (unsigned)(opened == SAM_OK) & (unsigned)(length == SAM_GCM_KEY_SIZE);
        uint8_t mask = (uint8_t)-good; /* 0xff or 0: no branch, so nothing to time */
        for (size_t i = 0; i < SAM_GCM_KEY_SIZE; i++)
            key[i] = (uint8_t)((unwrapped[i] & mask) | (key[i] & ~mask));
    }
    sam_wipe(unwrapped, sizeof unwrapped);
    return status;
}

static enum sam_status open_body(struct sam_crypto *crypto, const struct sam_rsa *own,
                                 const uint8_t header[SAM_HEADER_SIZE],
                                 const struct sam_header *parsed, uint8_t *body,
                                 struct sam_layout *at, const struct sam_trace *trace) {
    size_t block = parsed->block_length;
    const uint8_t *nonce = body + block, *tag = body + at->length - SAM_GCM_TAG_SIZE;
    uint8_t key[SAM_GCM_KEY_SIZE];
    at->letter = block + SAM_GCM_NONCE_SIZE;
    at->signature = at->length - SAM_GCM_TAG_SIZE - parsed->signature_length;
    at->letter_length = at->signature - at->letter;
    size_t length = at->letter_length + parsed->signature_length;
    enum sam_status status = sam_random(key, sizeof key);
    if (status == SAM_OK)
        status = unwrap_key(crypto, own, header, body, key);
    sam_trace_step(trace, "unwrap the secret key",
                   "RSAES-OAEP, SHA-256, MGF1 with SHA-256, label SHA-256(header) || 0:\n"
                   "    %zu bytes become %zu; should that fail, a random key goes on",
                   block, sizeof key);
    sam_trace_secret(trace, "key", sizeof key);
    if (status == SAM_OK)
        status = sam_gcm_decrypt(crypto, key, nonce, header, SAM_HEADER_SIZE, body + at->letter,
                                 length, tag);
    sam_trace_step(trace, "decrypt letter and signature",
                   "AES-256-GCM with that key and the nonce, the header as associated data:\n"
                   "    %zu bytes, handed on only when the tag of %d bytes fits",
                   length, SAM_GCM_TAG_SIZE);
    sam_wipe(key, sizeof key);
    return status;
}

static bool part(const struct sam_header *header, size_t index, struct sam_field *out) {
    size_t block = header->block_length, length = header->body_length;
    const struct sam_field parts[] = {
        {"wrapped key", 0, block, "the secret key, for the recipient's key alone", SAM_AS_BYTES},
        {"nonce", block, SAM_GCM_NONCE_SIZE, "random, new for every envelope", SAM_AS_BYTES},
        {"ciphertext", block + SAM_GCM_NONCE_SIZE,
         length - block - SAM_GCM_NONCE_SIZE - SAM_GCM_TAG_SIZE, "letter and signature",
         SAM_AS_BYTES},
        {"tag", length - SAM_GCM_TAG_SIZE, SAM_GCM_TAG_SIZE, "of header and ciphertext",
         SAM_AS_BYTES},
    };
    if (index >= sizeof parts / sizeof parts[0])
        return false;
    *out = parts[index];
    out->offset += SAM_HEADER_SIZE;
    return true;
}

const struct sam_mode sam_mode_asymmetric_symmetric = {
    .number = 2,
    .name = "asymmetric_symmetric",
    .max_message = 16 * 1024 * 1024,
    .fits = fits,
    .layout = layout,
    .seal = seal,
    .open = open_body,
    .part = part,
};
