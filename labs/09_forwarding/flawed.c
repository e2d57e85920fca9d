/* Letters that are signed, then encrypted. Each step is done well. Which question does nobody ask?
 */
#include <stdio.h>
#include <string.h>

#include "forwarding.h"

/* Alice signs what she wrote. */
size_t forwarding_signed_bytes(uint8_t out[SIGNED_MAX], const uint8_t header[SAM_HEADER_SIZE],
                               const uint8_t *letter, size_t letter_length) {
    (void)header;
    memcpy(out, letter, letter_length);
    return letter_length;
}

enum sam_status forwarding_decrypt(struct content *content, struct sam_header *header,
                                   const struct sam_party *recipient,
                                   const struct sealed *envelope) {
    uint8_t body[SEALED_MAX];
    *content = (struct content){0};
    *header = (struct sam_header){0};
    if (envelope->length < SAM_HEADER_SIZE || envelope->length > SEALED_MAX)
        return SAM_LENGTH;
    enum sam_status status =
        sam_header_read(header, envelope->bytes, recipient->mode->number, SAM_KINDS_OF_CLIENT);
    if (status != SAM_OK)
        return status;
    if (!recipient->mode->fits(header, DELIVERY_MAX) ||
        header->body_length != envelope->length - SAM_HEADER_SIZE ||
        header->block_length != sam_rsa_size(recipient->own->rsa))
        return SAM_LENGTH;
    struct sam_layout at = {.length = header->body_length};
    memcpy(body, envelope->bytes + SAM_HEADER_SIZE, header->body_length);
    status = recipient->mode->open(recipient->crypto, recipient->own->rsa, envelope->bytes, header,
                                   body, &at, NULL);
    if (status == SAM_OK) {
        content->letter_length = at.letter_length;
        content->signature_length = header->signature_length;
        memcpy(content->letter, body + at.letter, content->letter_length);
        memcpy(content->signature, body + at.signature, content->signature_length);
    }
    sam_wipe(body, sizeof body);
    return status;
}

enum sam_status forwarding_encrypt(struct sealed *out, struct sam_crypto *crypto,
                                   const struct sam_key *recipient, const struct sam_header *header,
                                   const struct content *content) {
    const struct sam_mode *mode = &sam_mode_asymmetric_symmetric;
    uint8_t *body = out->bytes + SAM_HEADER_SIZE;
    struct sam_layout at = mode->layout(content->letter_length, content->signature_length,
                                        sam_rsa_size(recipient->rsa));
    *out = (struct sealed){0};
    if (content->letter_length > LETTER_MAX || content->signature_length > SAM_RSA_SIZE_MAX ||
        header->signature_length != content->signature_length ||
        header->block_length != sam_rsa_size(recipient->rsa) || header->body_length != at.length)
        return SAM_LENGTH;
    sam_header_write(out->bytes, header);
    memcpy(body + at.letter, content->letter, content->letter_length);
    memcpy(body + at.signature, content->signature, content->signature_length);
    enum sam_status status = mode->seal(crypto, recipient->rsa, out->bytes, body, &at, NULL);
    if (status == SAM_OK)
        out->length = SAM_HEADER_SIZE + at.length;
    else
        sam_wipe(out, sizeof *out);
    return status;
}

static struct sam_header header_for(const struct sam_party *sender, const struct sam_key *recipient,
                                    const struct sam_address *address, size_t letter_length) {
    size_t signature = sam_rsa_size(sender->own->rsa), block = sam_rsa_size(recipient->rsa);
    struct sam_header header = {
        .mode = sender->mode->number,
        .kind = (uint8_t)address->kind,
        .signature_length = (uint16_t)signature,
        .block_length = (uint16_t)block,
        .body_length = (uint32_t)sender->mode->layout(letter_length, signature, block).length,
        .sequence = address->sequence,
        .sent_at = address->sent_at,
    };
    memcpy(header.reference, address->reference, SAM_ID_SIZE);
    memcpy(header.sender, sender->own->id, SAM_KEY_ID_SIZE);
    memcpy(header.recipient, recipient->id, SAM_KEY_ID_SIZE);
    return header;
}

enum sam_status forwarding_seal(struct sealed *out, const struct sam_party *sender,
                                const struct sam_key *recipient, const struct sam_address *address,
                                const char *message, signed_bytes_function *what) {
    struct content content = {.signature_length = sam_rsa_size(sender->own->rsa)};
    uint8_t header_bytes[SAM_HEADER_SIZE], to_sign[SIGNED_MAX];
    size_t length = strlen(message);
    *out = (struct sealed){0};
    if (length > DELIVERY_MAX)
        return SAM_TOO_LONG;
    content.letter_length = SAM_SALT_SIZE + length;
    memcpy(content.letter + SAM_SALT_SIZE, message, length);
    struct sam_header header = header_for(sender, recipient, address, content.letter_length);
    enum sam_status status = sam_random(header.message_id, SAM_ID_SIZE);
    if (status == SAM_OK)
        status = sam_random(content.letter, SAM_SALT_SIZE);
    if (status == SAM_OK) {
        sam_header_write(header_bytes, &header);
        length = what(to_sign, header_bytes, content.letter, content.letter_length);
        status = sam_pss_sign(sender->crypto, sender->own->rsa, content.signature, to_sign, length,
                              NULL, 0);
    }
    if (status == SAM_OK)
        status = forwarding_encrypt(out, sender->crypto, recipient, &header, &content);
    sam_wipe(&content, sizeof content);
    sam_wipe(to_sign, sizeof to_sign);
    return status;
}

void forwarding_open(struct delivery *out, const struct sam_party *recipient,
                     const struct sam_expectation *expected, const struct sealed *envelope,
                     signed_bytes_function *what) {
    struct content content = {0};
    struct sam_header header;
    const struct sam_key *sender = NULL;
    uint8_t to_verify[SIGNED_MAX] = {0};
    *out = (struct delivery){0};
    enum sam_status status =
        sam_envelope_check(&header, &sender, recipient, expected, envelope->bytes);
    if (status == SAM_OK)
        status = forwarding_decrypt(&content, &header, recipient, envelope);
    if (status == SAM_OK) {
        size_t length = what(to_verify, envelope->bytes, content.letter, content.letter_length);
        status = sam_pss_verify(recipient->crypto, sender->rsa, content.signature, to_verify,
                                length, NULL, 0);
    }
    if (status == SAM_OK) {
        out->length = content.letter_length - SAM_SALT_SIZE;
        memcpy(out->message, content.letter + SAM_SALT_SIZE, out->length);
        snprintf(out->sender, sizeof out->sender, "%s", sender->name);
    }
    out->status = status;
    sam_wipe(&content, sizeof content);
    sam_wipe(to_verify, sizeof to_verify);
}
