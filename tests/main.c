/* Runs the suites: all of them, or those named on the command line. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
#define SUITE_ROW(name) {#name, name##_suite},
    SUITES(SUITE_ROW)
#undef SUITE_ROW
};

static SRunner *runner;

static void add(const char *wanted) {
    int found = 0;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        if (wanted == NULL || strcmp(wanted, suites[i].name) == 0) {
            srunner_add_suite(runner, suites[i].make());
            found++;
        }
    }
    if (found == 0) {
        /* A mistyped name that ran nothing must not look like success. */
        fprintf(stderr, "check_sam: there is no suite called %s, only:", wanted);
        for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
            fprintf(stderr, " %s", suites[i].name);
        fputc('\n', stderr);
        exit(2);
    }
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    /* What the make that runs this was told is not meant for the makes that the tests run. */
    static const char *const of_make[] = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES",
                                          "BUILD",     "BIN",    "CFLAGS"};
    for (size_t i = 0; i < sizeof of_make / sizeof of_make[0]; i++)
        unsetenv(of_make[i]);
    runner = srunner_create(NULL);
    for (int i = 1; i < argc; i++)
        add(argv[i]);
    if (argc == 1)
        add(NULL);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    int run = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
