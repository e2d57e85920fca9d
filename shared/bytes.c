#include "bytes.h"

/* The one openssl header outside primitives: a compiler must not remove a wipe or shorten a
 * comparison, and libcrypto's have been looked at by more eyes than ours would be. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum sam_status sam_bytes_reserve(struct sam_bytes *bytes, size_t capacity) {
    if (capacity <= bytes->capacity)
        return SAM_OK;
    uint8_t *moved = malloc(capacity);
    if (moved == NULL)
        return SAM_MEMORY;
    if (bytes->capacity > 0) {
        memcpy(moved, bytes->data, bytes->length);
        sam_wipe(bytes->data, bytes->capacity);
        free(bytes->data);
    }
    bytes->data = moved;
    bytes->capacity = capacity;
    return SAM_OK;
}

enum sam_status sam_bytes_append(struct sam_bytes *bytes, const void *data, size_t length) {
    if (length > bytes->capacity - bytes->length) {
        if (length > SIZE_MAX / 2 - bytes->length)
            return SAM_MEMORY;
        /* Doubling keeps the bytes copied in proportion to the bytes kept. */
        size_t wanted = bytes->length + length;
        size_t doubled = 2 * bytes->capacity;
        enum sam_status status = sam_bytes_reserve(bytes, wanted > doubled ? wanted : doubled);
        if (status != SAM_OK)
            return status;
    }
    if (length > 0)
        memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return SAM_OK;
}

void sam_bytes_free(struct sam_bytes *bytes) {
    if (bytes->capacity > 0)
        sam_wipe(bytes->data, bytes->capacity);
    free(bytes->data);
    *bytes = (struct sam_bytes){0};
}

void sam_wipe(void *data, size_t length) {
    OPENSSL_cleanse(data, length);
}

bool sam_equal(const void *a, const void *b, size_t length) {
    return CRYPTO_memcmp(a, b, length) == 0;
}

bool sam_is_zero(const uint8_t *data, size_t length) {
    uint8_t any = 0;
    for (size_t i = 0; i < length; i++)
        any |= data[i];
    return any == 0;
}

void sam_put16(uint8_t out[2], uint16_t value) {
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

void sam_put32(uint8_t out[4], uint32_t value) {
    sam_put16(out, (uint16_t)(value >> 16));
    sam_put16(out + 2, (uint16_t)value);
}

void sam_put64(uint8_t out[8], uint64_t value) {
    sam_put32(out, (uint32_t)(value >> 32));
    sam_put32(out + 4, (uint32_t)value);
}

uint16_t sam_get16(const uint8_t in[2]) {
    return (uint16_t)(in[0] << 8 | in[1]);
}

uint32_t sam_get32(const uint8_t in[4]) {
    return (uint32_t)sam_get16(in) << 16 | sam_get16(in + 2);
}

uint64_t sam_get64(const uint8_t in[8]) {
    return (uint64_t)sam_get32(in) << 32 | sam_get32(in + 4);
}
