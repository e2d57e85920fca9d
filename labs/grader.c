/* Grades labs: runs their checks, each in a process of its own, tells the stories of those that
 * fail, and leaves what programs want to know.
 *
 *   grade [--results FILE] FOLDER [LAB...]
 *
 * FOLDER holds what became of the students' files: LAB.so or LAB.txt. One lab is told in full, more
 * than one as a table. Exits 0 with full marks, 1 below, 2 when it cannot grade. */
#include "grader.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "file.h"
#include "net.h"
#include "results.h"
#include "show.h"

enum {
    DEFAULT_SECONDS = 10, /* for one function of a student */
    CHECK_SECONDS = 100,  /* for one check, all its boxes together */
    SHOWN = 200,          /* bytes of a message */
    ENDING = 1024,        /* of a story: what is kept for how a check failed */
    ANSWERS_MAX = 64 * 1024
};

static const struct lab *const course[] = {
#define LAB_ROW(name) &lab_##name,
    LABS(LAB_ROW)
#undef LAB_ROW
};
enum { LAB_COUNT = sizeof course / sizeof course[0] };

static const char *folder;         /* of the students' files */
static const struct lab *lab_now;  /* the one that is graded */
static struct outcome *outcomes;   /* of its checks, shared with their processes */
static struct outcome *my_outcome; /* in a check's process */

/* In a check's process. */

/* A story that grows too long loses its middle: there is always room for how it ends. */
static void add(size_t room, const char *format, va_list values) {
    size_t length = strlen(my_outcome->story);
    if (length + room < sizeof my_outcome->story)
        vsnprintf(my_outcome->story + length, sizeof my_outcome->story - length - room, format,
                  values);
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
    va_list values;
    va_start(values, format);
    add(ENDING, format, values);
    va_end(values);
}

void tell(const char *format, ...) {
    va_list values;
    say("%d. ", ++my_outcome->steps);
    va_start(values, format);
    add(ENDING, format, values);
    va_end(values);
    say("\n");
}

void tell_line(const char *line) {
    char shown[1024] = "";
    FILE *stream = fmemopen(shown, sizeof shown - 1, "w");
    ck_assert_ptr_nonnull(stream);
    sam_show_text(stream, (const uint8_t *)line, strcspn(line, "\n"), SHOWN);
    fclose(stream);
    say("   | %s\n", shown);
}

void lose(const char *wanted, const char *got, ...) {
    va_list values;
    size_t length = strlen(my_outcome->story);
    snprintf(my_outcome->story + length, sizeof my_outcome->story - length,
             "***** expected %s, got ", wanted);
    va_start(values, got);
    add(0, got, values);
    va_end(values);
    ck_abort();
    _exit(1); /* Check does not say that it never returns */
}

/* Ends the check: what was wanted, and what the receiver did instead. */
static _Noreturn void lose_delivery(const char *wanted, const struct delivery *delivery) {
    char *shown = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&shown, &length);
    ck_assert_ptr_nonnull(stream);
    fputs(sam_status_name(delivery->status), stream);
    if (delivery->length > 0) {
        fputs(" \"", stream);
        sam_show_text(stream, delivery->message, delivery->length, SHOWN);
        fputs("\"", stream);
    } else if (!sam_is_zero(delivery->message, sizeof delivery->message))
        fputs(" and bytes of something in message", stream);
    if (delivery->sender[0] != '\0')
        fprintf(stream, " from %.*s", SAM_NAME_MAX, delivery->sender);
    fclose(stream);
    lose(wanted, "%s", shown);
}

void expect_handed(const struct delivery *delivery, const char *message, const char *sender) {
    char wanted[2 * SHOWN];
    snprintf(wanted, sizeof wanted, "OK \"%s\"%s%s", message, sender != NULL ? " from " : "",
             sender != NULL ? sender : "");
    if (delivery->status != SAM_OK || delivery->length != strlen(message) ||
        memcmp(delivery->message, message, delivery->length) != 0 ||
        (sender != NULL && strcmp(delivery->sender, sender) != 0))
        lose_delivery(wanted, delivery);
    tell("Handed over: \"%.*s\".", SHOWN, message);
}

void expect_refused(const struct delivery *delivery, enum sam_status status) {
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s and nothing else", sam_status_name(status));
    if (delivery->status != status || delivery->length > 0 || delivery->sender[0] != '\0' ||
        !sam_is_zero(delivery->message, sizeof delivery->message))
        lose_delivery(wanted, delivery);
}

static const char *student_file(const char *kind) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.%s", folder, lab_now->folder, kind);
    return path;
}

const char *student_folder(void) {
    return folder;
}

const char *student_code(void) {
    static char path[NAME_MAX + 8];
    snprintf(path, sizeof path, "./%s.so", lab_now->folder);
    return path;
}

bool student_has_code(void) {
    return access(student_file("so"), R_OK) == 0;
}

struct sam_bytes student_answers(void) {
    struct sam_bytes answers = {0};
    FILE *file = fopen(student_file("txt"), "r");
    if (file == NULL || sam_file_read(fileno(file), ANSWERS_MAX, &answers) != SAM_OK ||
        sam_bytes_append(&answers, "", 1) != SAM_OK)
        lose("a file of answers", "none that can be read, or more than 64 KiB");
    fclose(file);
    answers.length--;
    return answers;
}

int64_t student_time(void) {
    const char *seconds = getenv("LAB_SECONDS");
    long number = seconds != NULL ? strtol(seconds, NULL, 10) : 0;
    return (number > 0 ? number : DEFAULT_SECONDS) * SAM_SECOND;
}

/* A process that ends in the middle, however and with whatever exit code, has passed nothing: only
 * who comes back from the check sets this. */
START_TEST(graded) {
    my_outcome = &outcomes[_i];
    lab_now->checks[_i].run();
    my_outcome->passed = true;
}
END_TEST

/* In the grader's own process. */

/* What Check itself has to say of a check that failed without a story: a judge that broke. */
static void take_message(TestResult *result, struct outcome *outcome) {
    if (!outcome->passed && strstr(outcome->story, "*****") == NULL) {
        size_t length = strlen(outcome->story);
        snprintf(outcome->story + length, sizeof outcome->story - length, "***** %s\n",
                 tr_msg(result));
    }
}

static void run_checks(const struct lab *which) {
    Suite *suite = suite_create(which->folder);
    TCase *tcase = tcase_create(which->folder);
    lab_now = which;
    outcomes = judge_shared(which->count * sizeof *outcomes);
    tcase_set_timeout(tcase, CHECK_SECONDS);
    tcase_add_unchecked_fixture(tcase, make_lab, remove_lab);
    tcase_add_loop_test(tcase, graded, 0, (int)which->count);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    TestResult **results = srunner_results(runner);
    for (size_t i = 0; i < which->count && i < (size_t)srunner_ntests_run(runner); i++)
        take_message(results[i], &outcomes[i]);
    free(results);
    srunner_free(runner);
}

/* A lab with an attack shows every corner, and gives points for all but the honest one. */
static bool is_complete(const struct lab *which) {
    bool has[LOSES + 1] = {false};
    for (size_t i = 0; i < which->count; i++) {
        enum corner corner = which->checks[i].corner;
        has[corner] = true;
        if ((which->checks[i].points > 0) == (corner == HONEST))
            return false;
    }
    return has[HONEST] && has[MENDED] && has[WINS] == has[LOSES];
}

static const struct lab *find_lab(const char *name) {
    for (size_t i = 0; i < LAB_COUNT; i++)
        if (strcmp(course[i]->folder, name) == 0)
            return course[i];
    fprintf(stderr, "grade: there is no lab %s: see ls labs\n", name);
    exit(2);
}

int main(int argc, char **argv) {
    const char *path = NULL;
    signal(SIGPIPE, SIG_IGN);
    if (argc > 2 && strcmp(argv[1], "--results") == 0) {
        path = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: grade [--results FILE] FOLDER [LAB...]\n");
        return 2;
    }
    folder = argv[1];
    size_t count = argc > 2 ? (size_t)argc - 2 : LAB_COUNT;
    struct results results;
    if (!results_open(&results, path, count == 1))
        return 2;
    for (size_t i = 0; i < count; i++) {
        const struct lab *which = argc > 2 ? find_lab(argv[i + 2]) : course[i];
        if (!is_complete(which)) {
            fprintf(stderr, "grade: %s does not show all that a lab has to show\n", which->folder);
            return 2;
        }
        run_checks(which);
        results_add(&results, folder, which, outcomes);
    }
    return !results_close(&results) ? 2 : results.points == results.most ? 0 : 1;
}
