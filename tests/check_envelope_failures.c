/* Tests of sam seal and sam open when something is missing or in the way: one sentence that names
 * it, the right exit code, and no file that was not there before. */
#include "envelope_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instruments.h"
#include "sealing.h"

enum { LENGTH = 100000, DISK = 10000 };

/* Both commands, and what they are given here: a plain file, and the same sealed for bob. */
static const char *const commands[][7] = {
    {"seal", "--mode", "2", "--from", "alice", "--to", "bob"},
    {"open", "--quiet", "--color", "never", "--name", "bob", "--quiet"}};
static const char *const given[] = {"plain", "sealed"};

/* Runs command number i with four words more. */
static struct run_result run_command(int i, const char *option, const char *value,
                                     const char *option_2, const char *value_2) {
    const char *const *w = commands[i];
    return SAM(w[0], w[1], w[2], w[3], w[4], w[5], w[6], "--keys", keys, option, value, option_2,
               value_2);
}

static void set_up_files(void) {
    set_up_three();
    write_file(in_place("plain"), 0600, text, LENGTH);
    struct run_result result =
        run_command(0, "--in", in_place("plain"), "--out", in_place("sealed"));
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
}

static void assert_old(const char *path) {
    struct sam_bytes old = {(uint8_t[]){'o', 'l', 'd'}, 3, 3};
    assert_file(path, &old);
}

START_TEST(a_full_disk_leaves_the_old_file_alone) {
    const char *out = in_place("out");
    write_file(out, 0640, "old", 3);
    shortage.file_size = DISK;
    struct run_result result = run_command(_i, "--in", in_place(given[_i]), "--out", out);
    assert_failure(&result, SAM_EXIT_USAGE, out, sam_status_sentence(SAM_FILE_WRITE));
    run_result_free(&result);
    assert_old(out);
    ck_assert_uint_eq(count_entries(place), 4);
}
END_TEST

/* Places where no file can be. */
static const char *const nowhere[] = {"missing/out", "keys", "plain/out", ""};

START_TEST(what_cannot_be_put_there_is_told) {
    const char *name = nowhere[_i / 2], *out = name[0] == '\0' ? "" : in_place(name);
    size_t in_keys_before = count_entries(keys);
    struct run_result result = run_command(_i % 2, "--in", in_place(given[_i % 2]), "--out", out);
    assert_failure(&result, SAM_EXIT_USAGE, name[0] == '\0' ? "\"\"" : out,
                   sam_status_sentence(SAM_FILE_WRITE));
    run_result_free(&result);
    ck_assert_uint_eq(count_entries(place), 3);
    ck_assert_uint_eq(count_entries(keys), in_keys_before);
}
END_TEST

START_TEST(standard_output_that_fails_is_a_failure) {
    shortage.closed = 1 << STDOUT_FILENO;
    struct run_result result = run_command(_i, "--in", in_place(given[_i]), NULL, NULL);
    assert_failure(&result, SAM_EXIT_USAGE, "standard output", "cannot be written");
    run_result_free(&result);
    shortage.file_size = DISK;
    result = run_command(_i, "--in", in_place(given[_i]), NULL, NULL);
    assert_code(&result, SAM_EXIT_USAGE);
    assert_says(&result, "sam: standard output: cannot be written");
    run_result_free(&result);
    if (access("/dev/full", W_OK) != 0)
        return;
    result = shell(_i == 0 ? "\"$0\" seal --mode 1 --from alice --to bob --keys \"$1\" > /dev/full"
                           : "\"$0\" open --keys \"$1\" --in \"$2\" --quiet > /dev/full",
                   in_place("sealed"), NULL);
    assert_failure(&result, SAM_EXIT_USAGE, "standard output", "cannot be written");
    run_result_free(&result);
}
END_TEST

/* More than a pipe holds, so that its end is noticed whenever it comes. */
START_TEST(a_reader_that_is_gone_is_a_failure) {
    static const char *const lines[] = {
        "{ \"$0\" seal --mode 2 --from alice --to bob --keys \"$1\" --in \"$2\"; echo $? > \"$3\"; "
        "} | true",
        "{ \"$0\" open --quiet --keys \"$1\" --in \"$2\"; echo $? > \"$3\"; } | true"};
    const struct sam_bytes two = {(uint8_t[]){'2', '\n'}, 2, 2};
    struct run_result result = shell(lines[_i], in_place(given[_i]), in_place("code"));
    assert_failure(&result, SAM_EXIT_OK, "standard output", "cannot be written");
    run_result_free(&result);
    assert_file(in_place("code"), &two);
}
END_TEST

static const char *const unreadable[] = {"missing", "keys", "plain/in", ""};

START_TEST(what_cannot_be_read_is_told_and_nothing_is_written) {
    const char *name = unreadable[_i / 2], *in = name[0] == '\0' ? "" : in_place(name);
    write_file(in_place("out"), 0600, "old", 3);
    struct run_result result = run_command(_i % 2, "--in", in, "--out", in_place("out"));
    assert_failure(&result, SAM_EXIT_USAGE, name[0] == '\0' ? "\"\"" : in,
                   sam_status_sentence(SAM_FILE_READ));
    run_result_free(&result);
    shortage.closed = 1 << STDIN_FILENO;
    result = run_command(_i % 2, "--out", in_place("out"), NULL, NULL);
    assert_failure(&result, SAM_EXIT_USAGE, "standard input", sam_status_sentence(SAM_FILE_READ));
    run_result_free(&result);
    assert_old(in_place("out"));
    ck_assert_uint_eq(count_entries(place), 4);
}
END_TEST

/* It has a hole, and so takes no space. It is no verdict on an envelope. */
START_TEST(a_file_that_no_envelope_holds_is_not_sealed) {
    const char *in = in_place("long");
    write_file(in, 0600, "", 0);
    ck_assert_int_eq(truncate(in, (off_t)SAM_MESSAGE_LIMIT + 1), 0);
    struct run_result result = run_command(0, "--in", in, "--out", in_place("out"));
    assert_failure(&result, SAM_EXIT_USAGE, in, "over the limit");
    run_result_free(&result);
    ck_assert(!exists(in_place("out")));
}
END_TEST

START_TEST(what_does_not_verify_leaves_the_old_file_alone) {
    struct sam_bytes sealed = read_file(in_place("sealed"));
    const char *in = in_place("in"), *out = in_place(_i == 0 ? "out" : "in");
    sealed.data[sealed.length - 1] ^= 1;
    write_file(in, 0600, sealed.data, sealed.length);
    if (_i == 0)
        write_file(out, 0600, "old", 3);
    struct run_result result = run_command(1, "--in", in, "--out", out);
    assert_code(&result, SAM_EXIT_UNVERIFIED);
    assert_text(&result.out, "");
    assert_says(&result, sam_status_sentence(SAM_DECRYPT));
    run_result_free(&result);
    assert_file(in, &sealed);
    if (_i == 0)
        assert_old(out);
    ck_assert_uint_eq(count_entries(place), _i == 0 ? 5 : 4);
    sam_bytes_free(&sealed);
}
END_TEST

/* What is no envelope at all. */
static const struct {
    const char *bytes;
    size_t length;
    enum sam_status status;
} strangers[] = {
    {"", 0, SAM_TRUNCATED},
    {"SAM", 3, SAM_TRUNCATED},
    {"hello, world", 12, SAM_MAGIC},
    {"SAMX", 4, SAM_TYPE},
    {"SAMR\1\1\0\0\0\0\0\0\0\0\0\0", 16, SAM_TYPE},
    {"SAMS\1\2\1\0\0\0\0\0\0\0\0\x10"
     "0123456789abcdef",
     32, SAM_TYPE},
};

START_TEST(what_is_no_envelope_does_not_verify) {
    const char *in = in_place("in");
    char said[2 * PATH_MAX];
    write_file(in, 0600, strangers[_i].bytes, strangers[_i].length);
    struct run_result result = run_command(1, "--in", in, "--out", in_place("out"));
    assert_code(&result, SAM_EXIT_UNVERIFIED);
    assert_text(&result.out, "");
    snprintf(said, sizeof said, "sam: %s: %s\n", in, sam_status_sentence(strangers[_i].status));
    assert_says(&result, said);
    ck_assert_uint_eq(count_verdicts(&result.err, "integrity", "FAILED"), 1);
    run_result_free(&result);
    ck_assert(!exists(in_place("out")));
}
END_TEST

static const struct {
    const char *words[6], *says;
} mistakes[] = {
    {{"--from", "alice", "--to", "bob"}, "seal takes --mode, --from and --to"},
    {{"--mode", "1", "--to", "bob"}, "seal takes --mode, --from and --to"},
    {{"--mode", "1", "--from", "alice"}, "seal takes --mode, --from and --to"},
    {{"--mode", "", "--from", "alice", "--to", "bob"}, "not \"\""},
    {{"--mode", "0", "--from", "alice", "--to", "bob"}, "not \"0\""},
    {{"--mode", "3", "--from", "alice", "--to", "bob"}, "not \"3\""},
    {{"--mode", "12", "--from", "alice", "--to", "bob"}, "not \"12\""},
    {{"--mode", "asymmetric", "--from", "alice", "--to", "bob"}, "not \"asymmetric\""},
    {{"--mode", "\033[2J\n", "--from", "alice", "--to", "bob"}, "not \"\\x1b[2J\\x0a\""},
};

START_TEST(a_mistake_in_sealing_is_named) {
    const char *const *w = mistakes[_i].words;
    struct run_result result = SAM("seal", "--keys", keys, w[0], w[1], w[2], w[3], w[4], w[5]);
    assert_code(&result, SAM_EXIT_USAGE);
    assert_text(&result.out, "");
    assert_one_line(&result.err);
    assert_says(&result, mistakes[_i].says);
    run_result_free(&result);
}
END_TEST

/* Secrets. */

/* Six bytes of it in a row, as a hexdump or as digits: 16 stand on a line, so of any secret of 16
 * and more at least eight would. */
static void assert_hidden(const struct sam_bytes *said, const uint8_t *secret, size_t length) {
    enum { WINDOW = 6 };
    ck_assert_uint_ge(length, 16);
    ck_assert(!contains(said->data, said->length, secret, length));
    for (size_t at = 0; at + WINDOW <= length; at++) {
        char dump[3 * WINDOW + 1] = "", lower[2 * WINDOW + 1] = "", upper[2 * WINDOW + 1] = "";
        for (size_t i = 0; i < WINDOW; i++) {
            snprintf(dump + 3 * i, 4, " %02x", secret[at + i]);
            snprintf(lower + 2 * i, 3, "%02x", secret[at + i]);
            snprintf(upper + 2 * i, 3, "%02X", secret[at + i]);
        }
        ck_assert_msg(count_text(said, dump) == 0 && count_text(said, lower) == 0 &&
                          count_text(said, upper) == 0,
                      "%s", dump);
    }
}

START_TEST(a_trace_shows_what_travels_and_no_secret) {
    static const char message[] = "Zq7 secret words vK4 of alice";
    const struct sam_mode *mode = modes[_i];
    const char *in = in_place("in"), *sealed = in_place("sealed");
    write_file(in, 0600, message, sizeof message - 1);
    struct run_result seals = SAM("seal", "--mode", mode->name, "--from", "alice", "--to", "bob",
                                  "--keys", keys, "--in", in, "--out", sealed, "--trace");
    struct run_result opens =
        SAM("open", "--keys", keys, "--in", sealed, "--out", in_place("out"), "--trace");
    const struct run_result *both[] = {&seals, &opens};
    struct sam_envelope envelope = {.bytes = read_file(sealed)};
    ck_status(sam_header_read(&envelope.header, envelope.bytes.data, mode->number, SAM_KINDS_ALL),
              SAM_OK);
    struct secrets secrets = secrets_of(mode, &people.bob, &envelope);
    for (int i = 0; i < COUNT(both); i++) {
        assert_code(both[i], SAM_EXIT_OK);
        assert_says(both[i], "RSASSA-PSS");
        assert_says(both[i], i == 0 ? "message          secret" : "freshness        none");
        assert_hidden(&both[i]->err, secrets.letter.data, secrets.letter.length);
        assert_hidden(&both[i]->err, secrets.letter.data, SAM_SALT_SIZE);
        if (mode->number == 2) { /* in mode 1 the signature travels in clear */
            assert_says(both[i], "key              secret");
            assert_hidden(&both[i]->err, secrets.key, SAM_GCM_KEY_SIZE);
            assert_hidden(&both[i]->err, secrets.signature, envelope.header.signature_length);
        }
    }
    sam_bytes_free(&secrets.letter);
    sam_envelope_free(&envelope);
    run_result_free(&seals);
    run_result_free(&opens);
}
END_TEST

TCase *envelope_failures_case(void) {
    TCase *tcase = tcase_create("envelope failures");
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, load_sealing, free_people);
    tcase_add_checked_fixture(tcase, set_up_files, tear_down_place);
    tcase_add_loop_test(tcase, a_full_disk_leaves_the_old_file_alone, 0, 2);
    tcase_add_loop_test(tcase, what_cannot_be_put_there_is_told, 0, 2 * COUNT(nowhere));
    tcase_add_loop_test(tcase, standard_output_that_fails_is_a_failure, 0, 2);
    tcase_add_loop_test(tcase, a_reader_that_is_gone_is_a_failure, 0, 2);
    tcase_add_loop_test(tcase, what_cannot_be_read_is_told_and_nothing_is_written, 0,
                        2 * COUNT(unreadable));
    tcase_add_test(tcase, a_file_that_no_envelope_holds_is_not_sealed);
    tcase_add_loop_test(tcase, what_does_not_verify_leaves_the_old_file_alone, 0, 2);
    tcase_add_loop_test(tcase, what_is_no_envelope_does_not_verify, 0, COUNT(strangers));
    tcase_add_loop_test(tcase, a_mistake_in_sealing_is_named, 0, COUNT(mistakes));
    tcase_add_loop_test(tcase, a_trace_shows_what_travels_and_no_secret, 0, 2);
    return tcase;
}
