/* Two sides measured in turn, and the lines that tell of it. */
#ifndef SAM_BENCH_FIGURE_H
#define SAM_BENCH_FIGURE_H

#include <stdbool.h>

#include "status.h"

/* How often a group measures, and for how many seconds each side each time. */
struct pace {
    unsigned rounds;
    double seconds;
};

enum { ROUNDS_MIN = 5, ROUNDS_MAX = 99 };

/* That pace, at most ROUNDS_MAX rounds; fewer and shorter ones when it is to be quick. */
extern bool quick;
struct pace pace_of(unsigned rounds, double seconds);

/* Seconds of a clock that nobody sets; and those that this thread has worked, which is what counts
 * where it never waits: what else runs on the machine is then not in the figure. */
double seconds_now(void);
double seconds_worked(void);

/* Does what it is for until so many seconds were measured: how often per second. What a side does
 * only to go on, such as putting back what was opened, is not measured. */
typedef double rate_of(void *context, double seconds);

/* One figure: how near our rate is to the limit's. */
struct figure {
    const char *id;    /* group and case, dots between */
    const char *words; /* what is measured, for people */
    double target;     /* what the ratio has to reach; 0: it is only told */
    const char *unit;  /* of both rates; NULL: they are told as times */
    rate_of *ours, *limit;
    void *context; /* handed to both */
};

/* Measures both sides in turn, as often as pace says, once before that to warm up, and prints
 *   figure id words ratio low high target ours limit rounds
 * with tabs between: medians, low and high the quartiles of the rounds' ratios. */
void figure_tell(const struct figure *figure, struct pace pace);

/* The median of rounds rates, after one to warm up. */
double median_rate(rate_of *rate, void *context, struct pace pace);

/* Prints a point of a series, with tabs between: series name x y unit. */
void series_tell(const char *name, double x, double y, const char *unit);

/* Ends the program with a sentence on standard error, which tells of errno. */
_Noreturn void give_up(const char *what);

/* That, unless it is so. */
static inline void must(bool so, const char *what) {
    if (!so)
        give_up(what);
}

/* Ends the program with the status's sentence, unless it is SAM_OK. */
void must_be_ok(enum sam_status status, const char *what);

#endif
