/* Chance that repeats itself: the same numbers from the same seed. */
#ifndef SAM_TORTURE_CROWD_CHANCE_H
#define SAM_TORTURE_CROWD_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state;
};

/* $TORTURE_SEED, or always the same one. */
uint64_t chance_seed(void);

/* Of 0 to limit - 1; limit is not 0. */
uint32_t chance_below(struct chance *chance, uint32_t limit);

#endif
