/* Tests of the course: for every lab, that its solution earns all points and its stub none, which
 * proves the corners that the grader insists on; and that no submission harms the grading. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "json.h"
#include "peer.h"

static const char *const course[] = {
    "01_read_the_wire",     "02_fail_open",        "03_not_integrity",
    "04_talking_signature", "05_answering_blocks", "06_bytes_not_strings",
    "07_whose_key",         "08_replay",           "09_forwarding",
};

/* A path below the folder of the grader. */
static const char *in_labs(char path[PATH_MAX], const char *name, const char *end) {
    const char *base = getenv("SAM_LABS");
    snprintf(path, PATH_MAX, "%s/%s%s", base != NULL ? base : "build/labs", name, end);
    return path;
}

static struct run_result grade(const char *folder, const char *first, const char *second) {
    char grader[PATH_MAX];
    const char *argv[] = {in_labs(grader, "grade", ""), folder, first, second, NULL};
    return run(argv, NULL, 0);
}

/* Lines that begin so. */
static size_t count_lines(const struct run_result *result, const char *start) {
    size_t count = strncmp((const char *)result->out.data, start, strlen(start)) == 0;
    char line[64];
    snprintf(line, sizeof line, "\n%s", start);
    return count + count_text(&result->out, line);
}

#define assert_told(result, text)                                                                  \
    ck_assert_msg(count_text(&(result)->out, text) > 0, "expected \"%s\" in:\n%s\n%s", text,       \
                  (const char *)(result)->out.data, (const char *)(result)->err.data)

START_TEST(every_lab_is_tested) {
    char path[PATH_MAX];
    for (int i = 0; i < COUNT(course); i++) {
        snprintf(path, sizeof path, "labs/%s/hints.txt", course[i]);
        ck_assert_msg(access(path, R_OK) == 0, "there is no %s", path);
    }
    struct run_result all = grade(in_labs(path, "stubs", ""), NULL, NULL);
    ck_assert_uint_eq(count_lines(&all, "  0"), COUNT(course));
    run_result_free(&all);
}
END_TEST

/* The attack of the solution wins against the flawed variant and loses against the real programs,
 * what it mended holds, and honest traffic passes: these are the checks. */
START_TEST(a_solution_earns_every_point) {
    char folder[PATH_MAX];
    if (access("labs/solutions", F_OK) != 0)
        return; /* the students' archive */
    struct run_result result = grade(in_labs(folder, "solutions", ""), course[_i], NULL);
    ck_assert_msg(result.code == 0, "%s", (const char *)result.out.data);
    ck_assert_uint_eq(count_lines(&result, "  FAILED"), 0);
    ck_assert_uint_ge(count_lines(&result, "  passed"), 3);
    run_result_free(&result);
}
END_TEST

/* All fails that brings points, with a story; what is honest passes. */
START_TEST(a_stub_earns_nothing) {
    char folder[PATH_MAX];
    struct run_result result = grade(in_labs(folder, "stubs", ""), course[_i], NULL);
    ck_assert_int_eq(result.code, 1);
    assert_told(&result, "checks fail: that is the starting point.\n  0 of ");
    ck_assert_uint_ge(count_lines(&result, "  passed"), 1);
    ck_assert_uint_eq(count_text(&result.out, "***** "), count_lines(&result, "  FAILED"));
    ck_assert_uint_eq(count_lines(&result, "      help: "), count_lines(&result, "  FAILED"));
    run_result_free(&result);
}
END_TEST

/* What the story must say of it. */
static const struct {
    const char *name, *story;
} submissions[] = {
    {"leave", "forge() ended its process instead of returning"},
    {"leave_at_once", "got exit(0): receive() ended its process instead of returning"},
    {"never_end", "got forge() still running after "},
    {"take_memory", SANITIZED ? "***** expected " : "got a crash: Aborted in forge()"},
    {"be_root_first", "got MAGIC"},
    {"fork_bomb", "got forge() still running after "},
};

/* A copy, which nobody may read too: who grades as root loads it as nobody. */
static void place_copy(const char *name, const char *as) {
    char path[PATH_MAX];
    struct sam_bytes code = read_file(in_labs(path, name, ".so"));
    write_file(in_place(as), 0644, code.data, code.length);
    ck_assert_int_eq(chmod(place, 0755), 0);
    sam_bytes_free(&code);
}

/* Lab 02 is the hostile one; lab 09 has its solution, and keeps all its points. cat ends when every
 * process has that could still write to it. */
START_TEST(a_hostile_submission_earns_nothing_and_harms_no_other) {
    char name[64], grader[PATH_MAX];
    const char *argv[] = {"sh",
                          "-c",
                          "\"$0\" \"$@\" 2>&1 | cat",
                          in_labs(grader, "grade", ""),
                          "--results",
                          in_place("results.json"),
                          place,
                          "02_fail_open",
                          NULL,
                          NULL};
    bool has_solutions = access("labs/solutions", F_OK) == 0;
    snprintf(name, sizeof name, "hostile/%s", submissions[_i].name);
    place_copy(name, "02_fail_open.so");
    if (has_solutions) {
        place_copy("solutions/09_forwarding", "09_forwarding.so");
        argv[8] = "09_forwarding";
    }
    setenv("LAB_SECONDS", SANITIZED ? "4" : "1", 1);
    struct run_result result = run(argv, NULL, 0);
    struct sam_bytes json = read_file(in_place("results.json"));
    ck_status(sam_bytes_append(&json, "", 1), SAM_OK);
    ck_assert_msg(count_text(&json, submissions[_i].story) > 0, "expected \"%s\" in:\n%s",
                  submissions[_i].story, (const char *)json.data);
    ck_assert_uint_eq(count_text(&json, "\"02.1\""), 1);
    if (has_solutions) {
        assert_told(&result, " 0 of 10\n");
        assert_told(&result, " 10 of 10  done\n");
        assert_told(&result, " 10 of 20 points\n");
    }
    sam_bytes_free(&json);
    run_result_free(&result);
}
END_TEST

START_TEST(a_submission_that_is_missing_or_no_program_costs_its_own_lab_alone) {
    write_file(in_place("02_fail_open.so"), 0644, "not a program", 13);
    struct run_result result = grade(place, "02_fail_open", NULL);
    ck_assert_int_eq(result.code, 1);
    assert_told(&result, "got your file was compiled, but cannot be loaded");
    run_result_free(&result);
    result = grade(place, "04_talking_signature", NULL);
    ck_assert_int_eq(result.code, 1);
    assert_told(&result, "expected a file that compiles");
    run_result_free(&result);
}
END_TEST

START_TEST(a_lab_that_does_not_exist_is_an_error) {
    struct run_result result = grade(place, "2_fail_open", NULL);
    ck_assert_int_eq(result.code, 2);
    assert_says(&result, "there is no lab 2_fail_open");
    ck_assert_uint_eq(result.out.length, 0);
    run_result_free(&result);
}
END_TEST

/* What Gradescope's documentation of autograders names, of the whole and of each test; no other
 * member may be there. */
struct seen {
    size_t tests;
    double score, most;
    bool has_output, has_time;
};

static void take_member(void *context, const char *key, const char *value, size_t length) {
    struct seen *seen = context;
    char *end = NULL;
    if (strcmp(key, "number") == 0) {
        seen->tests++;
    } else if (strcmp(key, "score") == 0 || strcmp(key, "max_score") == 0) {
        double number = strtod(value, &end);
        ck_assert(end == value + length && number >= 0);
        *(strcmp(key, "score") == 0 ? &seen->score : &seen->most) += number;
    } else if (strcmp(key, "status") == 0) {
        ck_assert_msg(strcmp(value, "passed") == 0 || strcmp(value, "failed") == 0, "%s", value);
    } else if (strcmp(key, "execution_time") == 0) {
        seen->has_time = strtol(value, &end, 10) >= 0 && end == value + length;
    } else if (strcmp(key, "output") == 0) {
        seen->has_output = true;
    } else {
        ck_assert_msg(strcmp(key, "name") == 0, "%s is not documented", key);
    }
}

START_TEST(results_are_what_gradescope_documents) {
    static const char *const folders[] = {"stubs", "solutions"};
    char grader[PATH_MAX], folder[PATH_MAX], sum[64];
    if (_i == 1 && access("labs/solutions", F_OK) != 0)
        return;
    const char *argv[] = {in_labs(grader, "grade", ""), "--results", in_place("results.json"),
                          in_labs(folder, folders[_i], ""), NULL};
    struct run_result result = run(argv, NULL, 0);
    ck_assert_int_eq(result.code, 1 - _i);
    struct sam_bytes json = read_file(in_place("results.json"));
    struct seen seen = {0};
    ck_assert(json_read((const char *)json.data, json.length, take_member, &seen));
    ck_assert(seen.has_output && seen.has_time);
    ck_assert_uint_ge(seen.tests, 4 * COUNT(course));
    snprintf(sum, sizeof sum, "  %.0f of %.0f points\n", seen.score, seen.most);
    assert_told(&result, sum);
    ck_assert(_i == 0 ? seen.score == 0 : seen.score == seen.most);
    sam_bytes_free(&json);
    run_result_free(&result);
}
END_TEST

START_TEST(results_that_cannot_be_written_are_an_error) {
    char grader[PATH_MAX], folder[PATH_MAX];
    static const char *const paths[] = {"/nowhere/results.json", "/dev/full"};
    const char *argv[] = {in_labs(grader, "grade", ""), "--results",        paths[_i],
                          in_labs(folder, "stubs", ""), "01_read_the_wire", NULL};
    struct run_result result = run(argv, NULL, 0);
    ck_assert_int_eq(result.code, 2);
    assert_says(&result, "grade: cannot write ");
    run_result_free(&result);
}
END_TEST

Suite *labs_suite(void) {
    Suite *suite = suite_create("labs");
    TCase *tcase = tcase_create("grading");
    tcase_set_timeout(tcase, 600);
    tcase_add_checked_fixture(tcase, set_up_place, tear_down_place);
    tcase_add_test(tcase, every_lab_is_tested);
    tcase_add_loop_test(tcase, a_solution_earns_every_point, 0, COUNT(course));
    tcase_add_loop_test(tcase, a_stub_earns_nothing, 0, COUNT(course));
    tcase_add_loop_test(tcase, a_hostile_submission_earns_nothing_and_harms_no_other, 0,
                        COUNT(submissions));
    tcase_add_test(tcase, a_submission_that_is_missing_or_no_program_costs_its_own_lab_alone);
    tcase_add_test(tcase, a_lab_that_does_not_exist_is_an_error);
    tcase_add_loop_test(tcase, results_are_what_gradescope_documents, 0, 2);
    tcase_add_loop_test(tcase, results_that_cannot_be_written_are_an_error, 0, 2);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, course_case());
    return suite;
}
