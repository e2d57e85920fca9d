/* Runs suites: all of a table, or those named on the command line. */
#ifndef SAM_TESTS_RUNNER_H
#define SAM_TESTS_RUNNER_H

#include <check.h>

struct suite_row {
    const char *name;
    Suite *(*make)(void);
};

/* The rows of an X-macro of suite names. */
#define SUITE_ROW(name) {#name, name##_suite},
#define SUITE_DECLARE(name) Suite *name##_suite(void);

/* Returns the exit code of main: success when at least one test ran and none failed. */
int run_suites(const struct suite_row *rows, size_t count, int argc, char **argv);

#endif
