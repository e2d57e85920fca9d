#include "figure.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NS_PER_S = 1000000000, US_PER_S = 1000000, US_PER_MS = 1000 };

/* Shorter than this, the clock and an interrupt would be in the figure. */
static const double shortest = 0.02;

bool quick;

struct pace pace_of(unsigned rounds, double seconds) {
    unsigned fewer = rounds / 5 > ROUNDS_MIN ? rounds / 5
                     : rounds < ROUNDS_MIN   ? rounds
                                             : ROUNDS_MIN;
    double less = seconds / 2 > shortest ? seconds / 2 : shortest;
    return quick ? (struct pace){fewer, less} : (struct pace){rounds, seconds};
}

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / NS_PER_S;
}

double seconds_now(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

double seconds_worked(void) {
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static int ascending(const void *a, const void *b) {
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The value that so much of them lie below; sorts them. */
static double quantile(double *values, unsigned count, double below) {
    qsort(values, count, sizeof *values, ascending);
    double at = below * (count - 1);
    unsigned lower = (unsigned)at;
    unsigned upper = lower + 1 < count ? lower + 1 : lower;
    return values[lower] + (at - lower) * (values[upper] - values[lower]);
}

/* A rate as a time, or with its unit. */
static void print_rate(double rate, const char *unit) {
    double microseconds = US_PER_S / rate;
    if (unit != NULL)
        printf("\t%.0f %s", rate, unit);
    else if (microseconds < US_PER_MS)
        printf("\t%.1f us", microseconds);
    else
        printf("\t%.2f ms", microseconds / US_PER_MS);
}

void figure_tell(const struct figure *figure, struct pace pace) {
    double ours[ROUNDS_MAX], limits[ROUNDS_MAX], ratios[ROUNDS_MAX];
    figure->ours(figure->context, shortest);
    figure->limit(figure->context, shortest);
    for (unsigned i = 0; i < pace.rounds; i++) {
        ours[i] = figure->ours(figure->context, pace.seconds);
        limits[i] = figure->limit(figure->context, pace.seconds);
        ratios[i] = ours[i] / limits[i];
    }
    printf("figure\t%s\t%s\t%.3f\t%.3f\t%.3f", figure->id, figure->words,
           quantile(ratios, pace.rounds, 0.5), quantile(ratios, pace.rounds, 0.25),
           quantile(ratios, pace.rounds, 0.75));
    if (figure->target > 0)
        printf("\t%.2f", figure->target);
    else
        printf("\t-");
    print_rate(quantile(ours, pace.rounds, 0.5), figure->unit);
    print_rate(quantile(limits, pace.rounds, 0.5), figure->unit);
    printf("\t%u\n", pace.rounds);
    fflush(stdout);
}

double median_rate(rate_of *rate, void *context, struct pace pace) {
    double rates[ROUNDS_MAX];
    rate(context, shortest);
    for (unsigned i = 0; i < pace.rounds; i++)
        rates[i] = rate(context, pace.seconds);
    return quantile(rates, pace.rounds, 0.5);
}

void series_tell(const char *name, double x, double y, const char *unit) {
    printf("series\t%s\t%.0f\t%.6g\t%s\n", name, x, y, unit);
    fflush(stdout);
}

/* By the first thread that comes: exit is for one. */
_Noreturn static void end(const char *what, const char *why) {
    static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&ending);
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

void give_up(const char *what) {
    end(what, strerror(errno));
}

void must_be_ok(enum sam_status status, const char *what) {
    if (status != SAM_OK)
        end(what, sam_status_sentence(status));
}
