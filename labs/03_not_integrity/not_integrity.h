/* Lab 03. Records of a session, in one direction, from alice to bob. The key is theirs alone: they
 * agreed on it when the connection was made, and there is nothing wrong with that. */
#ifndef NOT_INTEGRITY_H
#define NOT_INTEGRITY_H

#include "delivery.h"
#include "wire.h"

/* What each of the two keeps. Sealing a record or opening one makes sequence one more; a failure
 * leaves it alone. */
struct direction {
    struct sam_crypto *crypto;
    uint8_t key[SAM_GCM_KEY_SIZE];
    uint32_t sequence; /* of the next record */
};

/* Flawed and mended records begin with the header of docs/protocol.md, section 9. What they add to
 * a message, in bytes: */
enum {
    NOT_INTEGRITY_OVERHEAD = SAM_RECORD_SIZE + SAM_GCM_NONCE_SIZE, /* flawed */
    RECORD_OVERHEAD = SAM_RECORD_SIZE + SAM_GCM_TAG_SIZE,          /* as in section 9 */
    RECORD_MAX = RECORD_OVERHEAD + DELIVERY_MAX                    /* of the mended ones */
};

/* flawed.c: writes such a header. length is that of all that follows it. There is nothing wrong
 * with this one. */
void not_integrity_header(uint8_t out[SAM_RECORD_SIZE], uint8_t kind, uint32_t sequence,
                          size_t length);

/* flawed.c: makes the next record: header || nonce (12) || AES-256-CTR(key, nonce, message). It has
 * length + NOT_INTEGRITY_OVERHEAD bytes; length is at most DELIVERY_MAX. SAM_LAST_SEQUENCE, and
 * nothing is written, when the direction has come to UINT32_MAX. */
SAM_MUST_CHECK enum sam_status not_integrity_seal(uint8_t *record, struct direction *alice,
                                                  uint8_t kind, const void *message, size_t length);

/* flawed.c: opens a record of length bytes, at most DELIVERY_MAX + NOT_INTEGRITY_OVERHEAD, and may
 * write in it. *out is what comes of it; out->sender stays empty. SAM_TRUNCATED, SAM_ORDER: it is
 * too short to be one, or has another sequence than the one that is due. */
void not_integrity_open(struct delivery *out, struct direction *bob, uint8_t *record,
                        size_t length);

/* student.c: Mallory has the ciphertext of an order before Bob gets it. It says what known says,
 * byte for byte, but for each ? in known: there she does not know. Changes the ciphertext so that
 * Bob reads wanted. wanted is as long as known, and has a ? in the same places: there Bob reads
 * what Alice wrote. */
void patch(uint8_t *ciphertext, const char *known, const char *wanted);

/* student.c: Mallory has a copy of the record that Bob opened last, by not_integrity_open. Changes
 * it so that he takes it as the next. */
void again(uint8_t *record);

/* student.c: not_integrity_seal, mended: the next record is that of docs/protocol.md, section 9, of
 * length + RECORD_OVERHEAD bytes. SAM_LAST_SEQUENCE as there. */
SAM_MUST_CHECK enum sam_status record_seal(uint8_t *record, struct direction *alice, uint8_t kind,
                                           const void *message, size_t length);

/* student.c: not_integrity_open, mended, for the records of record_seal, at most RECORD_MAX bytes.
 * SAM_TRUNCATED and SAM_ORDER as there, and before anything is decrypted. SAM_DECRYPT: anything
 * else in header, ciphertext or tag is not as it was sealed. After a failure *out is zeros but for
 * its status. */
void record_open(struct delivery *out, struct direction *bob, uint8_t *record, size_t length);

#endif
