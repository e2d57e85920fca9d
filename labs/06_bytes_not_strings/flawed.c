/* Three ways to turn fields into a message and back. Each works in every demonstration. Which line
 * of each would you not have written? */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bytes_not_strings.h"

/* Part one: text. */

static const char *const names[ORDER_PARTS] = {"to", "amount", "note"};

void bytes_not_strings_write(char out[TEXT_MAX], const struct order *order) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ORDER_PARTS; i++) {
        const struct field *field = &order->part[i];
        snprintf(out + used, TEXT_MAX - used, "%s%s='%.*s'", i > 0 ? " " : "", names[i],
                 (int)field->length, (const char *)field->bytes);
        used = strlen(out);
    }
}

/* Reads NAME='VALUE' and the space behind it. Returns where to go on; NULL when it is none. */
static const char *read_field(struct order *out, const char *text) {
    const char *value = strstr(text, "='");
    const char *end = value != NULL ? strchr(value + 2, '\'') : NULL;
    if (end == NULL || end - (value + 2) > FIELD_MAX)
        return NULL;
    for (size_t i = 0; i < ORDER_PARTS; i++) {
        struct field *field = &out->part[i];
        if (strlen(names[i]) != (size_t)(value - text) ||
            memcmp(names[i], text, strlen(names[i])) != 0)
            continue;
        field->length = (size_t)(end - (value + 2));
        memcpy(field->bytes, value + 2, field->length);
        return end + (end[1] == ' ' ? 2 : 1);
    }
    return NULL;
}

bool bytes_not_strings_read(struct order *out, const char *text) {
    *out = (struct order){0};
    while (text != NULL && *text != '\0')
        text = read_field(out, text);
    return text != NULL;
}

/* Part two: a signature over the fields. */

static size_t join(uint8_t out[ORDER_PARTS * FIELD_MAX], const struct order *order) {
    size_t length = 0;
    for (size_t i = 0; i < ORDER_PARTS; i++) {
        memcpy(out + length, order->part[i].bytes, order->part[i].length);
        length += order->part[i].length;
    }
    return length;
}

enum sam_status bytes_not_strings_sign(struct sam_crypto *crypto, const struct sam_rsa *own,
                                       uint8_t *signature, const struct order *order) {
    uint8_t joined[ORDER_PARTS * FIELD_MAX];
    size_t length = join(joined, order);
    return sam_pss_sign(crypto, own, signature, joined, length, NULL, 0);
}

enum sam_status bytes_not_strings_verify(struct sam_crypto *crypto, const struct sam_rsa *sender,
                                         const uint8_t *signature, const struct order *order) {
    uint8_t joined[ORDER_PARTS * FIELD_MAX];
    size_t length = join(joined, order);
    return sam_pss_verify(crypto, sender, signature, joined, length, NULL, 0);
}

/* Part three: a message from a socket. */

enum sam_status bytes_not_strings_receive(int fd, uint8_t *message, size_t length) {
    return recv(fd, message, length, 0) > 0 ? SAM_OK : SAM_CLOSED;
}
