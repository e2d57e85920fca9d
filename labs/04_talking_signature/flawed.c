/* What Alice's and Bob's programs do with a short message. Eve has no key of theirs but the public
 * ones: what can she check of what she sees? */
#include <string.h>

#include "net.h"
#include "talking_signature.h"

enum sam_status talking_signature_write(struct text *letter, const struct text *message) {
    *letter = *message;
    return SAM_OK;
}

enum sam_status talking_signature_read(struct text *message, const struct text *letter) {
    *message = *letter;
    return SAM_OK;
}

static enum sam_status make_header(uint8_t bytes[SAM_HEADER_SIZE], const struct sam_key *alice,
                                   const struct sam_key *bob) {
    struct sam_header header = {.mode = 1, .kind = SAM_KIND_SEND, .sent_at = sam_unix_time()};
    header.signature_length = (uint16_t)sam_rsa_size(alice->rsa);
    header.block_length = (uint16_t)sam_rsa_size(bob->rsa);
    header.body_length = (uint32_t)header.block_length + header.signature_length;
    memcpy(header.sender, alice->id, sizeof header.sender);
    memcpy(header.recipient, bob->id, sizeof header.recipient);
    enum sam_status status = sam_random(header.message_id, sizeof header.message_id);
    sam_header_write(bytes, &header);
    return status;
}

enum sam_status talking_signature_seal(struct sealed *out, const struct sam_party *alice,
                                       const struct sam_key *bob, const struct text *letter) {
    uint8_t label[SAM_LABEL_SIZE];
    uint8_t *header = out->bytes, *block = header + SAM_HEADER_SIZE;
    uint8_t *signature = block + sam_rsa_size(bob->rsa);
    *out = (struct sealed){0};
    enum sam_status status = make_header(header, alice->own, bob);
    if (status == SAM_OK)
        status = sam_pss_sign(alice->crypto, alice->own->rsa, signature, header, SAM_HEADER_SIZE,
                              letter->bytes, letter->length);
    if (status == SAM_OK)
        status = sam_label(alice->crypto, label, header, NULL, 0);
    if (status == SAM_OK)
        status = sam_oaep_encrypt(alice->crypto, bob->rsa, block, label, sizeof label,
                                  letter->bytes, letter->length);
    if (status == SAM_OK)
        out->length = (size_t)(signature - header) + sam_rsa_size(alice->own->rsa);
    else
        *out = (struct sealed){0};
    return status;
}

enum sam_status talking_signature_open(struct text *letter, const struct sam_party *bob,
                                       const struct sam_ring *trusted,
                                       const struct sealed *envelope) {
    struct sam_expectation expected = {
        .trusted = trusted, .kinds = SAM_KINDS_OF_CLIENT, .max_message = LETTER_MAX};
    struct sam_header header;
    const struct sam_key *alice;
    uint8_t label[SAM_LABEL_SIZE], opened[SAM_RSA_SIZE_MAX];
    size_t length = 0;
    const uint8_t *block = envelope->bytes + SAM_HEADER_SIZE;
    *letter = (struct text){0};
    if (envelope->length < SAM_HEADER_SIZE)
        return SAM_TRUNCATED;
    enum sam_status status = sam_envelope_check(&header, &alice, bob, &expected, envelope->bytes);
    if (status == SAM_OK &&
        (header.body_length != (uint32_t)header.block_length + header.signature_length ||
         header.body_length != envelope->length - SAM_HEADER_SIZE))
        status = SAM_LENGTH;
    if (status == SAM_OK)
        status = sam_label(bob->crypto, label, envelope->bytes, NULL, 0);
    if (status == SAM_OK)
        status = sam_oaep_decrypt(bob->crypto, bob->own->rsa, opened, &length, label, sizeof label,
                                  block);
    if (status == SAM_OK && length > LETTER_MAX)
        status = SAM_TOO_LONG;
    if (status == SAM_OK)
        status = sam_pss_verify(bob->crypto, alice->rsa, block + header.block_length,
                                envelope->bytes, SAM_HEADER_SIZE, opened, length);
    if (status == SAM_OK) {
        letter->length = length;
        memcpy(letter->bytes, opened, length);
    }
    sam_wipe(opened, sizeof opened);
    return status;
}
