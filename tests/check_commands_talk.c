/* Tests of what both programs print: messages, verdicts, colours, and what --quiet leaves of it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "net.h"
#include "options.h"

#define TEXT(literal) literal, sizeof(literal) - 1

/* What is sent, and the line that the server shows. */
static const struct {
    const char *data;
    size_t length;
    const char *shown;
} messages[] = {
    {TEXT(""), ""},
    {TEXT("hello"), "hello"},
    {TEXT("-"), "-"},
    {TEXT(" \"q\" 'q' $HOME `id` %s %n ! * "), " \"q\" 'q' $HOME `id` %s %n ! * "},
    {TEXT("gr\xc3\xbc\xc3\x9f dich \xe2\x98\x83 \xf0\x9f\x98\x80"),
     "gr\xc3\xbc\xc3\x9f dich \xe2\x98\x83 \xf0\x9f\x98\x80"},
    {TEXT("one\ntwo\r\n\tthree"), "one\\x0atwo\\x0d\\x0a\\x09three"},
    {TEXT("\033[2J\033]0;owned\007"), "\\x1b[2J\\x1b]0;owned\\x07"},
    {TEXT("\177 \xc2\x9b"
          "31m"),
     "\\x7f \\xc2\\x9b31m"},
    {TEXT("\xe2\x80\xaegnp.exe"), "\\xe2\\x80\\xaegnp.exe"},
    {TEXT("\xff\xc0\xaf\xed\xa0\x80 \xe2\x98"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80 \\xe2\\x98"},
    {TEXT("a\0b"), "a\\x00b"},
};

enum { AS_TEXT, AS_INPUT, AS_FILE, WAYS };

static struct run_result send_message(const struct server_process *server, int way,
                                      const void *data, size_t length) {
    struct process process;
    if (way == AS_TEXT)
        return run_client(server, "send_msg", "--", data, NULL);
    if (way == AS_INPUT) {
        process = start_client(server, data, length, "send_msg", "-", NULL);
        return finish(&process);
    }
    write_file(in_place("message"), 0600, data, length);
    return run_client(server, "send_msg", "--file", in_place("message"), NULL);
}

START_TEST(a_message_arrives_however_it_is_given_and_is_shown_harmless) {
    struct server_process server;
    struct sam_bytes expected = {0};
    int way = _i % WAYS;
    start_server(&server, modes[_i / WAYS], keys, NULL);
    for (int i = 0; i < COUNT(messages); i++) {
        const char *data = messages[i].data;
        /* An argument ends at a NUL, and one dash means standard input. */
        if (way == AS_TEXT && (strlen(data) < messages[i].length || strcmp(data, "-") == 0))
            continue;
        struct run_result result = send_message(&server, way, data, messages[i].length);
        assert_code(&result, SAM_EXIT_OK);
        assert_text(&result.out, "");
        char says[64];
        snprintf(says, sizeof says, "receipt for these %zu bytes\n", messages[i].length);
        assert_says(&result, says);
        run_result_free(&result);
        ck_status(sam_bytes_append(&expected, messages[i].shown, strlen(messages[i].shown)),
                  SAM_OK);
        ck_status(sam_bytes_append(&expected, "\n", 1), SAM_OK);
    }
    ck_status(sam_bytes_append(&expected, "", 1), SAM_OK);
    struct run_result stopped = stop_server(&server);
    assert_code(&stopped, SAM_EXIT_OK);
    assert_text(&stopped.out, (const char *)expected.data);
    ck_assert_uint_eq(count_text(&stopped.err, "\033"), 0);
    run_result_free(&stopped);
    sam_bytes_free(&expected);
}
END_TEST

START_TEST(every_byte_travels_and_a_long_message_is_shown_up_to_a_limit) {
    struct server_process server;
    uint8_t all[256], *large = malloc(10000);
    ck_assert_ptr_nonnull(large);
    memset(large, 'x', 10000);
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    start_server(&server, modes[_i], keys, NULL);
    struct run_result result = send_message(&server, AS_INPUT, all, sizeof all);
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    result = send_message(&server, AS_FILE, large, 10000);
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    result = stop_server(&server);
    const struct sam_bytes *out = &result.out;
    size_t shown = 32 * 4 + 95 + 129 * 4; /* printable ASCII as it is, the others as \xNN */
    const char *line = (const char *)out->data, *end = strchr(line, '\n');
    ck_assert_ptr_nonnull(end);
    ck_assert_uint_eq((size_t)(end - line), shown);
    for (size_t i = 0; i < out->length; i++)
        ck_assert(line[i] == '\n' || (line[i] >= ' ' && line[i] <= '~'));
    ck_assert_uint_eq(count_text(out, "... (5904 more bytes)\n"), 1);
    run_result_free(&result);
    free(large);
}
END_TEST

START_TEST(a_file_that_cannot_be_sent_is_named_and_nothing_is_sent) {
    struct server_process server;
    const char *const paths[] = {in_place("missing"), place};
    start_server(&server, modes[_i], keys, NULL);
    for (int i = 0; i < COUNT(paths); i++) {
        struct run_result result = run_client(&server, "send_msg", "--file", paths[i], NULL);
        assert_code(&result, SAM_EXIT_USAGE);
        assert_text(&result.out, "");
        assert_says(&result, paths[i]);
        assert_one_line(&result.err);
        run_result_free(&result);
    }
    struct run_result stopped = stop_server(&server);
    assert_text(&stopped.out, "");
    ck_assert_uint_eq(count_text(&stopped.err, "send from"), 0);
    run_result_free(&stopped);
}
END_TEST

START_TEST(a_message_over_the_servers_limit_is_not_sent) {
    struct server_process server;
    start_server(&server, modes[_i], keys, "--max-message", "40", NULL);
    struct run_result result =
        run_client(&server, "send_msg", "12345678901234567890123456789012345678901", NULL);
    assert_code(&result, SAM_EXIT_USAGE);
    assert_says(&result, "41 bytes");
    assert_says(&result, "at most 40");
    assert_says(&result, "nothing was sent");
    run_result_free(&result);
    result = run_client(&server, "send_msg", "1234567890123456789012345678901234567890", NULL);
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    result = stop_server(&server);
    assert_text(&result.out, "1234567890123456789012345678901234567890\n");
    run_result_free(&result);
}
END_TEST

static const struct {
    const char *message, *on_terminal;
} replies[] = {
    {NULL, "This is a message from the server!"},
    {"", ""},
    {"two\nlines, and a tab\t", "two\\x0alines, and a tab\\x09"},
    {"\033]0;owned\007\033[31mred", "\\x1b]0;owned\\x07\\x1b[31mred"},
    {"\xe2\x98\x83 and \xff", "\xe2\x98\x83 and \\xff"},
};

static void start_with_reply(struct server_process *server, int i) {
    if (replies[i].message == NULL)
        start_server(server, modes[i % 2], keys, NULL);
    else
        start_server(server, modes[i % 2], keys, "--message", replies[i].message, NULL);
}

START_TEST(recv_msg_writes_the_message_and_nothing_else_to_standard_output) {
    struct server_process server;
    start_with_reply(&server, _i);
    const char *message = _i == 0 ? replies[0].on_terminal : replies[_i].message;
    struct run_result result = run_client(&server, "recv_msg", NULL);
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, message);
    ck_assert_uint_eq(count_verdicts(&result.err, "confidentiality", "passed"), 1);
    run_result_free(&result);
    result = run_client(&server, "recv_msg", "--quiet", NULL);
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, message);
    assert_text(&result.err, "");
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

START_TEST(on_a_terminal_a_received_message_is_one_harmless_line) {
    static const struct session session = {.terminal = true, .out = true};
    struct server_process server;
    struct sam_bytes screen;
    char port[8], expected[128];
    start_with_reply(&server, _i);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    const char *const words[] = {"recv_msg", "--keys", keys, "--port", port, NULL};
    struct run_result result = run_session(&session, server.mode, "client", words, &screen);
    assert_code(&result, SAM_EXIT_OK);
    snprintf(expected, sizeof expected, "%s\r\n", replies[_i].on_terminal);
    assert_text(&screen, expected);
    run_result_free(&result);
    sam_bytes_free(&screen);
    stop_server_well(&server);
}
END_TEST

/* Starts a program as a shell does that sends its standard output to a full disk. */
static struct process start_on_full_disk(const struct sam_mode *mode, const char *program,
                                         const char *const words[6]) {
    char path[PATH_MAX];
    const char *argv[11] = {"sh", "-c", "exec \"$0\" \"$@\" > /dev/full",
                            program_path(path, mode, program)};
    for (size_t i = 0; i < 6; i++)
        argv[4 + i] = words[i];
    return start(argv, NULL, 0);
}

START_TEST(a_message_that_cannot_be_printed_is_a_failure) {
    struct server_process server;
    char port[8];
    if (access("/dev/full", W_OK) != 0)
        return;
    start_server(&server, modes[_i], keys, NULL);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    const char *const words[6] = {"recv_msg", "--keys", keys, "--port", port, NULL};
    struct process client = start_on_full_disk(modes[_i], "client", words);
    struct run_result result = finish(&client);
    ck_assert_int_ne(result.code, SAM_EXIT_OK);
    assert_says(&result, "standard output: ");
    assert_says(&result, sam_status_sentence(SAM_FILE_WRITE));
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

START_TEST(a_server_that_cannot_show_a_message_gives_no_receipt) {
    struct server_process server = {.mode = modes[_i]};
    int64_t deadline = sam_now() + 30 * SAM_SECOND;
    if (access("/dev/full", W_OK) != 0)
        return;
    const char *const words[6] = {"--keys", keys, "--port", "0", "--port-file", in_place("port")};
    snprintf(server.folder, sizeof server.folder, "%s", keys);
    server.process = start_on_full_disk(modes[_i], "server", words);
    while (!exists(in_place("port")))
        ck_assert(nap_until(deadline) && !has_ended(&server.process));
    struct sam_bytes port = read_file(in_place("port"));
    ck_status(sam_bytes_append(&port, "", 1), SAM_OK);
    server.port = (uint16_t)strtoul((const char *)port.data, NULL, 10);
    struct run_result result = run_client(&server, "send_msg", "hello", NULL);
    assert_code(&result, SAM_EXIT_UNVERIFIED);
    assert_says(&result, "server refused: ");
    ck_assert_uint_eq(count_text(&result.err, "delivered: "), 0);
    run_result_free(&result);
    stop_server_well(&server);
    sam_bytes_free(&port);
}
END_TEST

START_TEST(each_promise_is_told_once_on_both_ends) {
    static const char *const promises[] = {"confidentiality", "integrity", "sender", "freshness"};
    struct server_process server;
    bool sends = _i / 2 == 0;
    start_server(&server, modes[_i % 2], keys, NULL);
    struct run_result results[2] = {
        run_client(&server, sends ? "send_msg" : "recv_msg", sends ? "hello" : NULL, NULL)};
    results[1] = stop_server(&server);
    for (int k = 0; k < 2; k++) {
        assert_code(&results[k], SAM_EXIT_OK);
        for (int i = 0; i < COUNT(promises); i++) {
            ck_assert_uint_eq(count_verdicts(&results[k].err, promises[i], "passed"), 1);
            ck_assert_uint_eq(count_verdicts(&results[k].err, promises[i], "FAILED"), 0);
        }
    }
    assert_says(&results[1], sends ? "send from client, number 0, 5 bytes"
                                   : "recv from client, number 0, 0 bytes");
    run_result_free(&results[0]);
    run_result_free(&results[1]);
}
END_TEST

START_TEST(a_quiet_server_still_tells_of_a_stranger_and_does_not_show_the_message) {
    struct server_process server;
    give_private(keys, "mallory", "mallory");
    start_server(&server, modes[_i], keys, "--quiet", NULL);
    struct run_result result =
        run_client(&server, "send_msg", "secret words", "--name", "mallory", "--quiet", NULL);
    assert_code(&result, SAM_EXIT_UNVERIFIED);
    assert_text(&result.out, "");
    assert_says(&result, sam_status_sentence(SAM_REJECTED));
    ck_assert_uint_eq(count_text(&result.err, "trust"), 0); /* the reason is not for the sender */
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, "");
    ck_assert_uint_eq(count_verdicts(&result.err, "sender", "FAILED"), 1);
    ck_assert_uint_eq(count_text(&result.err, "passed"), 0);
    ck_assert_uint_eq(count_text(&result.err, "secret words"), 0);
    run_result_free(&result);
}
END_TEST

/* Whether there is colour: on a terminal or not, with what options, NO_COLOR being set to what. */
static const struct {
    bool terminal;
    const char *when, *no_color;
    bool coloured;
} colours[] = {
    {false, "auto", NULL, false}, {false, "always", NULL, true}, {false, "never", NULL, false},
    {true, "auto", NULL, true},   {true, "always", NULL, true},  {true, "never", NULL, false},
    {true, "auto", "1", false},   {true, "always", "1", true},   {true, "never", "1", false},
    {true, "auto", "", true},     {false, "always", "1", true},
};

START_TEST(colour_is_for_terminals_unless_it_is_asked_for_or_forbidden) {
    struct session session = {.terminal = colours[_i].terminal, .err = colours[_i].terminal};
    struct server_process server;
    struct sam_bytes screen;
    char port[8];
    if (colours[_i].no_color != NULL)
        setenv("NO_COLOR", colours[_i].no_color, 1);
    start_server(&server, modes[_i % 2], keys, "--color", colours[_i].when, NULL);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    const char *const words[] = {"recv_msg", "--keys",         keys,      "--port", port,
                                 "--color",  colours[_i].when, "--trace", NULL};
    struct run_result result = run_session(&session, server.mode, "client", words, &screen);
    assert_code(&result, SAM_EXIT_OK);
    const struct sam_bytes *said = colours[_i].terminal ? &screen : &result.err;
    ck_assert_uint_eq(count_text(said, "freshness "), 1);
    ck_assert_uint_eq(count_text(said, "\033[32mpassed\033[0m"), colours[_i].coloured ? 4 : 0);
    ck_assert(colours[_i].coloured || count_text(said, "\033") == 0);
    ck_assert_uint_eq(count_text(&result.out, "\033"), 0);
    run_result_free(&result);
    sam_bytes_free(&screen);
    result = stop_server(&server); /* never on a terminal here */
    ck_assert_uint_eq(count_text(&result.err, "\033") > 0, strcmp(colours[_i].when, "always") == 0);
    run_result_free(&result);
    unsetenv("NO_COLOR");
}
END_TEST

START_TEST(a_quiet_server_says_nothing_but_the_message) {
    struct server_process server;
    start_server(&server, modes[_i], keys, "--quiet", NULL);
    struct run_result result = run_client(&server, "send_msg", "hello", NULL);
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, "hello\n");
    assert_text(&result.err, "");
    run_result_free(&result);
}
END_TEST

TCase *talk_case(void) {
    TCase *tcase = tcase_create("talk");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up_pairs, tear_down_place);
    tcase_add_loop_test(tcase, a_message_arrives_however_it_is_given_and_is_shown_harmless, 0,
                        WAYS * COUNT(modes));
    tcase_add_loop_test(tcase, every_byte_travels_and_a_long_message_is_shown_up_to_a_limit, 0, 2);
    tcase_add_loop_test(tcase, a_file_that_cannot_be_sent_is_named_and_nothing_is_sent, 0, 2);
    tcase_add_loop_test(tcase, a_message_over_the_servers_limit_is_not_sent, 0, 2);
    tcase_add_loop_test(tcase, recv_msg_writes_the_message_and_nothing_else_to_standard_output, 0,
                        COUNT(replies));
    tcase_add_loop_test(tcase, on_a_terminal_a_received_message_is_one_harmless_line, 0,
                        COUNT(replies));
    tcase_add_loop_test(tcase, a_message_that_cannot_be_printed_is_a_failure, 0, 2);
    tcase_add_loop_test(tcase, a_server_that_cannot_show_a_message_gives_no_receipt, 0, 2);
    tcase_add_loop_test(tcase, each_promise_is_told_once_on_both_ends, 0, 4);
    tcase_add_loop_test(
        tcase, a_quiet_server_still_tells_of_a_stranger_and_does_not_show_the_message, 0, 2);
    tcase_add_loop_test(tcase, colour_is_for_terminals_unless_it_is_asked_for_or_forbidden, 0,
                        COUNT(colours));
    tcase_add_loop_test(tcase, a_quiet_server_says_nothing_but_the_message, 0, COUNT(modes));
    return tcase;
}
