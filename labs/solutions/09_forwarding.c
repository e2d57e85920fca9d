/* Lab 09: Surreptitious forwarding. */
#include <string.h>

#include "forwarding.h"

void forward(struct sealed *out, const struct sam_party *bob, const struct sam_key *carol,
             const uint8_t challenge[SAM_ID_SIZE], const struct sealed *got) {
    struct content content;
    struct sam_header header;
    *out = (struct sealed){0};
    if (forwarding_decrypt(&content, &header, bob, got) != SAM_OK)
        return;
    size_t block = sam_rsa_size(carol->rsa);
    header.body_length = (uint32_t)(header.body_length - header.block_length + block);
    header.block_length = (uint16_t)block;
    header.sequence = 0;
    memcpy(header.reference, challenge, SAM_ID_SIZE);
    memcpy(header.recipient, carol->id, SAM_KEY_ID_SIZE);
    if (forwarding_encrypt(out, bob->crypto, carol, &header, &content) != SAM_OK)
        out->length = 0;
}

size_t signed_bytes(uint8_t out[SIGNED_MAX], const uint8_t header[SAM_HEADER_SIZE],
                    const uint8_t *letter, size_t letter_length) {
    memcpy(out, header, SAM_HEADER_SIZE);
    memcpy(out + SAM_HEADER_SIZE, letter, letter_length);
    return SAM_HEADER_SIZE + letter_length;
}
