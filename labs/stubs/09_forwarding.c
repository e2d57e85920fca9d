/* Lab 09: Surreptitious forwarding. What to write stands at each TODO; what the functions get, in
 * forwarding.h. */
#include <string.h>

#include "forwarding.h"

/* You are Bob, and not honest today. */
void forward(struct sealed *out, const struct sam_party *bob, const struct sam_key *carol,
             const uint8_t challenge[SAM_ID_SIZE], const struct sealed *got) {
    *out = (struct sealed){0};
    /* TODO: what did Alice seal for you? forwarding_decrypt.
     * TODO: which fields of her header must be others, so that Carol's receiver takes it?
     * TODO: forwarding_encrypt, for Carol. */
    (void)bob, (void)carol, (void)challenge, (void)got;
}

/* You are Alice's programmer, and Carol's. */
size_t signed_bytes(uint8_t out[SIGNED_MAX], const uint8_t header[SAM_HEADER_SIZE],
                    const uint8_t *letter, size_t letter_length) {
    /* TODO: what forwarding_signed_bytes should have written. */
    (void)out, (void)header, (void)letter, (void)letter_length;
    return 0;
}
