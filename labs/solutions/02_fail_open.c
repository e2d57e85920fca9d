/* Lab 02: Fail open. */
#include <stdio.h>
#include <string.h>

#include "fail_open.h"

size_t forge(uint8_t *out, size_t max, struct sam_crypto *crypto, const struct sam_key *alice,
             const struct sam_key *bob, const uint8_t challenge[SAM_ID_SIZE], const char *order) {
    size_t signature = sam_rsa_size(alice->rsa), block = sam_rsa_size(bob->rsa);
    size_t length = SAM_HEADER_SIZE + block + signature;
    uint8_t label[SAM_LABEL_SIZE], letter[SAM_RSA_SIZE_MAX] = {0};
    struct sam_header header = {.mode = 1, .kind = SAM_KIND_SEND};
    header.signature_length = (uint16_t)signature;
    header.block_length = (uint16_t)block;
    header.body_length = (uint32_t)(block + signature);
    memcpy(header.reference, challenge, SAM_ID_SIZE);
    memcpy(header.sender, alice->id, sizeof header.sender);
    memcpy(header.recipient, bob->id, sizeof header.recipient);
    if (length > max)
        return 0;
    sam_header_write(out, &header);
    snprintf((char *)letter + SAM_SALT_SIZE, sizeof letter - SAM_SALT_SIZE, "%s", order);
    memset(out + SAM_HEADER_SIZE + block, 0x42, signature);
    return sam_label(crypto, label, out, NULL, 0) == SAM_OK &&
                   sam_oaep_encrypt(crypto, bob->rsa, out + SAM_HEADER_SIZE, label, sizeof label,
                                    letter, SAM_SALT_SIZE + strlen(order)) == SAM_OK
               ? length
               : 0;
}

void receive(struct delivery *out, const struct sam_party *bob,
             const struct sam_expectation *expected, uint8_t *envelope, size_t length) {
    struct unsealed unsealed;
    *out = (struct delivery){0};
    enum sam_status status = fail_open_unseal(&unsealed, bob, expected, envelope, length);
    if (status == SAM_OK)
        status =
            sam_pss_verify(bob->crypto, unsealed.sender->rsa, unsealed.signature, unsealed.header,
                           SAM_HEADER_SIZE, unsealed.letter, unsealed.letter_length);
    if (status == SAM_OK && unsealed.letter_length - SAM_SALT_SIZE > DELIVERY_MAX)
        status = SAM_TOO_LONG;
    if (status == SAM_OK) {
        out->length = unsealed.letter_length - SAM_SALT_SIZE;
        memcpy(out->message, unsealed.letter + SAM_SALT_SIZE, out->length);
        snprintf(out->sender, sizeof out->sender, "%s", unsealed.sender->name);
    } else if (unsealed.letter != NULL) {
        sam_wipe(unsealed.letter, unsealed.letter_length);
    }
    out->status = status;
}
