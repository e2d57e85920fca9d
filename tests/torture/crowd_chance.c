#include "crowd_chance.h"

#include <stdlib.h>

enum { USUAL_SEED = 20240229 };

uint64_t chance_seed(void) {
    const char *text = getenv("TORTURE_SEED");
    return text == NULL ? USUAL_SEED : strtoull(text, NULL, 10);
}

uint32_t chance_below(struct chance *chance, uint32_t limit) {
    chance->state = chance->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(chance->state >> 33) % limit;
}
