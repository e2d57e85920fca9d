/* What the property tests share: numbers that follow from a seed, and cases drawn from them. */
#ifndef SAM_TORTURE_PROPERTIES_H
#define SAM_TORTURE_PROPERTIES_H

#include "chance.h"
#include "peer.h"
#include "scale.h"

/* A stream of numbers, from chance_seed: the same seed draws the same cases; what libcrypto draws
 * stays random. Those of case number i do not depend on how many other cases there are. */
struct draws {
    uint64_t state;
};
struct draws draws_of(uint64_t property, size_t i);

/* The next number, and one below limit, which is not 0. */
uint64_t draw(struct draws *draws);
size_t draw_below(struct draws *draws, size_t limit);
void draw_bytes(struct draws *draws, uint8_t *out, size_t length);

/* How many cases: full ones by TORTURE_SCALE, a tenth of them under a sanitizer. */
size_t cases(size_t full);

/* The property of records: properties_records.c. */
TCase *record_properties(void);

#endif
