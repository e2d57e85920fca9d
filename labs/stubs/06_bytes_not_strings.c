/* Lab 06: Bytes, not strings. What to write stands at each TODO; what the functions get and return,
 * in bytes_not_strings.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bytes_not_strings.h"

/* You are Mallory, and Alice is about to pay you. Of her order you choose the note. */
size_t inject(char *note, size_t max, const char *amount) {
    /* TODO: what would bytes_not_strings_read take for an amount? */
    (void)note, (void)max, (void)amount;
    return 0;
}

/* You are Mallory, and hold an order with Alice's signature. You change the order. */
void collide(struct order *other, const struct order *order) {
    *other = *order;
    /* TODO: other fields, but the same bytes under the signature. */
}

/* You are Alice's programmer. */
size_t encode(uint8_t out[ENCODED_MAX], const struct order *order) {
    /* TODO: where does a field end, when any byte can be in it? */
    (void)out, (void)order;
    return 0;
}

/* You are Bob's programmer, here and below. */
enum sam_status decode(struct order *out, const uint8_t *in, size_t length) {
    *out = (struct order){0};
    /* TODO: the order that encode() made these bytes of. Believe no number that you read. */
    (void)in, (void)length;
    return SAM_LENGTH;
}

enum sam_status read_full(int fd, uint8_t *message, size_t length) {
    /* TODO: what can recv() return besides length? */
    memset(message, 0, length);
    (void)fd;
    return SAM_NETWORK;
}
