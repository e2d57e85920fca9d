#include "runner.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(SRunner *runner, const struct suite_row *rows, size_t count, const char *wanted) {
    int found = 0;
    for (size_t i = 0; i < count; i++) {
        if (wanted == NULL || strcmp(wanted, rows[i].name) == 0) {
            srunner_add_suite(runner, rows[i].make());
            found++;
        }
    }
    if (found == 0) {
        /* A mistyped name that ran nothing must not look like success. */
        fprintf(stderr, "there is no suite called %s, only:", wanted);
        for (size_t i = 0; i < count; i++)
            fprintf(stderr, " %s", rows[i].name);
        fputc('\n', stderr);
        exit(2);
    }
}

int run_suites(const struct suite_row *rows, size_t count, int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    /* What the make that runs this was told is not meant for the makes that the tests run. */
    static const char *const of_make[] = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES",
                                          "BUILD",     "BIN",    "CFLAGS"};
    for (size_t i = 0; i < sizeof of_make / sizeof of_make[0]; i++)
        unsetenv(of_make[i]);
    SRunner *runner = srunner_create(NULL);
    for (int i = 1; i < argc; i++)
        add(runner, rows, count, argv[i]);
    if (argc == 1)
        add(runner, rows, count, NULL);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    int run = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
