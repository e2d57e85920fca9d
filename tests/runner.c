#include "runner.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A suite in a process of its own, or what became of it. */
struct run {
    const struct suite_row *suite;
    pid_t pid;   /* 0: not begun, or over */
    int output;  /* a file: what it says is told when it is over, so nothing mixes */
    int results; /* a pipe's end: its struct tally comes out */
};

struct tally {
    int checks, failures;
};

static struct tally run_one(const struct suite_row *suite) {
    SRunner *runner = srunner_create(suite->make());
    srunner_run_all(runner, CK_ENV);
    struct tally tally = {srunner_ntests_run(runner), srunner_ntests_failed(runner)};
    srunner_free(runner);
    return tally;
}

/* A descriptor of a file without a name; -1 on failure. */
static int nameless_file(void) {
    FILE *file = tmpfile();
    if (file == NULL)
        return -1;
    int fd = dup(fileno(file));
    fclose(file);
    return fd;
}

static void begin(struct run *run) {
    int ends[2];
    run->output = nameless_file();
    fflush(NULL);
    if (run->output < 0 || pipe(ends) != 0 || (run->pid = fork()) < 0) {
        perror("a process for a suite");
        exit(EXIT_FAILURE);
    }
    if (run->pid == 0) {
        dup2(run->output, STDOUT_FILENO);
        dup2(run->output, STDERR_FILENO);
        close(run->output);
        close(ends[0]);
        struct tally tally = run_one(run->suite);
        fflush(NULL);
        _exit(write(ends[1], &tally, sizeof tally) == sizeof tally ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(ends[1]);
    run->results = ends[0];
}

static void tell_output(int fd) {
    char text[4096];
    ssize_t n;
    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, text, sizeof text)) > 0)
        fwrite(text, 1, (size_t)n, stdout);
    fflush(stdout);
}

/* Waits for one that runs, tells what it said, and adds its tally. One that did not come to its end
 * has failed. */
static void end_one(struct run *runs, size_t count, struct tally *all) {
    struct tally tally;
    pid_t pid = wait(NULL);
    struct run *run = runs;
    while (run < runs + count && run->pid != pid)
        run++;
    if (pid <= 0 || run == runs + count)
        return;
    run->pid = 0;
    tell_output(run->output);
    close(run->output);
    if (read(run->results, &tally, sizeof tally) != sizeof tally || tally.checks == 0) {
        printf("%s: did not come to its end\n", run->suite->name);
        tally = (struct tally){0, 1};
    }
    close(run->results);
    all->checks += tally.checks;
    all->failures += tally.failures;
}

/* The last of the table take longest, so they begin first. */
static struct tally run_all(struct run *runs, size_t count, long at_once) {
    struct tally all = {0, 0};
    long running = 0;
    for (size_t i = count; i-- > 0; running++) {
        if (running > 0 && running >= at_once) {
            end_one(runs, count, &all);
            running--;
        }
        begin(&runs[i]);
    }
    while (running-- > 0)
        end_one(runs, count, &all);
    return all;
}

static const struct suite_row *find(const struct suite_row *rows, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, rows[i].name) == 0)
            return &rows[i];
    /* A mistyped name that ran nothing must not look like success. */
    fprintf(stderr, "there is no suite called %s, only:", name);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, " %s", rows[i].name);
    fputc('\n', stderr);
    exit(2);
}

int run_suites(const struct suite_row *rows, size_t count, long at_once, int argc, char **argv) {
    /* What the make that runs this was told is not meant for the makes that the tests run. */
    static const char *const of_make[] = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES",
                                          "BUILD",     "BIN",    "CFLAGS"};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof of_make / sizeof of_make[0]; i++)
        unsetenv(of_make[i]);
    size_t wanted = argc > 1 ? (size_t)argc - 1 : count;
    struct run *runs = calloc(wanted, sizeof *runs);
    if (runs == NULL)
        return EXIT_FAILURE;
    for (size_t i = 0; i < wanted; i++)
        runs[i].suite = argc > 1 ? find(rows, count, argv[i + 1]) : &rows[i];
    struct tally all = run_all(runs, wanted, at_once);
    printf("%d checks, %d failures\n", all.checks, all.failures);
    free(runs);
    return all.failures == 0 && all.checks > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
