/* The wiretap's command line: every wrong word ends it at once with 2 and a sentence that names the
 * word, and nothing is made. */
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "commands.h"
#include "instruments.h"
#include "tapping.h"

static const struct {
    const char *words[5];
    const char *named; /* in the sentence */
} mistakes[] = {
    {{"--flip", "nothing"}, "\"nothing\""},
    {{"--flip", ""}, "\"\""},
    {{"--flip", ":3"}, "\":3\""},
    {{"--flip", "magi"}, "\"magi\""},
    {{"--flip", "magic "}, "\"magic \""},
    {{"--flip", "magic:24"}, "\"magic:24\""},
    {{"--flip", "version:8"}, "\"version:8\""},
    {{"--flip", "challenge:128"}, "\"challenge:128\""},
    {{"--flip", "sender-key-id:256"}, "\"sender-key-id:256\""},
    {{"--flip", "magic:x"}, "\"magic:x\""},
    {{"--flip", "magic:"}, "\"magic:\""},
    {{"--flip", "magic:-1"}, "\"magic:-1\""},
    {{"--flip", "tag:4294967296"}, "\"tag:4294967296\""},
    {{"--flip", "5:8"}, "\"5:8\""},
    {{"--flip", "-5"}, "\"-5\""},
    {{"--flip", "0x5"}, "\"0x5\""},
    {{"--flip", "4294967296"}, "\"4294967296\""},
    {{"--flip", "a-name-that-is-longer-than-any-that-there-is"}, "longer-than-any"},
    {{"--flip", "\033[2Jmagic"}, "\"\\x1b[2Jmagic\""},
    {{"--flip", "magic", "--flip", "wrong"}, "\"wrong\""},
    {{"--set", "magic"}, "\"magic\""},
    {{"--set", "magic="}, "\"magic=\""},
    {{"--set", "magic=53414d5"}, "\"magic=53414d5\""},
    {{"--set", "magic=5341"}, "\"magic=5341\""},
    {{"--set", "magic=53414d45"}, "\"magic=53414d45\""},
    {{"--set", "magic=53414g"}, "\"magic=53414g\""},
    {{"--set", "sequence=000001"}, "\"sequence=000001\""},
    {{"--set", "nothing=00"}, "\"nothing=00\""},
    {{"--set", "=00"}, "\"=00\""},
    {{"--set", "7="}, "\"7=\""},
    {{"--set", "7=0x01"}, "\"7=0x01\""},
    {{"--set", "7=0 1"}, "\"7=0 1\""},
    {{"--swap", "1,1"}, "\"1,1\""},
    {{"--swap", "0,1"}, "\"0,1\""},
    {{"--swap", "1,0"}, "\"1,0\""},
    {{"--swap", "1"}, "\"1\""},
    {{"--swap", "1,"}, "\"1,\""},
    {{"--swap", ",1"}, "\",1\""},
    {{"--swap", "1,2,3"}, "\"1,2,3\""},
    {{"--swap", "one,two"}, "\"one,two\""},
    {{"--swap", "1,4294967296"}, "\"1,4294967296\""},
    {{"--side", "nobody"}, "\"nobody\""},
    {{"--side", ""}, "\"\""},
    {{"--replay-new", "1", "--side", "server"}, "--replay-new"},
    {{"--replay-new", "0"}, "\"0\""},
    {{"--drop", "0"}, "\"0\""},
    {{"--drop", "x"}, "\"x\""},
    {{"--drop", "4294967296"}, "\"4294967296\""},
    {{"--replay", "-1"}, "\"-1\""},
    {{"--truncate", "0"}, "\"0\""},
    {{"--delay", "600001"}, "\"600001\""},
    {{"--envelope", "first"}, "\"first\""},
    {{"--listen", "x"}, "\"x\""},
    {{"--listen", ""}, "\"\""},
    {{"--listen", "localhost"}, "\"localhost\""},
    {{"--listen", "127.0.0.1:"}, "\"127.0.0.1:\""},
    {{"--listen", ":8001"}, "\":8001\""},
    {{"--listen", "65536"}, "\"65536\""},
    {{"--listen", "-1"}, "\"-1\""},
    {{"--listen", "8001x"}, "\"8001x\""},
    {{"--to", "127.0.0.1"}, "\"127.0.0.1\""},
    {{"--to", "localhost"}, "\"localhost\""},
    {{"--to", "8000"}, "\"8000\""},
    {{"--to", "127.0.0.1:0"}, "\"127.0.0.1:0\""},
    {{"--to", "127.0.0.1:70000"}, "\"127.0.0.1:70000\""},
    {{"--to", ":8000"}, "\":8000\""},
    {{"--to", "[]:8000"}, "\"[]:8000\""},
    {{"--mode", "1"}, "--mode"},
    {{"word"}, "too many words"},
};

START_TEST(every_wrong_word_is_named_and_nothing_is_made) {
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        const char *argv[16] = {sam_path(path), "wiretap",       "--listen",    "0",
                                "--to",         "127.0.0.1:1",   "--port-file", in_place("port"),
                                "--save",       in_place("kept")};
        for (size_t k = 0; k < 5 && mistakes[i].words[k] != NULL; k++)
            argv[10 + k] = mistakes[i].words[k];
        struct run_result result = run(argv, NULL, 0);
        ck_assert_msg(result.code == 2 && count_text(&result.err, mistakes[i].named) == 1,
                      "%s %s: exit code %d: %s", mistakes[i].words[0], mistakes[i].named,
                      result.code, (const char *)result.err.data);
        assert_one_line(&result.err);
        ck_assert_uint_eq(result.out.length, 0);
        ck_assert(!exists(in_place("port")) && !exists(in_place("kept")));
        run_result_free(&result);
    }
}
END_TEST

START_TEST(both_addresses_are_needed) {
    char path[PATH_MAX];
    struct run_result result = run(RULES(sam_path(path), "wiretap", "--listen", "0"), NULL, 0);
    assert_code(&result, 2);
    assert_one_line(&result.err);
    assert_says(&result, "--to");
    run_result_free(&result);
    result = run(RULES(sam_path(path), "wiretap", "--to", "127.0.0.1:1"), NULL, 0);
    assert_code(&result, 2);
    assert_one_line(&result.err);
    assert_says(&result, "--listen");
    run_result_free(&result);
}
END_TEST

START_TEST(more_rules_than_there_is_room_for_are_refused) {
    char path[PATH_MAX];
    const char *argv[64] = {sam_path(path), "wiretap", "--listen", "0", "--to", "127.0.0.1:1"};
    for (size_t i = 0; i <= SAM_TEXTS_MAX; i++) {
        argv[6 + 2 * i] = "--flip";
        argv[7 + 2 * i] = "magic";
    }
    struct run_result result = run(argv, NULL, 0);
    assert_code(&result, 2);
    assert_one_line(&result.err);
    assert_says(&result, "flip");
    run_result_free(&result);
}
END_TEST

START_TEST(as_many_rules_as_there_is_room_for_are_all_done) {
    const char *rules[4 * SAM_TEXTS_MAX + 1] = {NULL};
    struct ends ends;
    uint8_t unit[SAMPLE_MAX];
    size_t length = make_sample(unit, SAM_ENVELOPE, modes[0], 1);
    for (size_t i = 0; i < SAM_TEXTS_MAX; i++) {
        rules[2 * i] = "--flip";
        rules[2 * i + 1] = i % 2 ? "32:1" : "33";
    }
    rules[2 * SAM_TEXTS_MAX] = "--set";
    rules[2 * SAM_TEXTS_MAX + 1] = "34=abcd";
    open_ends(&ends, modes[0], rules);
    write_raw(ends.near, unit, length);
    unit[34] = 0xab;
    unit[35] = 0xcd;
    expect_bytes(ends.far, unit, length);
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "attack: ", SAM_TEXTS_MAX + 1);
    run_result_free(&told);
}
END_TEST

START_TEST(a_port_that_is_taken_is_told) {
    char path[PATH_MAX], listen[32];
    int fd;
    uint16_t port = 0;
    ck_status(sam_listen(&fd, "127.0.0.1", &port, NULL), SAM_OK);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", (unsigned)port);
    struct run_result result = run(RULES(sam_path(path), "wiretap", "--listen", listen, "--to",
                                         "127.0.0.1:9", "--save", in_place("kept")),
                                   NULL, 0);
    assert_code(&result, 3);
    assert_one_line(&result.err);
    assert_says(&result, listen);
    ck_assert(!exists(in_place("kept")));
    run_result_free(&result);
    close(fd);
}
END_TEST

START_TEST(it_says_where_it_listens_unless_it_is_to_be_quiet) {
    struct ends ends;
    char where[96];
    for (int quiet = 0; quiet < 2; quiet++) {
        open_ends(&ends, modes[0], quiet ? RULES("--quiet") : NONE);
        snprintf(where, sizeof where, "wiretap on 127.0.0.1:%u, passing on to 127.0.0.1:%u",
                 (unsigned)ends.tap.port, (unsigned)ends.at.port);
        struct run_result told = close_ends(&ends, 1);
        ck_assert_uint_eq(count_text(&told.err, where), !quiet);
        ck_assert_uint_eq(count_text(&told.err, "\n"), !quiet);
        run_result_free(&told);
    }
}
END_TEST

TCase *wiretap_usage_case(void) {
    TCase *usage = tcase_create("wiretap usage");
    tcase_set_timeout(usage, TEST_SECONDS);
    tcase_add_unchecked_fixture(usage, make_lab, remove_lab);
    tcase_add_checked_fixture(usage, set_up_place, tear_down_place);
    tcase_add_test(usage, every_wrong_word_is_named_and_nothing_is_made);
    tcase_add_test(usage, both_addresses_are_needed);
    tcase_add_test(usage, more_rules_than_there_is_room_for_are_refused);
    tcase_add_test(usage, as_many_rules_as_there_is_room_for_are_all_done);
    tcase_add_test(usage, a_port_that_is_taken_is_told);
    tcase_add_test(usage, it_says_where_it_listens_unless_it_is_to_be_quiet);
    return usage;
}
