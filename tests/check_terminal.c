/* The chat on a terminal: the line that is typed stays whole while others speak, the keys that edit
 * it, and the terminal as it was once the client has ended. */
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "chatting.h"

/* Bob on a terminal, carol in the hands of the test. */
static struct server_process server;
static struct typist bob;
static struct peer carol;

/* What a foreign line does: off with what is typed, the line, and what is typed again. */
#define ABOVE(line, typed) "\r\x1b[K" line "\r\n> " typed

static void meet_in_chat(int way) {
    start_server(&server, mode_of(way), lab, "--chat", NULL);
    join_chat(&carol, way, &server, "carol");
    start_typist(&bob, true, &server, "--name", "bob", "--quiet", "chat", session_word(way), NULL);
    hear(&carol, "server: bob has joined");
    wait_to_see(&bob, "> ", 1);
}

static void assert_as_before(void) {
    struct termios settings;
    ck_assert_int_eq(tcgetattr(bob.kept, &settings), 0);
    ck_assert_uint_eq(settings.c_lflag & (ICANON | ECHO), ICANON | ECHO);
}

/* Bob's client has to end by itself, or by what was typed last. */
static void part(int code) {
    int64_t deadline = sam_now() + PATIENT;
    while (!has_ended(&bob.process) && nap_until(deadline))
        continue;
    assert_as_before();
    struct run_result result = end_typist(&bob);
    assert_code(&result, code);
    run_result_free(&result);
    forget_screen(&bob);
    hear(&carol, "server: bob has left");
    peer_close(&carol);
    stop_server_well(&server);
}

START_TEST(a_line_stays_whole_while_others_speak) {
    meet_in_chat(_i);
    type(&bob, "half a l");
    wait_to_see(&bob, "> half a l", 1);
    say(&carol, "hello");
    wait_to_see(&bob, ABOVE("carol: hello", "half a l"), 1);
    type(&bob, "i");
    wait_to_see(&bob, "> half a li", 1);
    say(&carol, "gr\xc3\xbc\xc3\x9f dich");
    wait_to_see(&bob, ABOVE("carol: gr\xc3\xbc\xc3\x9f dich", "half a li"), 1);
    type(&bob, "ne\nand a");
    hear(&carol, "bob: half a line");
    wait_to_see(&bob, "> half a line\r\n", 1); /* it stays where it was typed */
    wait_to_see(&bob, "> and a", 1);
    say(&carol, "third");
    wait_to_see(&bob, ABOVE("carol: third", "and a"), 1);
    type(&bob, "nother\n");
    hear(&carol, "bob: and another");
    type(&bob, "\x04");
    part(0);
}
END_TEST

START_TEST(keys_edit_the_line) {
    static const struct {
        const char *typed, *sent;
    } rows[] = {
        {"abc\x7f\x08z\n", "bob: az"},
        {"gr\xc3\xbc\x7f\x7fx\n", "bob: gx"},
        {"a\xe6\x97\xa5\xf0\x9f\x99\x82\x7f\n", "bob: a\xe6\x97\xa5"},
        {"a\xe6\x97\xa5\xf0\x9f\x99\x82\x7f\x7f\n", "bob: a"},
        {"\x7f\x7f\x08kept\n", "bob: kept"},
        {"wrong\x15right\n", "bob: right"},
        {"an end\x04is none\n", "bob: an endis none"},
        {"con\x01trol\x1b\x07\x0e\n", "bob: control"},
        {"one\rtwo\n", "bob: one"},
        {"", "bob: two"},
        {"kept\nun\x15\x7f\n", "bob: kept"},
        {"up\x1b[A\x1b[3~\x1bOB and down\n", "bob: up and down"},
    };
    meet_in_chat(_i);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        type(&bob, rows[i].typed);
        hear(&carol, rows[i].sent);
    }
    type(&bob, "gone\x15\x04");
    part(0);
}
END_TEST

START_TEST(what_others_say_is_harmless_on_a_terminal) {
    meet_in_chat(_i);
    say(&carol, "\x1b[2J\x1b]0;title\x07 \xc2\x9b\x31m \xe2\x80\xae\nserver: bob has left\r\xff");
    wait_to_see(&bob,
                "carol: \\x1b[2J\\x1b]0;title\\x07 \\xc2\\x9b1m "
                "\\xe2\\x80\\xae\\x0aserver: bob has left\\x0d\\xff\r\n",
                1);
    ck_assert_uint_eq(count_text(&bob.screen, "\x1b[2J"), 0);
    ck_assert_uint_eq(count_text(&bob.screen, "\nserver: bob has left"), 0);
    type(&bob, "\xc2\x9b?\n"); /* nor is what we type */
    wait_to_see(&bob, "> \\xc2\\x9b?\r\n", 1);
    hear(&carol, "bob: \xc2\x9b?");
    type(&bob, "\x04");
    part(0);
}
END_TEST

START_TEST(who_and_quit) {
    meet_in_chat(_i);
    type(&bob, "/who\n");
    wait_to_see(&bob,
                "\r\x1b[K"
                "carol bob\r\n",
                1);
    type(&bob, "/quit\n");
    part(0);
}
END_TEST

START_TEST(what_ends_the_client_puts_the_terminal_back) {
    static const int signals[] = {SIGTERM, SIGHUP, SIGQUIT, SIGINT};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        meet_in_chat(1);
        type(&bob, "half a l");
        wait_to_see(&bob, "> half a l", 1);
        if (signals[i] == SIGINT)
            type(&bob, "\x03");
        else
            ck_assert_int_eq(kill(bob.process.pid, signals[i]), 0);
        part(128 + signals[i]);
    }
}
END_TEST

START_TEST(a_server_that_goes_away_leaves_the_terminal_as_it_was) {
    meet_in_chat(_i);
    type(&bob, "half a l");
    wait_to_see(&bob, "> half a l", 1);
    stop_server_well(&server);
    peer_close(&carol);
    struct run_result result = end_typist(&bob);
    assert_code(&result, 3);
    ck_assert_uint_eq(count_text(&bob.screen, sam_status_sentence(SAM_CLOSED)), 1);
    run_result_free(&result);
    forget_screen(&bob);
}
END_TEST

TCase *terminal_case(void) {
    TCase *terminal = tcase_create("terminal");
    tcase_set_timeout(terminal, TEST_SECONDS);
    tcase_add_unchecked_fixture(terminal, make_chat_lab, remove_lab);
    tcase_add_loop_test(terminal, a_line_stays_whole_while_others_speak, 0, WAYS);
    tcase_add_loop_test(terminal, keys_edit_the_line, 0, WAYS);
    tcase_add_loop_test(terminal, what_others_say_is_harmless_on_a_terminal, 0, WAYS);
    tcase_add_loop_test(terminal, who_and_quit, 0, WAYS);
    tcase_add_test(terminal, what_ends_the_client_puts_the_terminal_back);
    tcase_add_loop_test(terminal, a_server_that_goes_away_leaves_the_terminal_as_it_was, 0, WAYS);
    return terminal;
}
