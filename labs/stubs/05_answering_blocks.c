/* Lab 05: Blocks that answer. What to write stands at each TODO; what the functions get, in
 * answering_blocks.h. */
#include <string.h>

#include "answering_blocks.h"

size_t capacity(size_t modulus, size_t hash) {
    /* TODO: RFC 8017, 7.1.1. Mind what becomes of a size_t below zero. */
    (void)modulus, (void)hash;
    return 0;
}

/* You are Mallory, from here on. */
void cut_and_paste(uint8_t envelope[ANSWERING_MAX], const char *const lines[],
                   const char *const wanted[], size_t count) {
    /* TODO: give each block the content that it shall have. Do you have to read a block for that?
     * How long a block is stands in the header (docs/protocol.md, section 2). */
    (void)envelope, (void)lines, (void)wanted, (void)count;
}

void replace_block(uint8_t envelope[ANSWERING_MAX], struct sam_crypto *crypto,
                   const struct sam_key *bob, uint32_t index, const char *text) {
    /* TODO: seal the line as Alice would. Which label does Bob open this block with? A format has a
     *       function for it: answering_second.label. */
    (void)envelope, (void)crypto, (void)bob, (void)index, (void)text;
}

void guess_code(char code[ANSWERING_DIGITS + 1], struct sam_crypto *crypto,
                const struct sam_key *bob, int wire) {
    memset(code, 0, ANSWERING_DIGITS + 1);
    /* TODO: take an envelope, change it, pass it on. What does Bob's answer tell? */
    (void)crypto, (void)bob, (void)wire;
}

/* You are Bob's and Alice's programmer. */
enum sam_status label_of(struct sam_crypto *crypto, uint8_t label[SAM_LABEL_SIZE],
                         const uint8_t header[SAM_HEADER_SIZE], const uint8_t *salt,
                         uint32_t index) {
    /* TODO: a label that nobody but the two can compute, and that is another for each block. */
    (void)crypto, (void)label, (void)header, (void)salt, (void)index;
    return SAM_CRYPTO;
}
