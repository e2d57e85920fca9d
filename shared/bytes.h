/* Floor 0. Buffers that wipe themselves, and big-endian integers. */
#ifndef SAM_BYTES_H
#define SAM_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* A buffer that owns its bytes. Zero-initialise it ({0}); free it with sam_bytes_free. */
struct sam_bytes {
    uint8_t *data;   /* NULL as long as capacity is 0 */
    size_t length;   /* bytes in use */
    size_t capacity; /* bytes allocated */
};

/* Makes room for at least capacity bytes and keeps what is there. The bytes may move; the old place
 * is wiped first. On failure (SAM_MEMORY) the buffer is as before. */
SAM_MUST_CHECK enum sam_status sam_bytes_reserve(struct sam_bytes *bytes, size_t capacity);

/* Appends length bytes of data. On failure (SAM_MEMORY) the buffer is as before. */
SAM_MUST_CHECK enum sam_status sam_bytes_append(struct sam_bytes *bytes, const void *data,
                                                size_t length);

/* Wipes the whole allocation, frees it and leaves {0}. A buffer of zeros is fine. */
void sam_bytes_free(struct sam_bytes *bytes);

/* Overwrites length bytes with zeros in a way that a compiler may not remove. */
void sam_wipe(void *data, size_t length);

/* Whether two blocks are equal, in a time that depends on length alone. */
bool sam_equal(const void *a, const void *b, size_t length);

/* Whether all bytes are zero, in a time that depends on length alone. */
bool sam_is_zero(const uint8_t *data, size_t length);

/* Big-endian integers, as everywhere on the wire. */
void sam_put16(uint8_t out[2], uint16_t value);
void sam_put32(uint8_t out[4], uint32_t value);
void sam_put64(uint8_t out[8], uint64_t value);
uint16_t sam_get16(const uint8_t in[2]);
uint32_t sam_get32(const uint8_t in[4]);
uint64_t sam_get64(const uint8_t in[8]);

#endif
