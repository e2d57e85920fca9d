/* Lab 02. The envelopes are those of docs/protocol.md, mode 1; the receiver is another. */
#ifndef FAIL_OPEN_H
#define FAIL_OPEN_H

#include "delivery.h"
#include "envelope.h"

/* An envelope that has been decrypted, and nothing more. Pointers lead into the envelope. */
struct unsealed {
    const struct sam_key *sender; /* whom the header names; bob trusts the key of this name */
    const uint8_t *header;        /* SAM_HEADER_SIZE bytes */
    uint8_t *letter;              /* salt (SAM_SALT_SIZE bytes), then the message */
    size_t letter_length;
    const uint8_t *signature; /* sam_rsa_size(sender->rsa) bytes */
};

/* Steps 1 to 3 of opening (docs/protocol.md, section 7): the header, freshness, decryption, where
 * the letter stood encrypted. On failure *out is zeros, and nothing of the letter is left. There is
 * nothing wrong with this one. */
SAM_MUST_CHECK enum sam_status fail_open_unseal(struct unsealed *out, const struct sam_party *bob,
                                                const struct sam_expectation *expected,
                                                uint8_t *envelope, size_t length);

/* flawed.c: receives an envelope of length bytes as bob. *out is what comes of it. */
void fail_open_receive(struct delivery *out, const struct sam_party *bob,
                       const struct sam_expectation *expected, uint8_t *envelope, size_t length);

/* student.c: an envelope for bob that says it is from alice and holds the order, by somebody who
 * has no private key at all: alice and bob hold public ones. challenge is that of bob's greeting.
 * out has room for max bytes; returns how many of them are the envelope. */
size_t forge(uint8_t *out, size_t max, struct sam_crypto *crypto, const struct sam_key *alice,
             const struct sam_key *bob, const uint8_t challenge[SAM_ID_SIZE], const char *order);

/* student.c: fail_open_receive, mended. What fails anywhere is not handed over: *out is then zeros
 * but for its status, and nothing of the letter is left in the envelope. A message over
 * DELIVERY_MAX bytes fails with SAM_TOO_LONG. */
void receive(struct delivery *out, const struct sam_party *bob,
             const struct sam_expectation *expected, uint8_t *envelope, size_t length);

#endif
