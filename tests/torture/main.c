#include "suites.h"

static const struct suite_row suites[] = {TORTURES(SUITE_ROW)};

int main(int argc, char **argv) {
    return run_suites(suites, sizeof suites / sizeof suites[0], argc, argv);
}
