/* Tests of sam inspect: it takes any bytes under any name, prints nothing foreign as it is, and
 * says of what it was given neither more nor less than can be seen. */
#include "envelope_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anatomy.h"
#include "instruments.h"
#include "json.h"
#include "vector_index.h"

/* Files with such names hold envelopes; what is said of them holds none of it. */
static const struct {
    const char *name, *shown;
} hostile[] = {
    {"new\nline", "new\\x0aline"},
    {"\033[2J\033]0;title\a", "\\x1b[2J\\x1b]0;title\\x07"},
    {"quote\" and \\ and ' and `", "quote\" and \\ and ' and `"},
    {"\",\"status\": \"OK", "\",\"status\": \"OK"},
    {"\xff\xfe\xc3", "\\xff\\xfe\\xc3"},
    {"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"},
    {"\xe2\x80\xae"
     "cod.mas",
     "\\xe2\\x80\\xae"
     "cod.mas"},
    {"del\x7f\xc2\x9b"
     "31m",
     "del\\x7f\\xc2\\x9b"
     "31m"},
    {"gr\xc3\xbc\xc3\x9f"
     "e \xe2\x82\xac",
     "gr\xc3\xbc\xc3\x9f"
     "e \xe2\x82\xac"},
    {"%s%n%d", "%s%n%d"},
    {"--help", "--help"},
};

static void assert_harmless(const struct sam_bytes *said, const char *name, const char *shown) {
    for (size_t i = 0; i < said->length; i++)
        ck_assert_msg(said->data[i] == '\n' || (said->data[i] >= ' ' && said->data[i] != 0x7f),
                      "byte %02x", said->data[i]);
    ck_assert(strcmp(name, shown) == 0 || count_text(said, name) == 0);
    ck_assert_uint_gt(count_text(said, shown), 0);
}

static void take_file(void *context, const char *key, const char *value, size_t length) {
    ck_assert_uint_eq(strlen(value), length);
    if (strcmp(key, "file") == 0)
        snprintf(context, PATH_MAX, "%s", value);
}

START_TEST(a_hostile_name_is_shown_harmless) {
    char path[2 * PATH_MAX], shown[2 * PATH_MAX], told[PATH_MAX] = "";
    struct sam_bytes unit = read_vector(all.rows[_i].file);
    snprintf(path, sizeof path, "%s/%s", place, hostile[_i].name);
    snprintf(shown, sizeof shown, "%s/%s", place, hostile[_i].shown);
    struct run_result result = SAM("inspect", path);
    assert_failure(&result, SAM_EXIT_USAGE, shown, sam_status_sentence(SAM_FILE_READ));
    assert_harmless(&result.err, path, shown);
    run_result_free(&result);
    write_file(path, 0600, unit.data, unit.length);
    result = SAM("inspect", path);
    assert_code(&result, SAM_EXIT_OK);
    assert_harmless(&result.out, path, shown);
    struct run_result plain = SAM("inspect", vector_path(all.rows[_i].file));
    ck_assert_uint_eq(count_text(&result.out, "\n"), count_text(&plain.out, "\n"));
    run_result_free(&plain);
    run_result_free(&result);
    result = SAM("inspect", "--json", path);
    assert_code(&result, SAM_EXIT_OK);
    ck_assert(json_read((char *)result.out.data, result.out.length, take_file, told));
    ck_assert_str_eq(told, shown);
    run_result_free(&result);
    sam_bytes_free(&unit);
}
END_TEST

/* As many files as a test's process takes words. */
enum { BATCH = 51, BATCHES = VECTOR_ROWS / BATCH };

static struct run_result inspect_batch(size_t batch, const char *option) {
    static char paths[BATCH][PATH_MAX + 64];
    const char *argv[BATCH + 4] = {program_path((char[PATH_MAX]){0}, &in_tools, "sam"), "inspect",
                                   option};
    for (size_t i = 0; i < BATCH; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", vectors_folder(),
                 all.rows[batch * BATCH + i].file);
        argv[3 + i] = paths[i];
    }
    return run(argv, NULL, 0);
}

struct seen {
    size_t first, files, hex; /* rows, and hex digits of the last one */
    struct sam_bytes unit;    /* of the last one */
};

static void see(void *context, const char *key, const char *value, size_t length) {
    struct seen *seen = context;
    struct sam_anatomy anatomy;
    if (strcmp(key, "file") == 0) {
        const char *file = all.rows[seen->first + seen->files++].file;
        ck_assert_uint_eq(seen->hex, 2 * seen->unit.length);
        ck_assert_msg(strstr(value, file) != NULL, "%s, not %s", value, file);
        sam_bytes_free(&seen->unit);
        seen->unit = read_vector(file);
        seen->hex = 0;
    } else if (strcmp(key, "status") == 0) {
        sam_anatomy_start(&anatomy, seen->unit.data, seen->unit.length);
        ck_assert_str_eq(value, sam_status_name(anatomy.status));
    } else if (strcmp(key, "hex") == 0) {
        for (size_t i = 0; i + 1 < length; i += 2, seen->hex += 2) {
            char digits[3];
            if (seen->hex / 2 >= seen->unit.length)
                ck_abort_msg("more bytes than there are");
            snprintf(digits, sizeof digits, "%02x", seen->unit.data[seen->hex / 2]);
            if (memcmp(value + i, digits, 2) != 0)
                ck_abort_msg("byte %zu is not %.2s", seen->hex / 2, value + i);
        }
    }
}

START_TEST(json_of_many_files_holds_every_byte_of_them) {
    struct seen seen = {.first = (size_t)_i * BATCH};
    struct run_result result = inspect_batch((size_t)_i, "--json");
    assert_code(&result, SAM_EXIT_UNVERIFIED);
    assert_text(&result.err, "");
    ck_assert(json_read((char *)result.out.data, result.out.length, see, &seen));
    ck_assert_uint_eq(seen.files, BATCH);
    ck_assert_uint_eq(seen.hex, 2 * seen.unit.length);
    sam_bytes_free(&seen.unit);
    run_result_free(&result);
}
END_TEST

START_TEST(the_outside_of_many_files_is_told_one_after_the_other) {
    struct run_result result = inspect_batch((size_t)_i, "--quiet");
    const char *at = (const char *)result.out.data;
    assert_code(&result, SAM_EXIT_UNVERIFIED);
    assert_text(&result.err, "");
    for (size_t i = 0; i < BATCH; i++) {
        struct sam_bytes unit = read_vector(all.rows[(size_t)_i * BATCH + i].file);
        struct sam_anatomy anatomy;
        char start[PATH_MAX], end[256];
        sam_anatomy_start(&anatomy, unit.data, unit.length);
        snprintf(start, sizeof start, "%s/%s: ", vectors_folder(),
                 all.rows[(size_t)_i * BATCH + i].file);
        ck_assert_msg(strncmp(at, start, strlen(start)) == 0, "not %s: %.300s", start, at);
        if (anatomy.status == SAM_OK)
            snprintf(end, sizeof end, "Nothing is wrong with it that can be seen without a key.\n");
        else
            snprintf(end, sizeof end, "Without a key it can be seen that it\n  %s.\n",
                     sam_status_sentence(anatomy.status));
        at = strstr(at, end);
        ck_assert_msg(at != NULL, "%s lacks %s", start, end);
        at += strlen(end);
        sam_bytes_free(&unit);
    }
    ck_assert_str_eq(at, "");
    run_result_free(&result);
}
END_TEST

/* Where the missing one stands among the others. */
START_TEST(json_stays_json_though_a_file_is_missing) {
    const char *good = vector_path(all.rows[0].file), *missing = in_place("missing");
    const char *files[3] = {good, good, good};
    char told[PATH_MAX];
    files[_i % 3] = missing;
    if (_i >= 3)
        files[(_i + 1) % 3] = missing;
    struct run_result result = SAM("inspect", "--json", files[0], files[1], files[2]);
    assert_code(&result, SAM_EXIT_USAGE);
    assert_says(&result, missing);
    ck_assert_msg(json_read((char *)result.out.data, result.out.length, take_file, told),
                  "no JSON: %.40s", (char *)result.out.data);
    ck_assert_uint_eq(count_text(&result.out, "\"file\""), _i < 3 ? 2 : 1);
    run_result_free(&result);
    result = SAM("inspect", "--json", missing);
    assert_text(&result.out, "[]\n");
    run_result_free(&result);
}
END_TEST

START_TEST(keys_and_json_do_not_go_together) {
    struct run_result result =
        SAM("inspect", "--json", "--keys", keys, vector_path(all.rows[0].file));
    assert_code(&result, SAM_EXIT_USAGE);
    assert_text(&result.out, "");
    assert_one_line(&result.err);
    assert_says(&result, "--json");
    assert_says(&result, "--keys");
    run_result_free(&result);
}
END_TEST

/* The text of a message may be as hostile as a name. */
START_TEST(with_keys_the_inside_is_told_harmlessly) {
    static const char message[] = "hello \033[2J \xff\xc3\xbc";
    char sealed[PATH_MAX];
    snprintf(sealed, sizeof sealed, "%s", in_place("sealed"));
    struct run_result result = sam_with_input(
        message, sizeof message - 1,
        (const char *const[]){"seal", "--mode", _i == 0 ? "1" : "2", "--from", "alice", "--to",
                              "bob", "--keys", keys, "--out", sealed, NULL});
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    result = SAM("inspect", "--keys", keys, sealed, "--color", "never");
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.err, "");
    assert_harmless(&result.out, "\033[2J", "hello \\x1b[2J \\xff\xc3\xbc\n");
    ck_assert_uint_gt(count_text(&result.out, "message, 14 bytes:\n"), 0);
    ck_assert_uint_eq(count_verdicts(&result.out, "freshness", "none"), 1);
    ck_assert_uint_eq(count_text(&result.out, "FAILED"), 0);
    run_result_free(&result);
}
END_TEST

START_TEST(with_keys_nothing_is_told_of_a_message_that_does_not_verify) {
    const struct vector *row = &all.rows[5 * _i];
    struct run_result result =
        SAM("inspect", "--keys", keys, vector_path(row->file), "--color", "never");
    bool opens = row->opens || strstr(row->file, "other_reference") != NULL ||
                 strstr(row->file, "later_sequence") != NULL;
    assert_code(&result, opens ? SAM_EXIT_OK : SAM_EXIT_UNVERIFIED);
    ck_assert_uint_eq(count_text(&result.out, "\nmessage, "), opens ? 1 : 0);
    ck_assert_uint_eq(count_text(&result.out, "FAILED"), opens ? 0 : row->step == 4 ? 2 : 1);
    ck_assert_uint_eq(result.err.length == 0, opens);
    run_result_free(&result);
}
END_TEST

START_TEST(standard_input_is_taken_where_no_file_is_named) {
    struct sam_bytes unit = read_vector(all.rows[_i % 2].file);
    struct run_result plain = SAM("inspect", vector_path(all.rows[_i % 2].file));
    struct run_result result = sam_with_input(
        unit.data, unit.length, (const char *const[]){"inspect", _i < 2 ? NULL : "-", NULL});
    assert_code(&result, SAM_EXIT_OK);
    static const char start[] = "standard input: ";
    ck_assert_mem_eq(result.out.data, start, sizeof start - 1);
    assert_text(&result.err, "");
    ck_assert_str_eq(strchr((char *)result.out.data, ','), strchr((char *)plain.out.data, ','));
    run_result_free(&result);
    run_result_free(&plain);
    result = SAM("inspect");
    assert_code(&result, SAM_EXIT_UNVERIFIED);
    ck_assert_uint_eq(count_text(&result.out, "0 bytes"), 1);
    run_result_free(&result);
    sam_bytes_free(&unit);
}
END_TEST

START_TEST(output_that_cannot_be_written_is_a_failure) {
    static const char *const options[] = {"--quiet", "--json", "--keys"};
    const char *path = vector_path(all.rows[0].file);
    char line[256];
    shortage.closed = 1 << STDOUT_FILENO;
    struct run_result result = SAM("inspect", path, options[_i], _i == 2 ? keys : NULL);
    assert_failure(&result, SAM_EXIT_USAGE, "standard output", "cannot be written");
    run_result_free(&result);
    if (access("/dev/full", W_OK) != 0)
        return;
    snprintf(line, sizeof line, "\"$0\" inspect %s %s \"$2\" > /dev/full", options[_i],
             _i == 2 ? "\"$1\"" : "");
    result = shell(line, path, NULL);
    assert_failure(&result, SAM_EXIT_USAGE, "standard output", "cannot be written");
    run_result_free(&result);
}
END_TEST

TCase *inspect_case(void) {
    TCase *tcase = tcase_create("inspect");
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, load_all, free_all);
    tcase_add_checked_fixture(tcase, set_up_three, tear_down_place);
    tcase_add_loop_test(tcase, a_hostile_name_is_shown_harmless, 0, COUNT(hostile));
    tcase_add_loop_test(tcase, json_of_many_files_holds_every_byte_of_them, 0, BATCHES);
    tcase_add_loop_test(tcase, the_outside_of_many_files_is_told_one_after_the_other, 0, BATCHES);
    tcase_add_loop_test(tcase, json_stays_json_though_a_file_is_missing, 0, 6);
    tcase_add_test(tcase, keys_and_json_do_not_go_together);
    tcase_add_loop_test(tcase, with_keys_the_inside_is_told_harmlessly, 0, 2);
    tcase_add_loop_test(tcase, with_keys_nothing_is_told_of_a_message_that_does_not_verify, 0,
                        VECTOR_ROWS / 5);
    tcase_add_loop_test(tcase, standard_input_is_taken_where_no_file_is_named, 0, 4);
    tcase_add_loop_test(tcase, output_that_cannot_be_written_is_a_failure, 0, 3);
    return tcase;
}
