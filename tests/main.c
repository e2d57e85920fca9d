/* Runs make check's suites: all of them, or those named on the command line. */
#include <unistd.h>

#include "suites.h"

static const struct suite_row suites[] = {SUITES(SUITE_ROW)};

int main(int argc, char **argv) {
    return run_suites(suites, sizeof suites / sizeof suites[0], sysconf(_SC_NPROCESSORS_ONLN), argc,
                      argv);
}
