/* Tests of the command line: what may be written there, and what is said when it is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "suites.h"

static const char *const programs[] = {"client", "server"};

/* A command line that is wrong, and what the complaint names. */
static const struct {
    const char *program;
    const char *words[6];
    const char *says;
} mistakes[] = {
    {"client", {NULL}, "a command is missing"},
    {"client", {""}, "there is no command"},
    {"client", {"--quiet"}, "a command is missing"},
    {"client", {"foo"}, "no command called \"foo\""},
    {"client", {"send"}, "no command called \"send\""},
    {"client", {"SEND_MSG", "hello"}, "no command called \"SEND_MSG\""},
    {"client", {"hello", "send_msg"}, "no command called \"hello\""},
    {"client", {"--", "--help"}, "no command called \"--help\""},
    {"client", {"--nope"}, "--nope"},
    {"client", {"recv_msg", "--nope=1"}, "--nope"},
    {"client", {"-x"}, ": \"-x\""},
    {"client", {"send_msg", "-x"}, ": \"-x\""},
    {"client", {"send_msg", "--", "-x", "-y"}, "too many words"},
    {"client", {"recv_msg", "--port"}, "--port"},
    {"client", {"recv_msg", "--keys"}, "--keys"},
    {"client", {"recv_msg", "--trace=1"}, "--trace"},
    {"client", {"--help=1"}, "--help"},
    {"client", {"send_msg"}, "either a text or --file"},
    {"client", {"send_msg", "hi", "--file", "x"}, "either a text or --file"},
    {"client", {"send_msg", "-", "--file", "x"}, "either a text or --file"},
    {"client", {"send_msg", "hello", "world"}, "too many words"},
    {"client", {"send_msg", "a", "b", "c", "d"}, "too many words"},
    {"client", {"recv_msg", "x"}, "too many words"},
    {"client", {"fingerprint", "x"}, "too many words"},
    {"client", {"generate_key_pair", "x"}, "too many words"},
    {"client", {"recv_msg", "--file", "x"}, "--file"},
    {"client", {"recv_msg", "--force"}, "--force"},
    {"client", {"recv_msg", "--passphrase"}, "--passphrase"},
    {"client", {"send_msg", "hi", "--bits", "2048"}, "--bits"},
    {"client", {"fingerprint", "--port", "1"}, "--port"},
    {"client", {"fingerprint", "--trace"}, "--trace"},
    {"client", {"generate_key_pair", "--to", "x"}, "--to"},
    {"client", {"generate_key_pair", "--save", "x"}, "--save"},
    {"client", {"recv_msg", "--message", "x"}, "--message"},
    {"client", {"recv_msg", "--port-file", "x"}, "--port-file"},
    {"client", {"recv_msg", "--max-clients", "1"}, "--max-clients"},
    {"client", {"recv_msg", "--max-message", "1"}, "--max-message"},
    {"client", {"recv_msg", "--color", "blue"}, "not \"blue\""},
    {"client", {"recv_msg", "--color", ""}, "--color"},
    {"client", {"recv_msg", "--color", "ALWAYS"}, "not \"ALWAYS\""},
    {"client", {"generate_key_pair", "--passphrase", "--passphrase-file", "x"}, "not both"},
    {"client", {"generate_key_pair", "--bits", "2052"}, "multiple of 8"},
    {"server", {"foo"}, "no command called \"foo\""},
    {"server", {"send_msg", "hi"}, "no command called \"send_msg\""},
    {"server", {"recv_msg"}, "no command called \"recv_msg\""},
    {"server", {"--nope"}, "--nope"},
    {"server", {"--port"}, "--port"},
    {"server", {"--to", "x"}, "--to"},
    {"server", {"--save", "x"}, "--save"},
    {"server", {"--file", "x"}, "--file"},
    {"server", {"--bits", "2048"}, "--bits"},
    {"server", {"--force"}, "--force"},
    {"server", {"--color", "sometimes"}, "not \"sometimes\""},
    {"server", {"fingerprint", "--message", "x"}, "--message"},
    {"server", {"generate_key_pair", "--port", "0"}, "--port"},
    {"server", {"generate_key_pair", "--bits", "2052"}, "multiple of 8"},
};

START_TEST(a_mistake_is_named_on_standard_error_and_exits_2) {
    for (int m = 0; m < COUNT(modes); m++) {
        struct run_result result =
            run_words(modes[m], mistakes[_i].program, (const char *const *)mistakes[_i].words);
        assert_code(&result, SAM_EXIT_USAGE);
        assert_text(&result.out, "");
        assert_says(&result, mistakes[_i].says);
        assert_says(&result, mistakes[_i].program);
        run_result_free(&result);
    }
}
END_TEST

/* Every option that takes a number, and the numbers just outside its range. */
static const struct {
    const char *program, *command, *option, *over, *under;
} numbers[] = {
    {"client", "recv_msg", "--port", "65536", NULL},
    {"client", "recv_msg", "--timeout", "86401", "0"},
    {"client", "generate_key_pair", "--bits", "4097", "2047"},
    {"server", NULL, "--port", "65536", NULL},
    {"server", NULL, "--timeout", "86401", "0"},
    {"server", NULL, "--max-clients", "100001", "0"},
    {"server", NULL, "--max-message", "1073741825", NULL},
    {"server", "generate_key_pair", "--bits", "5000", "1024"},
};

static const char *const not_numbers[] = {
    "",
    "-",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1x",
    "x",
    "0x10",
    "1.5",
    "1e3",
    "1,000",
    "1\n",
    "\xd9\xa1",
    "inf",
    "--",
    "1_000",
    "4294967296",
    "18446744073709551617",
    "99999999999999999999999999",
};

static void assert_no_number(int i, const char *value) {
    if (value == NULL)
        return;
    char quoted[64];
    int plain = (int)strcspn(value, "\n"); /* a control byte is shown as \xNN */
    snprintf(quoted, sizeof quoted, "not \"%.*s%s\"", plain, value,
             value[plain] == '\n' ? "\\x0a" : "");
    struct run_result result =
        RUN(modes[i % 2], numbers[i].program, numbers[i].option, value, numbers[i].command);
    assert_code(&result, SAM_EXIT_USAGE);
    assert_text(&result.out, "");
    assert_says(&result, numbers[i].option);
    assert_says(&result, quoted);
    assert_says(&result, "takes a number from");
    run_result_free(&result);
}

START_TEST(a_number_is_decimal_digits_in_range_and_nothing_else) {
    for (int i = 0; i < COUNT(not_numbers); i++)
        assert_no_number(_i, not_numbers[i]);
    assert_no_number(_i, numbers[_i].over);
    assert_no_number(_i, numbers[_i].under);
}
END_TEST

/* Right command lines: with no key in the folder they come as far as that. */
static const struct {
    const char *program;
    const char *words[6];
} limits[] = {
    {"client", {"recv_msg", "--port", "65535", "--timeout", "86400"}},
    {"client", {"recv_msg", "--port=1", "--timeout=1"}},
    {"client", {"--timeout", "00030", "recv_msg", "--port", "08000"}},
    {"server", {"--port", "65535", "--timeout", "86400"}},
    {"server", {"--port", "0", "--timeout", "1"}},
    {"server", {"--max-clients", "1", "--max-message", "0", "--message", ""}},
    {"server", {"--max-clients", "100000", "--max-message", "1073741824"}},
    {"server", {"--message", "four", "--max-message", "4"}},
};

START_TEST(the_limits_themselves_are_taken) {
    const char *words[16] = {"--keys", keys};
    size_t count = 2;
    for (size_t i = 0; i < 6 && limits[_i].words[i] != NULL; i++)
        words[count++] = limits[_i].words[i];
    struct run_result result = run_words(modes[_i % 2], limits[_i].program, words);
    assert_code(&result, SAM_EXIT_KEYS);
    assert_says(&result, "private.pem: no such key file");
    run_result_free(&result);
    ck_assert_uint_eq(count_entries(keys), 0);
}
END_TEST

static const char *const both_know[] = {
    "--host",    "--port",  "--keys",  "--name",  "--passphrase-file", "--bits",
    "--force",   "--trace", "--quiet", "--color", "generate_key_pair", "fingerprint",
    "--timeout", "--help"};
static const char *const one_knows[][6] = {
    {"client send_msg", "client recv_msg", "--to ", "--save ", "--file ", NULL},
    {"--port-file ", "--message ", "--max-message ", "--max-clients ", NULL},
};

/* Whatever else stands on the line: who asks for help has got something wrong. */
START_TEST(help_names_what_the_program_takes_and_exits_0) {
    int which = _i % 2;
    struct run_result result = RUN(modes[_i / 2], programs[which], "no", "--help", "such", "words");
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.err, "");
    assert_columns(&result.out);
    ck_assert_uint_gt(count_text(&result.out, modes[_i / 2]->name), 0);
    for (int i = 0; i < COUNT(both_know); i++)
        ck_assert_msg(count_text(&result.out, both_know[i]) > 0, "no %s", both_know[i]);
    for (int i = 0; one_knows[which][i] != NULL; i++)
        ck_assert_msg(count_text(&result.out, one_knows[which][i]) > 0, "no %s",
                      one_knows[which][i]);
    for (int i = 0; one_knows[!which][i] != NULL; i++)
        ck_assert_msg(count_text(&result.out, one_knows[!which][i]) == 0, "%s is not its own",
                      one_knows[!which][i]);
    run_result_free(&result);
}
END_TEST

START_TEST(version_is_one_line_that_names_program_and_mode) {
    struct run_result result = RUN(modes[_i / 2], programs[_i % 2], "--version");
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.err, "");
    assert_one_line(&result.out);
    ck_assert_uint_eq(count_text(&result.out, programs[_i % 2]), 1);
    ck_assert_uint_eq(count_text(&result.out, modes[_i / 2]->name), 1);
    run_result_free(&result);
}
END_TEST

/* Where options stand among the operands, and what is text although it looks like one. */
static const struct {
    const char *words[9];
    const char *text;
} places[] = {
    {{"--quiet", "--timeout", "9", "send_msg", "before"}, "before"},
    {{"send_msg", "--quiet", "--timeout=9", "between"}, "between"},
    {{"send_msg", "behind", "--timeout", "9", "--quiet"}, "behind"},
    {{"--color", "never", "send_msg", "--timeout", "9", "everywhere", "--quiet"}, "everywhere"},
    {{"--quiet", "send_msg", "--", "--help"}, "--help"},
    {{"--quiet", "--", "send_msg", "-x"}, "-x"},
    {{"send_msg", "--quiet", "--", "--"}, "--"},
    {{"send_msg", "--quiet", "--", "--port=1"}, "--port=1"},
    {{"send_msg", "--quiet", "send_msg"}, "send_msg"},
    {{"send_msg", "--quiet", "two words"}, "two words"},
    {{"send_msg", "--quiet", "--timeout", "1", "--timeout", "9", "the last one counts"},
     "the last one counts"},
    {{"send_msg", "--quiet", ""}, ""},
};

START_TEST(options_stand_anywhere_and_two_dashes_end_them) {
    struct server_process server;
    struct sam_bytes expected = {0};
    start_server(&server, modes[_i], keys, "--quiet", NULL);
    for (int i = 0; i < COUNT(places); i++) {
        const char *const *w = places[i].words;
        struct run_result result =
            run_client(&server, w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], NULL);
        assert_code(&result, SAM_EXIT_OK);
        assert_text(&result.out, "");
        assert_text(&result.err, "");
        run_result_free(&result);
        ck_status(sam_bytes_append(&expected, places[i].text, strlen(places[i].text)), SAM_OK);
        ck_status(sam_bytes_append(&expected, "\n", 1), SAM_OK);
    }
    ck_status(sam_bytes_append(&expected, "", 1), SAM_OK);
    struct run_result stopped = stop_server(&server);
    assert_code(&stopped, SAM_EXIT_OK);
    assert_text(&stopped.out, (const char *)expected.data);
    assert_text(&stopped.err, "");
    run_result_free(&stopped);
    sam_bytes_free(&expected);
}
END_TEST

Suite *commands_suite(void) {
    Suite *suite = suite_create("commands");
    TCase *tcase = tcase_create("usage");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up_place, tear_down_place);
    tcase_add_loop_test(tcase, a_mistake_is_named_on_standard_error_and_exits_2, 0,
                        COUNT(mistakes));
    tcase_add_loop_test(tcase, a_number_is_decimal_digits_in_range_and_nothing_else, 0,
                        COUNT(numbers));
    tcase_add_loop_test(tcase, the_limits_themselves_are_taken, 0, COUNT(limits));
    tcase_add_loop_test(tcase, help_names_what_the_program_takes_and_exits_0, 0, 4);
    tcase_add_loop_test(tcase, version_is_one_line_that_names_program_and_mode, 0, 4);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("options");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up_pairs, tear_down_place);
    tcase_add_loop_test(tcase, options_stand_anywhere_and_two_dashes_end_them, 0, COUNT(modes));
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, talk_case());
    suite_add_tcase(suite, save_case());
    suite_add_tcase(suite, network_case());
    suite_add_tcase(suite, trace_case());
    suite_add_tcase(suite, keyfiles_case());
    suite_add_tcase(suite, generate_case());
    suite_add_tcase(suite, make_case());
    return suite;
}
