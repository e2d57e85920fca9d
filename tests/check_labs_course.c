/* Tests of the course's verbs beside grading: hints one at a time, a fresh start that loses
 * nothing, how far each lab is. In a folder that looks like the project's. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"

#define STUDENT "labs/02_fail_open/student.c"
#define SCORE "build/labs/student/02_fail_open.score"

static char script[PATH_MAX];

static void write_text(const char *name, const char *text) {
    write_file(in_place(name), 0644, text, strlen(text));
}

static void set_up_course(void) {
    static const char *const folders[] = {
        "labs",  "labs/02_fail_open", "labs/03_not_integrity", "labs/stubs",
        "build", "build/labs",        "build/labs/student"};
    set_up_place();
    ck_assert_ptr_nonnull(realpath("labs/course.sh", script));
    for (int i = 0; i < COUNT(folders); i++)
        ck_assert_int_eq(mkdir(in_place(folders[i]), 0700), 0);
    write_text("labs/stubs/02_fail_open.c", "stub\n");
    write_text("labs/stubs/03_not_integrity.c", "stub\n");
    write_text("labs/02_fail_open/hints.txt", "The first\nin two lines.\n\nThe second.\n");
}

/* Runs the script with these words from the folder. */
static struct run_result course(const char *verb, const char *labs) {
    const char *argv[] = {"sh",    "-c", "cd \"$0\" && exec \"$@\"", place, script, verb, labs,
                          "build", NULL};
    struct run_result result = run(argv, NULL, 0);
    assert_code(&result, 0);
    return result;
}

static void assert_course(const char *verb, const char *labs, const char *said) {
    struct run_result result = course(verb, labs);
    assert_text(&result.out, said);
    run_result_free(&result);
}

static void assert_content(const char *name, const char *text) {
    struct sam_bytes expected = {0};
    ck_status(sam_bytes_append(&expected, text, strlen(text)), SAM_OK);
    assert_file(in_place(name), &expected);
    sam_bytes_free(&expected);
}

START_TEST(hints_come_one_at_a_time) {
    assert_course("hint", "02_fail_open", "Hint 1 of 2:\nThe first\nin two lines.\n");
    assert_course("hint", "02_fail_open", "Hint 2 of 2:\nThe second.\n");
    assert_course("hint", "02_fail_open",
                  "That was the last hint. Once more from the first:\n"
                  "Hint 1 of 2:\nThe first\nin two lines.\n");
}
END_TEST

START_TEST(a_fresh_start_keeps_what_was_written) {
    assert_course("reset", "02_fail_open", STUDENT " is untouched: there is nothing to reset.\n");
    write_text(STUDENT, "first\n");
    assert_course("reset", "02_fail_open",
                  STUDENT " starts again. What you had is in " STUDENT ".1.\n");
    assert_content(STUDENT, "stub\n");
    assert_course("reset", "02_fail_open", STUDENT " is untouched: there is nothing to reset.\n");
    write_text(STUDENT, "second\n");
    assert_course("reset", "02_fail_open",
                  STUDENT " starts again. What you had is in " STUDENT ".2.\n");
    assert_content(STUDENT, "stub\n");
    assert_content(STUDENT ".1", "first\n");
    assert_content(STUDENT ".2", "second\n");
}
END_TEST

static void assert_state(const char *state) {
    char said[256];
    snprintf(said, sizeof said,
             "  02  fail open            %s\n  03  not integrity        untouched\n", state);
    assert_course("status", "02_fail_open 03_not_integrity", said);
}

static void set_time(const char *name, time_t seconds) {
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    ck_assert_int_eq(utimensat(AT_FDCWD, in_place(name), times, 0), 0);
}

START_TEST(status_tells_how_far_each_lab_is) {
    assert_state("untouched");
    write_text(STUDENT, "stub\n");
    assert_state("untouched");
    write_text(STUDENT, "something\n");
    assert_state("begun, not graded yet");
    write_text(SCORE, "5 10\n");
    set_time(STUDENT, 1000000000);
    assert_state("5 of 10 points");
    set_time(SCORE, 900000000);
    assert_state("5 of 10 points, changed since");
}
END_TEST

/* Nothing is built and nothing graded when the number is no lab's. */
START_TEST(a_number_that_is_no_lab_is_an_error) {
    static const char *const numbers[] = {"L=", "L=77", "L=0", "L=fail_open"};
    static const char *const verbs[] = {"lab", "hint", "reset"};
    for (int i = 0; i < COUNT(verbs); i++) {
        const char *argv[] = {"make", "-n", verbs[i], numbers[_i], NULL};
        struct run_result result = run(argv, NULL, 0);
        assert_code(&result, 2);
        assert_says(&result, "L is one of");
        run_result_free(&result);
    }
}
END_TEST

/* What handout.awk finds of a lab's solution in one file, from its line first on so many, each
 * indented otherwise. */
static struct run_result look_for(const char *solution, const char *first, const char *count) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "labs/solutions/%s", solution);
    const char *copy[] = {
        "sh", "-c", "tail -n +$1 \"$0\" | head -n $2 | sed 's/^ */\t/'", path, first, count, NULL};
    struct run_result copied = run(copy, NULL, 0);
    write_file(in_place("file"), 0644, copied.out.data, copied.out.length);
    run_result_free(&copied);
    snprintf(path, sizeof path, "files=%s", in_place("list"));
    write_text("list", in_place("file"));
    char lab_name[64], solution_path[PATH_MAX];
    snprintf(lab_name, sizeof lab_name, "lab=%s", solution);
    snprintf(solution_path, sizeof solution_path, "labs/solutions/%s", solution);
    const char *argv[] = {"awk", "-f",     "labs/handout.awk", "-v", path,
                          "-v",  lab_name, solution_path,      NULL};
    return run(argv, NULL, 0);
}

/* A line of answers, or three of a program; one line of a program, or what the stub has, is none.
 */
START_TEST(a_solution_is_found_wherever_lines_of_it_stand) {
    static const struct {
        const char *solution, *first, *count;
        int code;
    } rows[] = {
        {"02_fail_open.c", "12", "6", 1},      {"02_fail_open.c", "1", "6", 0},
        {"02_fail_open.c", "12", "1", 0},      {"01_read_the_wire.txt", "1", "100", 1},
        {"01_read_the_wire.txt", "1", "3", 0},
    };
    if (access("labs/solutions", F_OK) != 0)
        return; /* the students' archive */
    for (int i = 0; i < COUNT(rows); i++) {
        struct run_result result = look_for(rows[i].solution, rows[i].first, rows[i].count);
        ck_assert_msg(result.code == rows[i].code, "row %d: %d: %s", i, result.code,
                      (const char *)result.err.data);
        ck_assert_int_eq(count_text(&result.err, "holds of the solution") > 0, rows[i].code);
        run_result_free(&result);
    }
}
END_TEST

TCase *course_case(void) {
    TCase *tcase = tcase_create("course");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up_course, tear_down_place);
    tcase_add_test(tcase, hints_come_one_at_a_time);
    tcase_add_test(tcase, a_fresh_start_keeps_what_was_written);
    tcase_add_test(tcase, status_tells_how_far_each_lab_is);
    tcase_add_test(tcase, a_solution_is_found_wherever_lines_of_it_stand);
    tcase_add_loop_test(tcase, a_number_that_is_no_lab_is_an_error, 0, 4);
    return tcase;
}
