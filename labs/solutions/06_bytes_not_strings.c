/* Lab 06: Bytes, not strings. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bytes_not_strings.h"

enum { PREFIX = 4 }; /* bytes of a field's length */

size_t inject(char *note, size_t max, const char *amount) {
    int length = snprintf(note, max, "rent' amount='%s", amount);
    return length > 0 && (size_t)length < max ? (size_t)length : 0;
}

void collide(struct order *other, const struct order *order) {
    *other = *order;
    struct field *to = &other->part[ORDER_TO], *amount = &other->part[ORDER_AMOUNT];
    memmove(amount->bytes + 1, amount->bytes, amount->length++);
    amount->bytes[0] = to->bytes[--to->length];
}

size_t encode(uint8_t out[ENCODED_MAX], const struct order *order) {
    size_t length = 0;
    for (size_t i = 0; i < ORDER_PARTS; i++) {
        const struct field *field = &order->part[i];
        sam_put32(out + length, (uint32_t)field->length);
        memcpy(out + length + PREFIX, field->bytes, field->length);
        length += PREFIX + field->length;
    }
    return length;
}

enum sam_status decode(struct order *out, const uint8_t *in, size_t length) {
    enum sam_status status = SAM_OK;
    *out = (struct order){0};
    for (size_t i = 0; i < ORDER_PARTS && status == SAM_OK; i++) {
        size_t size = length >= PREFIX ? sam_get32(in) : 0;
        if (size > FIELD_MAX)
            status = SAM_LENGTH;
        else if (length < PREFIX || length - PREFIX < size)
            status = SAM_TRUNCATED;
        if (status != SAM_OK)
            continue;
        out->part[i].length = size;
        memcpy(out->part[i].bytes, in + PREFIX, size);
        in += PREFIX + size;
        length -= PREFIX + size;
    }
    if (status == SAM_OK && length > 0)
        status = SAM_LENGTH;
    if (status != SAM_OK)
        *out = (struct order){0};
    return status;
}

enum sam_status read_full(int fd, uint8_t *message, size_t length) {
    enum sam_status status = SAM_OK;
    for (size_t have = 0; have < length && status == SAM_OK;) {
        ssize_t n = recv(fd, message + have, length - have, 0);
        if (n > 0)
            have += (size_t)n;
        else if (n == 0)
            status = have > 0 ? SAM_TRUNCATED : SAM_CLOSED;
        else if (errno != EINTR)
            status = SAM_NETWORK;
    }
    if (status != SAM_OK)
        memset(message, 0, length);
    return status;
}
