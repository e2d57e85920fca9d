/* A receiver of mode 1 that fails open. Which line would you not have written? */
#include <stdio.h>
#include <string.h>

#include "fail_open.h"

enum sam_status fail_open_unseal(struct unsealed *out, const struct sam_party *bob,
                                 const struct sam_expectation *expected, uint8_t *envelope,
                                 size_t length) {
    struct sam_header header;
    const struct sam_key *sender;
    *out = (struct unsealed){0};
    if (length < SAM_HEADER_SIZE)
        return SAM_TRUNCATED;
    enum sam_status status = sam_envelope_check(&header, &sender, bob, expected, envelope);
    if (status == SAM_OK && header.body_length != length - SAM_HEADER_SIZE)
        status = SAM_LENGTH;
    if (status != SAM_OK)
        return status;
    uint8_t *body = envelope + SAM_HEADER_SIZE;
    struct sam_layout at = {.length = header.body_length};
    status = bob->mode->open(bob->crypto, bob->own->rsa, envelope, &header, body, &at, NULL);
    if (status == SAM_OK)
        *out = (struct unsealed){.sender = sender,
                                 .header = envelope,
                                 .letter = body + at.letter,
                                 .letter_length = at.letter_length,
                                 .signature = body + at.signature};
    else
        sam_wipe(body, header.body_length);
    return status;
}

void fail_open_receive(struct delivery *out, const struct sam_party *bob,
                       const struct sam_expectation *expected, uint8_t *envelope, size_t length) {
    struct unsealed unsealed;
    *out = (struct delivery){0};
    out->status = fail_open_unseal(&unsealed, bob, expected, envelope, length);
    if (out->status != SAM_OK)
        return;

    out->status =
        sam_pss_verify(bob->crypto, unsealed.sender->rsa, unsealed.signature, unsealed.header,
                       SAM_HEADER_SIZE, unsealed.letter, unsealed.letter_length);

    out->length = unsealed.letter_length - SAM_SALT_SIZE;
    if (out->length > DELIVERY_MAX)
        out->length = DELIVERY_MAX;
    memcpy(out->message, unsealed.letter + SAM_SALT_SIZE, out->length);
    snprintf(out->sender, sizeof out->sender, "%s", unsealed.sender->name);
}
