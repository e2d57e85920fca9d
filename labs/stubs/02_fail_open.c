/* Lab 02: Fail open. What to write stands at each TODO; what the functions get, in fail_open.h. */
#include <stdio.h>
#include <string.h>

#include "fail_open.h"

/* You are Mallory. An order is short: one OAEP block holds salt and message. */
size_t forge(uint8_t *out, size_t max, struct sam_crypto *crypto, const struct sam_key *alice,
             const struct sam_key *bob, const uint8_t challenge[SAM_ID_SIZE], const char *order) {
    struct sam_header header = {.mode = 1, .kind = SAM_KIND_SEND};
    /* TODO: fill in the rest of the header (shared/wire.h) and write it to out.
     * TODO: seal a salt of your choice and the order behind it, for bob. What is secret about that?
     * TODO: a signature comes last. You cannot make Alice's. */
    (void)header, (void)out, (void)max, (void)crypto, (void)alice, (void)bob, (void)challenge;
    (void)order;
    return 0;
}

/* You are Bob's programmer. */
void receive(struct delivery *out, const struct sam_party *bob,
             const struct sam_expectation *expected, uint8_t *envelope, size_t length) {
    *out = (struct delivery){.status = SAM_TRUNCATED};
    /* TODO: what fail_open_receive does, in an order that cannot go wrong. */
    (void)bob, (void)expected, (void)envelope, (void)length;
}
