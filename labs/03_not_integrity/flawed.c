/* A session that encrypts every message under a good key, with a good cipher, and counts them. What
 * does Bob know about a record that he could open? */
#include <string.h>

#include "not_integrity.h"

enum { SEQUENCE = 8, LENGTH = 12, NONCE = SAM_RECORD_SIZE }; /* offsets in a record */

void not_integrity_header(uint8_t out[SAM_RECORD_SIZE], uint8_t kind, uint32_t sequence,
                          size_t length) {
    memcpy(out, "SAMS\1\2\0", SAM_PROLOGUE_SIZE); /* version 1, mode 2 */
    out[SAM_AT_KIND] = kind;
    sam_put32(out + SEQUENCE, sequence);
    sam_put32(out + LENGTH, (uint32_t)length);
}

/* AES-256-CTR, in place. The library has none, but its GCM encrypts with CTR before it makes a tag:
 * so this is GCM with the tag thrown away. It decrypts as well: CTR twice, under the same key and
 * nonce, gives back what there was. */
static enum sam_status ctr(const struct direction *direction, const uint8_t *nonce, uint8_t *data,
                           size_t length) {
    uint8_t tag[SAM_GCM_TAG_SIZE];
    return sam_gcm_encrypt(direction->crypto, direction->key, nonce, NULL, 0, data, length, tag);
}

enum sam_status not_integrity_seal(uint8_t *record, struct direction *alice, uint8_t kind,
                                   const void *message, size_t length) {
    uint8_t *ciphertext = record + NOT_INTEGRITY_OVERHEAD;
    if (alice->sequence == UINT32_MAX)
        return SAM_LAST_SEQUENCE;
    not_integrity_header(record, kind, alice->sequence, SAM_GCM_NONCE_SIZE + length);
    enum sam_status status = sam_random(record + NONCE, SAM_GCM_NONCE_SIZE);
    memcpy(ciphertext, message, length);
    if (status == SAM_OK)
        status = ctr(alice, record + NONCE, ciphertext, length);
    if (status == SAM_OK)
        alice->sequence++;
    return status;
}

void not_integrity_open(struct delivery *out, struct direction *bob, uint8_t *record,
                        size_t length) {
    *out = (struct delivery){0};
    if (length < NOT_INTEGRITY_OVERHEAD)
        out->status = SAM_TRUNCATED;
    else if (sam_get32(record + SEQUENCE) != bob->sequence)
        out->status = SAM_ORDER;
    else
        out->status = ctr(bob, record + NONCE, record + NOT_INTEGRITY_OVERHEAD,
                          length - NOT_INTEGRITY_OVERHEAD);
    if (out->status != SAM_OK)
        return;
    out->length = length - NOT_INTEGRITY_OVERHEAD;
    memcpy(out->message, record + NOT_INTEGRITY_OVERHEAD, out->length);
    bob->sequence++;
}
