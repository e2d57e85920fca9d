/* Lab 04. The envelopes are those of docs/protocol.md, mode 1, with one block; what stands in the
 * letter is another matter:
 *
 *   header (SAM_HEADER_SIZE) || OAEP block: the letter (B) || signature of header || letter (S)
 */
#ifndef TALKING_SIGNATURE_H
#define TALKING_SIGNATURE_H

#include "envelope.h"

enum {
    LETTER_MAX = SAM_RSA_SIZE_MIN - SAM_OAEP_OVERHEAD, /* fits a block of any key */
    ENVELOPE_MAX = SAM_HEADER_SIZE + 2 * SAM_RSA_SIZE_MAX,
    PIN_SIZE = 4, /* decimal digits, "0042" */
    PINS = 10000
};

/* A message or a letter. */
struct text {
    size_t length;
    uint8_t bytes[LETTER_MAX];
};

struct sealed {
    size_t length;
    uint8_t bytes[ENVELOPE_MAX];
};

/* flawed.c: the message as a letter, and back. */
SAM_MUST_CHECK enum sam_status talking_signature_write(struct text *letter,
                                                       const struct text *message);
SAM_MUST_CHECK enum sam_status talking_signature_read(struct text *message,
                                                      const struct text *letter);

/* flawed.c: signs a letter and seals it for bob, and back. On failure *out or *letter is zeros. */
SAM_MUST_CHECK enum sam_status talking_signature_seal(struct sealed *out,
                                                      const struct sam_party *alice,
                                                      const struct sam_key *bob,
                                                      const struct text *letter);
SAM_MUST_CHECK enum sam_status talking_signature_open(struct text *letter,
                                                      const struct sam_party *bob,
                                                      const struct sam_ring *trusted,
                                                      const struct sealed *envelope);

/* student.c: the PIN in an envelope from sender, who wrote "PIN dddd"; Eve believes that these
 * bytes stand before it in the letter (length 0: nothing does). sender is a public key, and crypto
 * counts the guesses. SAM_OK: pin is the four digits and NUL. SAM_SIGNATURE when it is none of all
 * PINS, or as sam_pss_verify when it could not be tried: pin is "". */
enum sam_status recover_pin(char pin[PIN_SIZE + 1], struct sam_crypto *crypto,
                            const struct sam_key *sender, const struct sealed *envelope,
                            const struct text *before);

/* student.c: talking_signature_write, mended. The letter is SAM_SALT_SIZE bytes that you choose
 * well, and then the message. On failure (SAM_TOO_LONG: over LETTER_MAX bytes; SAM_CRYPTO) *letter
 * is zeros. */
enum sam_status write_letter(struct text *letter, const struct text *message);

/* student.c: the message of such a letter, any bytes behind it zero. On failure (SAM_TRUNCATED: no
 * letter is as short as that) *message is zeros. */
enum sam_status read_letter(struct text *message, const struct text *letter);

#endif
