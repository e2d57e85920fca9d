/* Lab 06. An order is three fields, and a field is any bytes. How do they travel, and what exactly
 * has Alice signed? */
#ifndef BYTES_NOT_STRINGS_H
#define BYTES_NOT_STRINGS_H

#include <stdbool.h>

#include "primitives.h"

enum {
    FIELD_MAX = 64,   /* bytes of a field */
    TEXT_MAX = 256,   /* of an order as text, NUL included */
    ENCODED_MAX = 204 /* of an order as encode writes it */
};

struct field {
    size_t length;
    uint8_t bytes[FIELD_MAX]; /* what stands behind length of them means nothing */
};

enum order_part {
    ORDER_TO,     /* an account: digits */
    ORDER_AMOUNT, /* digits */
    ORDER_NOTE,   /* what the payee wants to read */
    ORDER_PARTS
};

struct order {
    struct field part[ORDER_PARTS];
};

/* flawed.c, part one: an order as text, and back. Alice signs the text and sends it. */

/* Writes to='4711' amount='0100' note='rent'. */
void bytes_not_strings_write(char out[TEXT_MAX], const struct order *order);

/* False when the text cannot be read: *out may then hold anything. */
bool bytes_not_strings_read(struct order *out, const char *text);

/* flawed.c, part two: the fields travel each by itself, and Alice's signature with them. */

/* signature holds sam_rsa_size(own) bytes. On failure (SAM_CRYPTO) it is zeroed. */
SAM_MUST_CHECK enum sam_status bytes_not_strings_sign(struct sam_crypto *crypto,
                                                      const struct sam_rsa *own, uint8_t *signature,
                                                      const struct order *order);

/* SAM_OK or SAM_SIGNATURE; SAM_CRYPTO. */
SAM_MUST_CHECK enum sam_status bytes_not_strings_verify(struct sam_crypto *crypto,
                                                        const struct sam_rsa *sender,
                                                        const uint8_t *signature,
                                                        const struct order *order);

/* flawed.c, part three: receives a message of length bytes from a blocking stream socket. */
SAM_MUST_CHECK enum sam_status bytes_not_strings_receive(int fd, uint8_t *message, size_t length);

/* student.c: a note for Alice's next order, printable ASCII. Whatever amount she enters, the reader
 * of part one takes it for this one. Returns how many bytes of note, at most max, it has. */
size_t inject(char *note, size_t max, const char *amount);

/* student.c: another order that Alice's signature of this one verifies for in part two. It still
 * names an account and an amount, each in 1 to 9 digits, but the amount is a higher one. */
void collide(struct order *other, const struct order *order);

/* student.c: what Alice signs and sends from now on. One order has one encoding, and two orders
 * never have the same. Returns how many bytes it has. */
size_t encode(uint8_t out[ENCODED_MAX], const struct order *order);

/* student.c: the order that is encoded in these length bytes, which may be Mallory's. SAM_OK;
 * SAM_TRUNCATED when some are missing at the end; SAM_LENGTH when there are more, or a field is
 * longer than FIELD_MAX. Never SAM_OK for what encode never makes. On failure *out is zeroed. */
SAM_MUST_CHECK enum sam_status decode(struct order *out, const uint8_t *in, size_t length);

/* student.c: reads exactly length bytes from a blocking stream socket, and leaves what comes behind
 * them. SAM_CLOSED: the other side ended before the first byte; SAM_TRUNCATED: after it;
 * SAM_NETWORK: reading failed, and not because a signal came. On failure message is zeroed. */
SAM_MUST_CHECK enum sam_status read_full(int fd, uint8_t *message, size_t length);

#endif
