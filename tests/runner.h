/* Runs suites: all of a table, or those named on the command line, several at once. */
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

/* At most at_once of them run at the same time. Returns the exit code of main: success when at
 * least one test ran and none failed. */
int run_suites(const struct suite_row *rows, size_t count, long at_once, int argc, char **argv);

#endif
