/* The same work in several threads at once, on some of the machine's cores. */
#ifndef SAM_BENCH_TOGETHER_H
#define SAM_BENCH_TOGETHER_H

#include <stdint.h>

/* One thread's share, number index of all: works until that instant of seconds_now, at least once,
 * and says how many units it did. */
typedef uint64_t share_of(void *context, unsigned index, double until);

/* Units per second of all threads, which begin together, until the last has ended. */
double rate_together(unsigned threads, share_of *share, void *context, double seconds);

/* How many cores this process may use. */
unsigned cores_here(void);

/* Confines this thread, and what it starts from now on, to the first so many of the cores that the
 * program began with. */
void confine_to(unsigned cores);

#endif
