/* Lab 03: Encryption is not integrity. */
#include <string.h>

#include "not_integrity.h"

enum { SEQUENCE = 8 }; /* its offset in a record's header */

void patch(uint8_t *ciphertext, const char *known, const char *wanted) {
    for (size_t i = 0; known[i] != '\0'; i++)
        ciphertext[i] ^= (uint8_t)(known[i] ^ wanted[i]); /* nothing where both are ? */
}

void again(uint8_t *record) {
    sam_put32(record + SEQUENCE, sam_get32(record + SEQUENCE) + 1);
}

enum sam_status record_seal(uint8_t *record, struct direction *alice, uint8_t kind,
                            const void *message, size_t length) {
    uint8_t nonce[SAM_GCM_NONCE_SIZE] = {0}, *ciphertext = record + SAM_RECORD_SIZE;
    if (alice->sequence == UINT32_MAX)
        return SAM_LAST_SEQUENCE;
    sam_put32(nonce + 8, alice->sequence);
    not_integrity_header(record, kind, alice->sequence, length + SAM_GCM_TAG_SIZE);
    memcpy(ciphertext, message, length);
    enum sam_status status =
        sam_gcm_encrypt(alice->crypto, alice->key, nonce, record, SAM_RECORD_SIZE, ciphertext,
                        length, ciphertext + length);
    if (status == SAM_OK)
        alice->sequence++;
    return status;
}

void record_open(struct delivery *out, struct direction *bob, uint8_t *record, size_t length) {
    uint8_t nonce[SAM_GCM_NONCE_SIZE] = {0}, *ciphertext = record + SAM_RECORD_SIZE;
    *out = (struct delivery){.status = SAM_TRUNCATED};
    if (length < RECORD_OVERHEAD)
        return;
    length -= RECORD_OVERHEAD;
    sam_put32(nonce + 8, bob->sequence);
    if (sam_get32(record + SEQUENCE) != bob->sequence)
        out->status = SAM_ORDER;
    else
        out->status = sam_gcm_decrypt(bob->crypto, bob->key, nonce, record, SAM_RECORD_SIZE,
                                      ciphertext, length, ciphertext + length);
    if (out->status != SAM_OK)
        return;
    memcpy(out->message, ciphertext, length);
    out->length = length;
    bob->sequence++;
}
