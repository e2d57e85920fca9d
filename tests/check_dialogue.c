/* The client that goes on talking: a server's handlers, one connection for many lines, sessions,
 * and how it ends when the server does not do its part. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chatting.h"
#include "tapping.h"

enum { EVERY_BYTE = 256 };

/* The answer to a message that goes by standard input; the caller frees it. */
static struct run_result ask(const struct server_process *server, const void *message,
                             size_t length) {
    struct process client =
        start_client(server, message, length, "--name", "bob", "send_msg", "-", "--quiet", NULL);
    struct run_result result = finish(&client);
    assert_code(&result, 0);
    return result;
}

static void assert_answer(const struct server_process *server, const void *message,
                          const void *answer, size_t length) {
    struct run_result result = ask(server, message, length);
    ck_assert_uint_eq(result.out.length, length);
    ck_assert_mem_eq(result.out.data, answer, length);
    run_result_free(&result);
}

START_TEST(a_handler_answers_byte_for_byte) {
    static const char *const names[] = {"receipt", "upper", "echo"};
    uint8_t message[EVERY_BYTE], answer[EVERY_BYTE];
    for (size_t handler = 0; handler < 3; handler++) {
        struct server_process server;
        for (size_t i = 0; i < EVERY_BYTE; i++) {
            message[i] = answer[i] = (uint8_t)i;
            if (handler == 1 && i >= 'a' && i <= 'z')
                answer[i] = (uint8_t)(i - 32);
        }
        start_server(&server, modes[_i], lab, "--handler", names[handler], NULL);
        assert_answer(&server, message, answer, handler == 0 ? 0 : EVERY_BYTE);
        if (handler == 0) {
            struct run_result result = ask(&server, "a message", 9);
            ck_assert_uint_eq(result.out.length, 0);
            run_result_free(&result);
        }
        assert_answer(&server, "", "", 0);
        stop_server_well(&server);
    }
}
END_TEST

START_TEST(without_a_word_the_handler_is_receipt) {
    struct server_process server;
    start_server(&server, modes[_i], lab, NULL);
    struct run_result result = run_client(&server, "--name", "bob", "send_msg", "hello", NULL);
    assert_code(&result, 0);
    ck_assert_uint_eq(result.out.length, 0);
    assert_says(&result, "delivered");
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

static void assert_usage(const char *program, const char *const words[], const char *sentence) {
    char path[PATH_MAX];
    const char *argv[16] = {program_path(path, modes[0], program), "--keys", lab};
    for (size_t i = 0; words[i] != NULL; i++)
        argv[3 + i] = words[i];
    struct run_result result = run(argv, NULL, 0);
    assert_code(&result, 2);
    assert_says(&result, sentence);
    ck_assert_uint_eq(result.out.length, 0);
    ck_assert_uint_eq(count_text(&result.err, "\n"), 1);
    run_result_free(&result);
}

START_TEST(what_does_not_go_together_is_said) {
    assert_usage("server", RULES("--handler", "lower"), "receipt, upper or echo, not \"lower\"");
    assert_usage("server", RULES("--handler", ""), "receipt, upper or echo, not \"\"");
    assert_usage("server", RULES("--chat", "--handler", "echo"), "choose one");
    assert_usage("server", RULES("--handler", "receipt", "--chat"), "choose one");
    assert_usage("server", RULES("--session"), "no such option");
    assert_usage("server", RULES("chat"), "no command called \"chat\"");
    assert_usage("client", RULES("--chat", "chat"), "no such option");
    assert_usage("client", RULES("chat", "--handler", "echo"), "no such option");
    assert_usage("client", RULES("send_msg", "x", "--session"), "--session does not go");
    assert_usage("client", RULES("chat", "--save", "x"), "--save does not go");
    assert_usage("client", RULES("chat", "alice"), "too many words");
    assert_usage("client", RULES("--session"), "a command is missing");
    assert_usage("client", NONE, "a command is missing");
}
END_TEST

static void start_talk(struct typist *typist, const struct server_process *server, int way) {
    start_typist(typist, true, server, "--name", "bob", session_word(way), NULL);
    wait_to_see(typist, "> ", 1);
}

START_TEST(each_line_is_answered_on_one_connection) {
    struct server_process server;
    struct typist bob;
    start_server(&server, mode_of(_i), lab, "--handler", "upper", NULL);
    start_talk(&bob, &server, _i);
    type(&bob, "first line\n");
    wait_to_see(&bob, "FIRST LINE\r\n", 1);
    type(&bob, "gr\xc3\xbc\xc3\x9f\n");
    wait_to_see(&bob, "GR\xc3\xbc\xc3\x9f\r\n", 1);
    type(&bob, "\n/quit\n"); /* nothing but lines, here */
    wait_to_see(&bob, "/QUIT\r\n", 1);
    type(&bob, "two\nat once\n");
    wait_to_see(&bob, "TWO\r\n", 1);
    wait_to_see(&bob, "AT ONCE\r\n", 1);
    type(&bob, "\x04");
    struct run_result result = end_typist(&bob);
    assert_code(&result, 0);
    run_result_free(&result);
    forget_screen(&bob);
    result = stop_server(&server);
    assert_code(&result, 0);
    ck_assert_str_eq((const char *)result.out.data,
                     "first line\ngr\xc3\xbc\xc3\x9f\n\n/quit\ntwo\nat once\n");
    ck_assert_uint_eq(count_text(&result.err, "send from bob"), 6);
    ck_assert_uint_eq(count_text(&result.err, "#1 "), 6 + (_i == IN_SESSION ? 2 : 0));
    ck_assert_uint_eq(count_text(&result.err, "#2 "), 0);
    run_result_free(&result);
}
END_TEST

/* Types a line of so many bytes, in parts that every terminal takes. */
static void type_long(struct typist *typist, size_t length) {
    enum { PART = 1000 };
    for (size_t at = 0; at < length; at += PART) {
        char part[PART + 1], mark[16];
        size_t size = length - at < PART ? length - at : PART;
        int head = snprintf(mark, sizeof mark, "<%zu>", at);
        memset(part, 'x', size);
        memcpy(part, mark, (size_t)head);
        part[size] = '\0';
        type(typist, part);
        wait_to_see(typist, mark, 1);
    }
    type(typist, "\n");
}

/* In mode 1 the answer would be longer than any client takes, so that the server has to refuse; in
 * mode 2 that would take 16 MiB: there the line is longer than this server takes. */
START_TEST(a_refusal_is_told_and_the_next_line_goes_on) {
    struct server_process server;
    struct typist bob;
    bool refuses = mode_of(_i) == modes[0];
    start_server(&server, mode_of(_i), lab, "--handler", "echo", "--max-message",
                 refuses ? "20000" : "10000", NULL);
    start_talk(&bob, &server, _i);
    type_long(&bob, 17000);
    wait_to_see(&bob, refuses ? "longer than a client takes" : "takes at most 10000", 1);
    type(&bob, "and on\n");
    wait_to_see(&bob,
                "\x1b[K"
                "and on\r\n",
                1);
    type(&bob, "\x04");
    struct run_result result = end_typist(&bob);
    assert_code(&result, refuses ? 1 : 2);
    run_result_free(&result);
    forget_screen(&bob);
    stop_server_well(&server);
}
END_TEST

/* Waits for the end; all that is said of it is one sentence. */
static void assert_ended(struct typist *typist, enum sam_status why, int code) {
    struct run_result result = end_typist(typist);
    assert_code(&result, code);
    ck_assert_uint_eq(count_text(&typist->screen, sam_status_sentence(why)), 1);
    run_result_free(&result);
    forget_screen(typist);
}

START_TEST(a_server_that_goes_away_ends_the_talk_with_a_sentence) {
    struct server_process server;
    struct typist bob;
    for (int killed = 0; killed < 2; killed++) {
        start_server(&server, mode_of(_i), lab, "--handler", "echo", NULL);
        start_talk(&bob, &server, _i);
        type(&bob, "hello\nand half a li");
        wait_to_see(&bob, "hello\r\n", 2);
        if (killed) {
            ck_assert_int_eq(kill(server.process.pid, SIGKILL), 0);
            struct run_result result = finish(&server.process);
            run_result_free(&result);
        } else {
            stop_server_well(&server);
        }
        assert_ended(&bob, killed && _i == IN_SESSION ? SAM_CUT : SAM_CLOSED, 3);
    }
}
END_TEST

START_TEST(an_idle_servers_timeout_ends_the_talk_with_a_sentence) {
    struct server_process server;
    struct typist bob;
    start_server(&server, mode_of(_i), lab, "--timeout", "1", NULL);
    start_talk(&bob, &server, _i);
    assert_ended(&bob, SAM_CLOSED, 3);
    wait_for_log(&server, sam_status_sentence(SAM_TIMEOUT), 1);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_uint_eq(count_text(&said.err, sam_status_sentence(SAM_CUT)), 0);
    run_result_free(&said);
}
END_TEST

/* What the wire shows of three lines in a session: two envelopes, and then records. */
START_TEST(a_session_costs_two_private_operations_in_all) {
    enum { LINES = 3 };
    struct server_process server, tap;
    struct typist bob;
    start_server(&server, modes[1], lab, "--handler", "echo", NULL);
    start_wiretap(&tap, &server, NONE);
    start_typist(&bob, true, &tap, "--name", "bob", "--session", "--trace", NULL);
    for (int i = 0; i < LINES; i++) {
        char text[32];
        snprintf(text, sizeof text, "<line %d>\n", i);
        wait_to_see(&bob, "> ", 1);
        type(&bob, text);
        snprintf(text, sizeof text, "\x1b[K<line %d>\r\n", i);
        wait_to_see(&bob, text, 1);
    }
    type(&bob, "\x04");
    struct run_result result = end_typist(&bob);
    assert_code(&result, 0);
    ck_assert_uint_eq(count_text(&bob.screen, "RSA 2 private, 2 public;"), 1);
    run_result_free(&result);
    forget_screen(&bob);
    result = stop_wiretap(&tap, 1);
    ck_assert_msg(count_text(&result.out, "record") >= (size_t)2 * LINES, "%s",
                  (const char *)result.out.data);
    ck_assert_uint_eq(count_text(&result.out, "session"), 1);
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, 0);
    ck_assert_uint_eq(count_text(&result.err, sam_status_sentence(SAM_CUT)), 0);
    run_result_free(&result);
}
END_TEST

START_TEST(a_server_without_symmetric_key_refuses_a_session) {
    for (int chat = 0; chat < 2; chat++) {
        struct server_process server;
        struct typist bob;
        start_server(&server, modes[0], lab, chat ? "--chat" : "--quiet", NULL);
        start_typist(&bob, true, &server, "--name", "bob", "--session", chat ? "chat" : NULL, NULL);
        struct run_result result = end_typist(&bob);
        assert_code(&result, 1);
        ck_assert_uint_eq(count_text(&bob.screen, "server refused: "), 1);
        ck_assert_uint_eq(count_text(&bob.screen, "no symmetric key"), 1);
        run_result_free(&result);
        forget_screen(&bob);
        result = stop_server(&server);
        assert_code(&result, 0);
        ck_assert_uint_eq(count_text(&result.err, "rejected"), 0);
        run_result_free(&result);
    }
}
END_TEST

/* More lines than may wait for an answer. */
START_TEST(a_file_of_lines_goes_into_a_chat_whole) {
    enum { LINES = 200 };
    struct server_process server;
    struct peer carol;
    struct sam_bytes input = {0};
    char text[64];
    for (int i = 0; i < LINES; i++)
        ck_status(sam_bytes_append(&input, text, (size_t)snprintf(text, sizeof text, "%d\n", i)),
                  SAM_OK);
    ck_status(sam_bytes_append(&input, "the end", 7), SAM_OK);
    start_server(&server, mode_of(_i), lab, "--chat", NULL);
    join_chat(&carol, _i, &server, "carol");
    struct process client = start_client(&server, input.data, input.length, "--name", "bob", "chat",
                                         session_word(_i), NULL);
    hear(&carol, "server: bob has joined");
    for (int i = 0; i < LINES; i++) {
        snprintf(text, sizeof text, "bob: %d", i);
        hear(&carol, text);
    }
    hear(&carol, "bob: the end");
    hear(&carol, "server: bob has left");
    struct run_result result = finish(&client);
    assert_code(&result, 0);
    ck_assert_uint_eq(result.out.length, 0);
    run_result_free(&result);
    sam_bytes_free(&input);
    peer_close(&carol);
    stop_server_well(&server);
}
END_TEST

START_TEST(quit_and_the_end_of_input_leave_the_chat) {
    static const char *const lasts[] = {"/quit \nunsaid\n", "/quitter\n\n/who \nsaid\n"};
    for (size_t i = 0; i < 2; i++) {
        struct server_process server;
        start_server(&server, mode_of(_i), lab, "--chat", NULL);
        struct process client = start_client(&server, lasts[i], strlen(lasts[i]), "--name", "bob",
                                             "chat", session_word(_i), NULL);
        struct run_result result = finish(&client);
        assert_code(&result, 0);
        ck_assert_str_eq((const char *)result.out.data, i == 0 ? "" : "bob\n");
        run_result_free(&result);
        result = stop_server(&server);
        assert_code(&result, 0);
        ck_assert_str_eq((const char *)result.out.data, i == 0 ? "" : "said\n");
        ck_assert_uint_eq(count_text(&result.err, sam_status_sentence(SAM_CUT)), 0);
        run_result_free(&result);
    }
}
END_TEST

TCase *dialogue_case(void) {
    TCase *dialogue = tcase_create("dialogue");
    tcase_set_timeout(dialogue, TEST_SECONDS);
    tcase_add_unchecked_fixture(dialogue, make_chat_lab, remove_lab);
    tcase_add_loop_test(dialogue, a_handler_answers_byte_for_byte, 0, 2);
    tcase_add_loop_test(dialogue, without_a_word_the_handler_is_receipt, 0, 2);
    tcase_add_test(dialogue, what_does_not_go_together_is_said);
    tcase_add_loop_test(dialogue, each_line_is_answered_on_one_connection, 0, WAYS);
    tcase_add_loop_test(dialogue, a_refusal_is_told_and_the_next_line_goes_on, 0, WAYS);
    tcase_add_loop_test(dialogue, a_server_that_goes_away_ends_the_talk_with_a_sentence, 0, WAYS);
    tcase_add_loop_test(dialogue, an_idle_servers_timeout_ends_the_talk_with_a_sentence, 0, WAYS);
    tcase_add_test(dialogue, a_session_costs_two_private_operations_in_all);
    tcase_add_test(dialogue, a_server_without_symmetric_key_refuses_a_session);
    tcase_add_loop_test(dialogue, a_file_of_lines_goes_into_a_chat_whole, 0, WAYS);
    tcase_add_loop_test(dialogue, quit_and_the_end_of_input_leave_the_chat, 0, WAYS);
    return dialogue;
}
