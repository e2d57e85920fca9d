#include "chance.h"

#include <stdlib.h>

enum { USUAL_SEED = 20240229 };

uint64_t chance_seed(void) {
    const char *text = getenv("TORTURE_SEED");
    return text == NULL ? USUAL_SEED : strtoull(text, NULL, 10);
}

/* Knuth's MMIX generator: its high bits are good enough. */
size_t chance_below(uint64_t *state, size_t limit) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(*state >> 33) % limit;
}
