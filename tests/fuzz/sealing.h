/* Envelopes that a mutator seals, rightly or with one fault, so that what lies behind decryption
 * and signature is reached. From mallory to alice. */
#ifndef SAM_TESTS_FUZZ_SEALING_H
#define SAM_TESTS_FUZZ_SEALING_H

#include "fuzzing.h"

/* What alice expects of them. */
enum { SEQUENCE = 7, REFERENCE_BYTE = 0xc3, MOST_MESSAGE = 700 };

/* Whether sent at, which is free and signed, holds the checksum of all else in the header. */
bool checksum_fits(const uint8_t header[SAM_HEADER_SIZE]);

/* Opens what came as alice and holds it against what must be true of any bytes. */
void open_any(const struct sam_mode *mode, const uint8_t *data, size_t size);

/* A mutation of an envelope of that mode: one sealed anew, or bytes changed anywhere. */
size_t mutate_envelope(const struct sam_mode *mode, uint8_t *data, size_t size, size_t max_size,
                       unsigned seed);

#endif
