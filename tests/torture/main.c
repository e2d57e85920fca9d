#include "suites.h"

static const struct suite_row suites[] = {TORTURES(SUITE_ROW)};

/* One after the other: they measure. */
int main(int argc, char **argv) {
    return run_suites(suites, sizeof suites / sizeof suites[0], 1, argc, argv);
}
