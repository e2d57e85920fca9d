/* Tests of sam's command line: every subcommand takes its own options and no others. */
#include "envelope_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instruments.h"
#include "options.h"

/* What each subcommand's help tells of, and with a value that is right whether it is taken. */
static const struct {
    const char *name;
    const char *options[20];
} commands[] = {
    {"seal",
     {"mode", "from", "to", "in", "out", "keys", "passphrase-file", "trace", "quiet", "color"}},
    {"open", {"in", "out", "keys", "name", "passphrase-file", "trace", "quiet", "color"}},
    {"inspect", {"keys", "name", "passphrase-file", "json", "quiet", "color"}},
    {"wiretap",
     {"to", "listen", "port-file", "save", "pcap", "brief", "side", "envelope", "flip", "set",
      "truncate", "delay", "drop", "replay", "replay-new", "swap", "quiet", "color"}},
    {"compare", {"sizes", "bits", "json", "csv", "quiet", "color"}},
    {"explain", {"out", "quiet", "color"}},
};

/* Every option there is, but help and version, which all take, and a value where it has one. */
static const struct {
    const char *name, *value;
} options[] = {
    {"mode", "1"},    {"from", "x"},      {"to", "x"},         {"in", "x"},
    {"out", "x"},     {"keys", "x"},      {"name", "x"},       {"passphrase-file", "x"},
    {"trace", NULL},  {"listen", "1"},    {"port-file", "x"},  {"save", "x"},
    {"pcap", "x"},    {"brief", NULL},    {"side", "client"},  {"envelope", "1"},
    {"flip", "kind"}, {"set", "kind=01"}, {"truncate", "1"},   {"delay", "1"},
    {"drop", "1"},    {"replay", "1"},    {"replay-new", "1"}, {"swap", "1,2"},
    {"sizes", "1"},   {"bits", "2048"},   {"json", NULL},      {"csv", NULL},
    {"quiet", NULL},  {"color", "never"},
};

static bool takes(int command, const char *option) {
    for (int i = 0; commands[command].options[i] != NULL; i++)
        if (strcmp(commands[command].options[i], option) == 0)
            return true;
    return false;
}

static void assert_refused(struct run_result *result, const char *says) {
    assert_code(result, SAM_EXIT_USAGE);
    assert_text(&result->out, "");
    assert_one_line(&result->err);
    ck_assert_int_eq(strncmp((char *)result->err.data, "sam: ", 5), 0);
    assert_says(result, says);
    run_result_free(result);
}

START_TEST(an_option_of_another_command_is_refused) {
    size_t refused = 0, entries = count_entries(place);
    for (int i = 0; i < COUNT(options); i++) {
        char option[32], says[64];
        if (takes(_i, options[i].name))
            continue;
        snprintf(option, sizeof option, "--%s", options[i].name);
        snprintf(says, sizeof says, "--%s does not go with this command", options[i].name);
        struct run_result result = SAM(commands[_i].name, option, options[i].value);
        assert_refused(&result, says);
        refused++;
    }
    ck_assert_uint_ge(refused, COUNT(options) - 18);
    ck_assert_uint_eq(count_entries(place), entries);
}
END_TEST

static const struct {
    const char *words[6], *says;
} mistakes[] = {
    {{NULL}, "a command is missing"},
    {{"--quiet"}, "a command is missing"},
    {{"--"}, "a command is missing"},
    {{""}, "there is no command called \"\""},
    {{"sealed"}, "there is no command called \"sealed\""},
    {{"SEAL"}, "there is no command called \"SEAL\""},
    {{"send_msg", "hi"}, "there is no command called \"send_msg\""},
    {{"\033[2J"}, "there is no command called \"\\x1b[2J\""},
    {{"--", "--help"}, "there is no command called \"--help\""},
    {{"seal", "--nope"}, "\"--nope\""},
    {{"open", "-x"}, "\"-x\""},
    {{"seal", "--in"}, "\"--in\""},
    {{"open", "--out"}, "\"--out\""},
    {{"open", "--quiet=1"}, "\"--quiet=1\""},
    {{"seal", "plain", "plainer"}, "too many words"},
    {{"open", "sealed", "--in", "sealed"}, "not both"},
    {{"wiretap", "x"}, "too many words"},
    {{"compare", "x"}, "too many words"},
    {{"explain", "x", "y"}, "too many words"},
    {{"inspect", "--color", "blue"}, "not \"blue\""},
    {{"open", "--color", ""}, "--color takes auto, always or never"},
    {{"compare", "--bits", "2047"}, "--bits takes a number from 2048 to 4096, not \"2047\""},
    {{"compare", "--bits", "4097"}, "not \"4097\""},
    {{"compare", "--bits", "x"}, "not \"x\""},
    {{"wiretap", "--delay", "600001"}, "--delay takes a number from 1 to 600000"},
    {{"wiretap", "--drop", "0"}, "--drop takes a number from 1"},
    {{"wiretap", "--envelope", "-1"}, "not \"-1\""},
};

START_TEST(a_mistake_on_the_line_is_named) {
    const char *const *w = mistakes[_i].words;
    struct run_result result = SAM(w[0], w[1], w[2], w[3], w[4], w[5]);
    assert_refused(&result, mistakes[_i].says);
}
END_TEST

/* How many lines begin with that option. */
static size_t count_option(const struct sam_bytes *help, const char *name) {
    char start[48];
    snprintf(start, sizeof start, "\n  --%s ", name);
    return count_text(help, start);
}

START_TEST(help_of_a_command_tells_its_options_and_no_others) {
    struct run_result result = SAM(commands[_i].name, "--help");
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.err, "");
    assert_columns(&result.out);
    size_t told = count_option(&result.out, "help") + count_option(&result.out, "version");
    ck_assert_uint_eq(told, 2);
    for (int i = 0; i < COUNT(options); i++) {
        size_t times = count_option(&result.out, options[i].name);
        ck_assert_msg(times == (takes(_i, options[i].name) ? 1 : 0), "--%s %zu times",
                      options[i].name, times);
        told += times;
    }
    ck_assert_uint_eq(count_text(&result.out, "\n  --"), told); /* there is no other */
    for (int i = 0; i < COUNT(commands); i++) {
        char start[32];
        snprintf(start, sizeof start, "\n  sam %s ", commands[i].name);
        ck_assert_uint_eq(count_text(&result.out, start), i == _i ? 1 : 0);
    }
    run_result_free(&result);
}
END_TEST

/* Whatever else stands on the line: who asks for help has got something wrong. */
START_TEST(help_without_a_command_tells_of_all) {
    static const char *const lines[][3] = {
        {"--help"}, {"nope", "--help"}, {"--help", "--from", "x"}};
    for (int k = 0; k < COUNT(lines); k++) {
        struct run_result result = SAM(lines[k][0], lines[k][1], lines[k][2]);
        assert_code(&result, SAM_EXIT_OK);
        assert_text(&result.err, "");
        assert_columns(&result.out);
        for (int i = 0; i < COUNT(options); i++)
            ck_assert_msg(count_option(&result.out, options[i].name) == 1, "--%s", options[i].name);
        for (int i = 0; i < COUNT(commands); i++) {
            char start[32];
            snprintf(start, sizeof start, "\n  sam %s ", commands[i].name);
            ck_assert_uint_eq(count_text(&result.out, start), 1);
        }
        run_result_free(&result);
    }
}
END_TEST

START_TEST(version_is_one_line_wherever_it_stands) {
    static const char *const lines[][2] = {
        {"--version"}, {"seal", "--version"}, {"--version", "inspect"}};
    for (int i = 0; i < COUNT(lines); i++) {
        struct run_result result = SAM(lines[i][0], lines[i][1]);
        assert_code(&result, SAM_EXIT_OK);
        assert_text(&result.out, "sam " SAM_RELEASE "\n");
        assert_text(&result.err, "");
        run_result_free(&result);
    }
}
END_TEST

/* Options before, between and behind; two dashes before a file that looks like one. */
START_TEST(options_stand_anywhere_and_two_dashes_end_them) {
    static const char *const lines[][8] = {
        {"--mode", "1", "--from", "alice", "--to", "bob", "seal"},
        {"seal", "--mode=asymmetric_only", "--from=alice", "--to=bob", "--"},
        {"--mode=2", "--mode=1", "--from", "alice", "seal", "--to", "bob"}};
    char back[PATH_MAX];
    ck_assert_ptr_nonnull(getcwd(back, sizeof back));
    struct sam_bytes unit = read_vector("001_mode1_alice_bob_0.sam");
    for (int i = 0; i < COUNT(lines); i++) {
        const char *const *w = lines[i];
        struct run_result result =
            SAM("--keys", keys, "--quiet", w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
        assert_code(&result, SAM_EXIT_OK);
        assert_text(&result.err, "");
        ck_assert_uint_eq(result.out.length, 128 + 384 + 256);
        ck_assert_uint_eq(result.out.data[5], 1);
        run_result_free(&result);
    }
    /* A relative name is all that can begin with a dash, so the test goes where the file is. */
    char path[PATH_MAX];
    ck_assert_ptr_nonnull(realpath(program_path((char[PATH_MAX]){0}, &in_tools, "sam"), path));
    write_file(in_place("--json"), 0600, unit.data, unit.length);
    ck_assert_int_eq(chdir(place), 0);
    struct run_result result =
        run((const char *const[]){path, "inspect", "--", "--json", NULL}, NULL, 0);
    assert_code(&result, SAM_EXIT_OK);
    ck_assert_uint_eq(count_text(&result.out, "--json: envelope, mode 1, send, 768 bytes\n"), 1);
    run_result_free(&result);
    ck_assert_int_eq(chdir(back), 0);
    sam_bytes_free(&unit);
}
END_TEST

TCase *sam_case(void) {
    TCase *tcase = tcase_create("sam");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up_three, tear_down_place);
    tcase_add_loop_test(tcase, an_option_of_another_command_is_refused, 0, COUNT(commands));
    tcase_add_loop_test(tcase, a_mistake_on_the_line_is_named, 0, COUNT(mistakes));
    tcase_add_loop_test(tcase, help_of_a_command_tells_its_options_and_no_others, 0,
                        COUNT(commands));
    tcase_add_test(tcase, help_without_a_command_tells_of_all);
    tcase_add_test(tcase, version_is_one_line_wherever_it_stands);
    tcase_add_test(tcase, options_stand_anywhere_and_two_dashes_end_them);
    return tcase;
}
