/* Lab 09. The envelopes are those of docs/protocol.md, mode 2, but for what is signed. */
#ifndef FORWARDING_H
#define FORWARDING_H

#include "delivery.h"
#include "envelope.h"

enum {
    LETTER_MAX = SAM_SALT_SIZE + DELIVERY_MAX,
    SEALED_MAX = SAM_HEADER_SIZE + SAM_RSA_SIZE_MAX + SAM_GCM_NONCE_SIZE + LETTER_MAX +
                 SAM_RSA_SIZE_MAX + SAM_GCM_TAG_SIZE,
    SIGNED_MAX = 2 * LETTER_MAX /* room to spare */
};

/* An envelope, header first. */
struct sealed {
    size_t length;
    uint8_t bytes[SEALED_MAX];
};

/* What is encrypted in it. */
struct content {
    size_t letter_length;
    size_t signature_length;
    uint8_t letter[LETTER_MAX]; /* salt (SAM_SALT_SIZE bytes), then the message */
    uint8_t signature[SAM_RSA_SIZE_MAX];
};

/* What a sender signs and a recipient verifies: writes it to out and returns how many bytes it has.
 * header is as it travels, its recipient and lengths filled in; letter is salt and message. */
typedef size_t signed_bytes_function(uint8_t out[SIGNED_MAX], const uint8_t header[SAM_HEADER_SIZE],
                                     const uint8_t *letter, size_t letter_length);

/* flawed.c: what its Alice signs. */
signed_bytes_function forwarding_signed_bytes;

/* student.c: the same, mended. Two envelopes never have the same signed bytes when they differ in
 * recipient, sender, mode, kind, sequence, time, message id, reference or letter, whatever these
 * hold. */
signed_bytes_function signed_bytes;

/* student.c: bob has got an envelope. Makes another one of it, for carol: from the same sender, the
 * same message, first (sequence 0) on a connection that carol greeted with this challenge. Of keys
 * there are bob's pair and carol's public one. out->length is 0 when that fails. */
void forward(struct sealed *out, const struct sam_party *bob, const struct sam_key *carol,
             const uint8_t challenge[SAM_ID_SIZE], const struct sealed *got);

/* flawed.c: decrypts an envelope as its recipient, and verifies nothing. Such a header can be any
 * client's. On failure (a status of sam_header_read, SAM_LENGTH, SAM_DECRYPT) *content is zeroed.
 */
SAM_MUST_CHECK enum sam_status forwarding_decrypt(struct content *content,
                                                  struct sam_header *header,
                                                  const struct sam_party *recipient,
                                                  const struct sealed *envelope);

/* flawed.c: writes header and content to an envelope that recipient can decrypt. SAM_LENGTH when
 * one of the header's three lengths is not that of content and key (docs/protocol.md, section 2).
 * On failure *out is zeroed. */
SAM_MUST_CHECK enum sam_status forwarding_encrypt(struct sealed *out, struct sam_crypto *crypto,
                                                  const struct sam_key *recipient,
                                                  const struct sam_header *header,
                                                  const struct content *content);

/* flawed.c: a message, which is text of at most DELIVERY_MAX bytes, becomes an envelope. On failure
 * *out is zeroed. */
SAM_MUST_CHECK enum sam_status forwarding_seal(struct sealed *out, const struct sam_party *sender,
                                               const struct sam_key *recipient,
                                               const struct sam_address *address,
                                               const char *message, signed_bytes_function *what);

/* flawed.c: receives an envelope. *out is what comes of it. */
void forwarding_open(struct delivery *out, const struct sam_party *recipient,
                     const struct sam_expectation *expected, const struct sealed *envelope,
                     signed_bytes_function *what);

#endif
