/* Chance that repeats itself: the same numbers from the same seed. */
#ifndef SAM_TESTS_CHANCE_H
#define SAM_TESTS_CHANCE_H

#include <stddef.h>
#include <stdint.h>

/* $TORTURE_SEED, or always the same one. */
uint64_t chance_seed(void);

/* The next number below limit, which is not 0. state begins as a seed. */
size_t chance_below(uint64_t *state, size_t limit);

#endif
