/* A submission of lab 02 whose functions do MISBEHAVE: what the grader must live with. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail_open.h"

static __attribute__((unused)) void leave(void) {
    exit(0);
}

static __attribute__((unused)) void leave_at_once(void) {
    _exit(0);
}

static __attribute__((unused)) void never_end(void) {
    for (volatile unsigned long i = 0;; i++)
        continue;
}

/* 4 GB, and every page of them. */
static __attribute__((unused)) void take_memory(void) {
    const size_t size = (size_t)4 << 30;
    volatile char *all = malloc(size);
    if (all == NULL)
        abort();
    for (size_t i = 0; i < size; i += 4096)
        all[i] = 1;
    free((void *)all);
}

static __attribute__((unused)) void fork_bomb(void) {
    for (;;)
        if (fork() == 0)
            setsid(); /* out of the reach of whoever ends a group */
}

/* What runs when the file is loaded, before any function is called. */
static bool began_as_root;
static __attribute__((constructor)) void begin(void) {
    began_as_root = geteuid() == 0;
}

static __attribute__((unused)) void be_root_first(void) {
    if (began_as_root)
        abort();
}

size_t forge(uint8_t *out, size_t max, struct sam_crypto *crypto, const struct sam_key *alice,
             const struct sam_key *bob, const uint8_t challenge[SAM_ID_SIZE], const char *order) {
    (void)out, (void)max, (void)crypto, (void)alice, (void)bob, (void)challenge, (void)order;
    MISBEHAVE();
    return max;
}

void receive(struct delivery *out, const struct sam_party *bob,
             const struct sam_expectation *expected, uint8_t *envelope, size_t length) {
    (void)out, (void)bob, (void)expected, (void)envelope, (void)length;
    MISBEHAVE();
}
