/* Lab 05. A letter longer than a block, sealed in two ways that docs/protocol.md does not take. */
#ifndef ANSWERING_BLOCKS_H
#define ANSWERING_BLOCKS_H

#include "delivery.h"
#include "envelope.h"

enum {
    ANSWERING_MAX = 4096,   /* bytes of an envelope here */
    ANSWERING_DIGITS = 6,   /* of a code */
    ANSWERING_TEXT = 32,    /* bytes of a line's text, NUL included */
    ANSWERING_MESSAGES = 60 /* that the panel sends before it is silent */
};

/* How the letter, which is salt || message, becomes blocks. */
struct answering_format {
    /* OAEP's label of block index, from 0. salt is NULL for block 0: it is inside. */
    enum sam_status (*label)(struct sam_crypto *crypto, uint8_t label[SAM_LABEL_SIZE],
                             const uint8_t header[SAM_HEADER_SIZE], const uint8_t *salt,
                             uint32_t index);
    size_t salt_size;  /* SAM_SALT_SIZE, or 0: no salt */
    bool signs_letter; /* the signature is over header || letter; otherwise over the header */
};
extern const struct answering_format answering_first, answering_second; /* see flawed.c */

/* Alice, who seals, and Bob, who opens. Pointers are borrowed. */
struct answering_ends {
    struct answering_format format;
    struct sam_party alice, bob;
    const struct sam_ring *trusted; /* by bob */
};

/* Seals a message for bob: fills out, and the header says how much of it (see sam_unit_length).
 * SAM_TOO_LONG, SAM_CRYPTO. */
SAM_MUST_CHECK enum sam_status answering_seal(uint8_t out[ANSWERING_MAX],
                                              const struct answering_ends *ends,
                                              const void *message, size_t length);

/* Opens an envelope. *out is what comes of it: the message, or a status alone. (The same envelope
 * is taken twice: that is lab 08's matter.) */
void answering_open(struct delivery *out, const struct answering_ends *ends,
                    const uint8_t envelope[ANSWERING_MAX]);

/* A line of a form: the text, and blanks up to length bytes. */
void answering_line(uint8_t *out, size_t length, const char *text);

/* A form of count lines, each as long as its block has room for it: the first shares its block with
 * the salt. recipient is the key it will be sealed for. Returns how long the form is. */
size_t answering_form(uint8_t out[ANSWERING_MAX], const struct sam_rsa *recipient, size_t salt_size,
                      const char *const lines[], size_t count);

/* The text of the line that tells a digit ('0' to '9') of a code. number counts from 1. */
void answering_digit(char text[ANSWERING_TEXT], uint32_t number, char digit);

/* Alice's alarm panel, and Bob: seals the same form again and again, and answers on wire whether
 * what came back for it was accepted. Returns how often; said are Bob's statuses. Ends with the
 * wire, or at the deadline. */
unsigned answering_panel(enum sam_status said[ANSWERING_MESSAGES], int wire, int64_t deadline,
                         const struct answering_ends *ends, const void *form, size_t length);

/* Mallory's place on the wire from alice's alarm panel to bob. Each envelope that she takes is a
 * new one with the code of today, in the second format: block 0 holds the salt and a title, block n
 * the line of digit n, as long as a block can be. False: the panel sends no more. */
SAM_MUST_CHECK bool answering_take(int wire, uint8_t envelope[ANSWERING_MAX]);

/* Passes an envelope on to bob, and tells whether he accepted it. */
bool answering_pass_on(int wire, const uint8_t envelope[ANSWERING_MAX]);

/* What follows is in student.c. */

/* How many bytes fit in an OAEP block (RFC 8017, 7.1.1) of a modulus of so many bytes, with a hash
 * of so many bytes. 0 when nothing fits. */
size_t capacity(size_t modulus, size_t hash);

/* Changes an envelope of the first format so that bob reads other lines. It has count blocks, and
 * lines[i] is what block i says; wanted[i] is what block i shall say, each one of the lines. Nobody
 * gives you a key. */
void cut_and_paste(uint8_t envelope[ANSWERING_MAX], const char *const lines[],
                   const char *const wanted[], size_t count);

/* Puts a block of your own in the place of block index, from 1, of an envelope of the second
 * format: it holds a line with that text, as long as a block can be. bob holds a public key. */
void replace_block(uint8_t envelope[ANSWERING_MAX], struct sam_crypto *crypto,
                   const struct sam_key *bob, uint32_t index, const char *text);

/* Finds the code that the panel sends. The line ends after ANSWERING_MESSAGES. */
void guess_code(char code[ANSWERING_DIGITS + 1], struct sam_crypto *crypto,
                const struct sam_key *bob, int wire);

/* The second format's label, mended: see struct answering_format. Alice and Bob both call it. */
enum sam_status label_of(struct sam_crypto *crypto, uint8_t label[SAM_LABEL_SIZE],
                         const uint8_t header[SAM_HEADER_SIZE], const uint8_t *salt,
                         uint32_t index);

#endif
