/* Tests of sam seal and sam open: keys that are missing, in the wrong hands, or locked. */
#include "envelope_files.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instruments.h"

static void set_up_sealed(void) {
    set_up_three();
    write_file(in_place("plain"), 0600, "hello", 5);
    struct run_result result =
        SAM("seal", "--mode", "1", "--from", "alice", "--to", "bob", "--keys", keys, "--in",
            in_place("plain"), "--out", in_place("sealed"));
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
}

static struct run_result seal(const char *from, const char *to) {
    return SAM("seal", "--mode", "2", "--from", from, "--to", to, "--keys", keys, "--in",
               in_place("plain"), "--out", in_place("out"));
}

static struct run_result open_as(const char *option, const char *value) {
    return SAM("open", "--keys", keys, "--in", in_place("sealed"), "--out", in_place("out"), option,
               value);
}

static void assert_key_failure(struct run_result *result, const char *about,
                               enum sam_status status) {
    assert_failure(result, SAM_EXIT_KEYS, about, sam_status_sentence(status));
    run_result_free(result);
    ck_assert(!exists(in_place("out")));
    ck_assert_uint_eq(count_entries(place), 3);
}

START_TEST(nobody_can_seal_or_open_without_the_key) {
    struct run_result result = seal("nobody", "bob");
    assert_key_failure(&result, in_keys("nobody.private.pem"), SAM_KEY_MISSING);
    result = seal("alice", "nobody");
    assert_key_failure(&result, in_keys("nobody.public.pem"), SAM_KEY_MISSING);
    result = open_as("--name", "nobody");
    assert_key_failure(&result, in_keys("nobody.private.pem"), SAM_KEY_MISSING);
    ck_assert_int_eq(unlink(in_keys("bob.private.pem")), 0);
    result = seal("bob", "alice");
    assert_key_failure(&result, in_keys("bob.private.pem"), SAM_KEY_MISSING);
    result = open_as(NULL, NULL);
    assert_key_failure(&result, in_keys("bob.private.pem"), SAM_KEY_MISSING);
}
END_TEST

START_TEST(a_name_is_no_path) {
    static const char *const names[] = {"", "../keys/alice", "a/b", ".alice", "\033[2J"};
    static const char *const shown[] = {"\"\"", "../keys/alice", "a/b", ".alice", "\\x1b[2J"};
    struct run_result results[] = {seal(names[_i], "bob"), seal("alice", names[_i]),
                                   open_as("--name", names[_i])};
    for (int i = 0; i < COUNT(results); i++)
        assert_key_failure(&results[i], shown[_i], SAM_NAME);
}
END_TEST

START_TEST(one_cannot_seal_for_oneself) {
    struct run_result result = seal("alice", "alice");
    assert_key_failure(&result, "alice and alice", SAM_KEY_SELF);
    give_public(keys, "alice", "twin");
    result = seal("alice", "twin");
    assert_key_failure(&result, "alice and twin", SAM_KEY_SELF);
}
END_TEST

START_TEST(a_key_that_others_can_read_is_not_used) {
    ck_assert_int_eq(chmod(in_keys(_i == 0 ? "alice.private.pem" : "bob.private.pem"), 0640), 0);
    struct run_result result = _i == 0 ? seal("alice", "bob") : open_as(NULL, NULL);
    assert_key_failure(&result, in_keys(_i == 0 ? "alice.private.pem" : "bob.private.pem"),
                       SAM_KEY_EXPOSED);
}
END_TEST

START_TEST(a_ring_with_a_hole_opens_nothing) {
    write_file(in_keys("dave.public.pem"), 0644, "garbage", 7);
    struct run_result result = open_as(NULL, NULL);
    assert_key_failure(&result, in_keys("dave.public.pem"), SAM_KEY_FORMAT);
    result = SAM("open", "--keys", in_place("missing"), "--in", in_place("sealed"));
    assert_failure(&result, SAM_EXIT_KEYS, in_place("missing"), sam_status_sentence(SAM_FOLDER));
    run_result_free(&result);
}
END_TEST

/* With carol's key, or once the sender or the recipient is not known any more. */
START_TEST(who_it_is_not_for_or_not_from_is_told) {
    static const char *const promises[] = {"confidentiality", "sender", "confidentiality"};
    static const enum sam_status statuses[] = {SAM_RECIPIENT, SAM_STRANGER, SAM_RECIPIENT};
    if (_i > 0)
        ck_assert_int_eq(unlink(in_keys(_i == 1 ? "alice.public.pem" : "bob.public.pem")), 0);
    struct run_result result = open_as(_i == 0 ? "--name" : NULL, _i == 0 ? "carol" : NULL);
    assert_code(&result, SAM_EXIT_UNVERIFIED);
    assert_text(&result.out, "");
    ck_assert_uint_eq(count_verdicts(&result.err, promises[_i], "FAILED"), 1);
    ck_assert_uint_eq(count_text(&result.err, "passed"), 0);
    assert_says(&result, sam_status_sentence(statuses[_i]));
    assert_says(&result, in_place("sealed"));
    run_result_free(&result);
    ck_assert(!exists(in_place("out")));
}
END_TEST

/* A pair is enough to open with, once it is named. */
START_TEST(a_named_pair_opens_though_its_public_half_is_not_there) {
    ck_assert_int_eq(unlink(in_keys("bob.public.pem")), 0);
    struct run_result result =
        SAM("open", "--keys", keys, "--in", in_place("sealed"), "--name", "bob");
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, "hello");
    run_result_free(&result);
}
END_TEST

/* Passphrases: dora's key has one. */

static void set_up_locked(void) {
    set_up_sealed();
    write_file(in_place("right"), 0600, "correct horse\n", 14);
    write_file(in_place("wrong"), 0600, "incorrect horse\n", 16);
    write_file(in_place("none"), 0600, "\n", 1);
    struct run_result result =
        RUN(modes[0], "client", "generate_key_pair", "--keys", keys, "--name", "dora", "--bits",
            "2048", "--passphrase-file", in_place("right"), "--quiet");
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    result = SAM("seal", "--mode", "2", "--from", "alice", "--to", "dora", "--keys", keys, "--in",
                 in_place("plain"), "--out", in_place("sealed"));
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
}

static struct run_result with_passphrase(int opens, const char *file) {
    if (opens)
        return open_as("--passphrase-file", file);
    return SAM("seal", "--mode", "1", "--from", "dora", "--to", "bob", "--keys", keys, "--in",
               in_place("plain"), "--out", in_place("out"), "--passphrase-file", file);
}

START_TEST(a_locked_key_needs_its_passphrase) {
    static const struct {
        const char *file;
        enum sam_status status;
        int code;
    } tries[] = {{"wrong", SAM_KEY_PASSPHRASE, SAM_EXIT_KEYS},
                 {"none", SAM_PASSPHRASE, SAM_EXIT_KEYS},
                 {"missing", SAM_FILE_READ, SAM_EXIT_USAGE}};
    for (int i = 0; i < COUNT(tries); i++) {
        const char *file = in_place(tries[i].file);
        struct run_result result = with_passphrase(_i, file);
        assert_failure(&result, tries[i].code, i == 0 ? in_keys("dora.private.pem") : file,
                       sam_status_sentence(tries[i].status));
        ck_assert_uint_eq(count_text(&result.err, "horse"), 0);
        run_result_free(&result);
        ck_assert(!exists(in_place("out")));
    }
    struct run_result result = with_passphrase(_i, in_place("right"));
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    ck_assert(exists(in_place("out")));
}
END_TEST

START_TEST(without_a_terminal_nobody_is_asked_for_a_passphrase) {
    static const struct session nothing = {.terminal = false};
    struct sam_bytes screen;
    struct run_result result = run_session(
        &nothing, &in_tools, "sam",
        (const char *const[]){"open", "--keys", keys, "--in", in_place("sealed"), NULL}, &screen);
    assert_failure(&result, SAM_EXIT_KEYS, in_keys("dora.private.pem"),
                   sam_status_sentence(SAM_KEY_LOCKED));
    run_result_free(&result);
    sam_bytes_free(&screen);
}
END_TEST

START_TEST(on_a_terminal_it_is_asked_for_and_not_shown) {
    static const struct session typing = {
        .terminal = true, .prompt = "Passphrase of dora: ", .typed = "correct horse\n"};
    struct sam_bytes screen;
    struct run_result result = run_session(
        &typing, &in_tools, "sam",
        (const char *const[]){"open", "--keys", keys, "--in", in_place("sealed"), NULL}, &screen);
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, "hello");
    ck_assert_uint_eq(count_text(&screen, "horse"), 0);
    run_result_free(&result);
    sam_bytes_free(&screen);
}
END_TEST

static TCase *new_case(const char *name, void (*set_up)(void)) {
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down_place);
    return tcase;
}

TCase *envelope_keys_case(void) {
    TCase *tcase = new_case("envelope keys", set_up_sealed);
    tcase_add_test(tcase, nobody_can_seal_or_open_without_the_key);
    tcase_add_loop_test(tcase, a_name_is_no_path, 0, 5);
    tcase_add_test(tcase, one_cannot_seal_for_oneself);
    tcase_add_loop_test(tcase, a_key_that_others_can_read_is_not_used, 0, 2);
    tcase_add_test(tcase, a_ring_with_a_hole_opens_nothing);
    tcase_add_loop_test(tcase, who_it_is_not_for_or_not_from_is_told, 0, 3);
    tcase_add_test(tcase, a_named_pair_opens_though_its_public_half_is_not_there);
    return tcase;
}

TCase *passphrases_case(void) {
    TCase *tcase = new_case("passphrases", set_up_locked);
    tcase_add_loop_test(tcase, a_locked_key_needs_its_passphrase, 0, 2);
    tcase_add_test(tcase, without_a_terminal_nobody_is_asked_for_a_passphrase);
    tcase_add_test(tcase, on_a_terminal_it_is_asked_for_and_not_shown);
    return tcase;
}
