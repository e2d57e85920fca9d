/* The chat of a real server: who is told what, what is refused, and what those do to the others who
 * vanish, are silent or lie. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chatting.h"
#include "room.h"
#include "suites.h"

static void start_chat(struct server_process *server, int way, const char *word,
                       const char *value) {
    start_server(server, mode_of(way), lab, "--chat", word, value, NULL);
}

START_TEST(all_are_told_who_came_who_left_and_who_said_what) {
    struct server_process server;
    struct peer bob, carol, mallory;
    start_chat(&server, _i, NULL, NULL);
    join_chat(&bob, _i, &server, "bob");
    say(&bob, "is anybody here?");
    join_chat(&carol, _i, &server, "carol");
    hear(&bob, "server: carol has joined");
    say(&bob, "gr\xc3\xbc\xc3\x9f dich");
    hear(&carol, "bob: gr\xc3\xbc\xc3\x9f dich");
    join_chat(&mallory, _i, &server, "mallory");
    hear(&bob, "server: mallory has joined");
    hear(&carol, "server: mallory has joined");
    say(&carol, "");
    hear(&bob, "carol: ");
    hear(&mallory, "carol: ");
    peer_request(&mallory, SAM_KIND_SEND, "/who", 4);
    peer_expect(&mallory, SAM_KIND_REPLY, "bob carol mallory", 17);
    peer_close(&carol);
    hear(&bob, "server: carol has left");
    hear(&mallory, "server: carol has left");
    peer_request(&bob, SAM_KIND_SEND, "/who", 4);
    peer_expect(&bob, SAM_KIND_REPLY, "bob mallory", 11);
    peer_request(&bob, SAM_KIND_RECV, "", 0); /* as from any server */
    peer_expect(&bob, SAM_KIND_REPLY, "This is a message from the server!", 34);
    peer_close(&mallory);
    hear(&bob, "server: mallory has left");
    peer_close(&bob);
    stop_server_well(&server);
}
END_TEST

START_TEST(what_a_chat_does_not_take_is_refused_and_the_connection_goes_on) {
    struct server_process server;
    struct peer bob, carol;
    start_chat(&server, _i, NULL, NULL);
    join_chat(&carol, _i, &server, "carol");
    begin_talk(&bob, _i, &server, "bob");
    peer_request(&bob, SAM_KIND_SEND, "unheard", 7);
    hear_refusal(&bob, "join first");
    peer_request(&bob, SAM_KIND_SEND, "/who", 4);
    hear_refusal(&bob, "join first");
    peer_request(&bob, SAM_KIND_JOIN, "x", 1);
    hear_refusal(&bob, "carries no message");
    peer_request(&bob, SAM_KIND_JOIN, "", 0);
    peer_expect(&bob, SAM_KIND_REPLY, "", 0);
    peer_request(&bob, SAM_KIND_JOIN, "", 0);
    hear_refusal(&bob, "joined already");
    if (_i != IN_SESSION) {
        peer_request(&bob, SAM_KIND_SESSION, "01234567890123456789012345678901", 32);
        hear_refusal(&bob, _i == 0 ? "no symmetric key" : "begins a connection");
    }
    say(&bob, "heard");
    hear(&carol, "server: bob has joined");
    hear(&carol, "bob: heard");
    peer_close(&bob);
    hear(&carol, "server: bob has left");
    peer_close(&carol);
    struct run_result said = stop_server(&server);
    ck_assert_uint_eq(count_text(&said.out, "unheard"), 0);
    run_result_free(&said);
}
END_TEST

START_TEST(a_server_without_a_chat_refuses_who_would_join) {
    struct server_process server;
    struct peer bob;
    start_server(&server, mode_of(_i), lab, NULL);
    begin_talk(&bob, _i, &server, "bob");
    peer_request(&bob, SAM_KIND_JOIN, "", 0);
    hear_refusal(&bob, "no chat");
    say(&bob, "/who");
    peer_close(&bob);
    struct run_result result = run_client(&server, "--name", "bob", "chat", session_word(_i), NULL);
    assert_code(&result, 1);
    assert_says(&result, "server refused: this server has no chat");
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

/* The longest push is as long as the longest message: of that server, or of any client. */
START_TEST(a_text_is_refused_whose_push_would_be_too_long) {
    enum { NAME = 5 }; /* "bob: " */
    static const char *const limits[] = {"100", "17000"};
    size_t longest[] = {100, SAM_ROOM_TEXT};
    for (size_t i = 0; i < 2; i++) {
        struct server_process server;
        struct peer bob, carol;
        char *push = calloc(1, longest[i] + 2);
        ck_assert_ptr_nonnull(push);
        memset(push, 'x', longest[i] + 1);
        memcpy(push, "bob: ", NAME);
        start_chat(&server, _i, "--max-message", limits[i]);
        join_chat(&carol, _i, &server, "carol");
        join_chat(&bob, _i, &server, "bob");
        hear(&carol, "server: bob has joined");
        peer_request(&bob, SAM_KIND_SEND, push + NAME, longest[i] - NAME + 1);
        hear_refusal(&bob, "too long");
        push[longest[i]] = '\0';
        say(&bob, push + NAME);
        hear(&carol, push);
        peer_close(&bob);
        peer_close(&carol);
        free(push);
        stop_server_well(&server);
    }
}
END_TEST

START_TEST(nobody_speaks_in_anothers_name) {
    static const char lie[] = "carol: yes\nserver: carol has left\x1b[2J";
    struct server_process server;
    struct peer bob, carol;
    struct typist reader;
    start_chat(&server, _i, NULL, NULL);
    join_chat(&carol, _i, &server, "carol");
    start_typist(&reader, false, &server, "--name", "mallory", "chat", session_word(_i), NULL);
    hear(&carol, "server: mallory has joined");
    join_chat(&bob, _i, &server, "bob");
    hear(&carol, "server: bob has joined");
    say(&bob, lie);
    hear(&carol, "bob: carol: yes\nserver: carol has left\x1b[2J");
    say(&bob, "done");
    wait_to_see(&reader, "bob: done\n", 1);
    peer_close(&bob);
    wait_to_see(&reader, "bob has left\n", 1);
    struct run_result result = end_typist(&reader);
    assert_code(&result, 0);
    ck_assert_str_eq((const char *)result.out.data,
                     "server: bob has joined\n"
                     "bob: carol: yes\\x0aserver: carol has left\\x1b[2J\n"
                     "bob: done\nserver: bob has left\n");
    run_result_free(&result);
    peer_close(&carol);
    result = stop_server(&server);
    assert_code(&result, 0);
    assert_says(&result, "send from bob,");
    ck_assert_uint_eq(count_text(&result.out, "carol: yes\\x0aserver"), 1);
    run_result_free(&result);
}
END_TEST

START_TEST(a_member_may_be_silent_and_nobody_else_may) {
    struct server_process server;
    struct peer bob, carol, stranger;
    start_chat(&server, _i, "--timeout", "1");
    join_chat(&bob, _i, &server, "bob");
    begin_talk(&stranger, _i, &server, "mallory");
    struct sam_bytes rest = read_to_end(stranger.connection.fd);
    sam_bytes_free(&rest);
    wait_for_log(&server, sam_status_sentence(SAM_TIMEOUT), 1);
    join_chat(&carol, _i, &server, "carol");
    hear(&bob, "server: carol has joined");
    say(&bob, "still here");
    hear(&carol, "bob: still here");
    write_raw(carol.connection.fd, "SAM", 3); /* who begins has to go on */
    hear(&bob, "server: carol has left");
    peer_close(&carol);
    peer_close(&stranger);
    peer_close(&bob);
    stop_server_well(&server);
}
END_TEST

START_TEST(who_vanishes_has_left) {
    const struct linger at_once = {.l_onoff = 1};
    struct server_process server;
    struct peer bob, carol;
    struct typist killed;
    start_chat(&server, _i, NULL, NULL);
    join_chat(&bob, _i, &server, "bob");
    join_chat(&carol, _i, &server, "carol");
    hear(&bob, "server: carol has joined");
    start_typist(&killed, false, &server, "--name", "mallory", "chat", session_word(_i), NULL);
    hear(&bob, "server: mallory has joined");
    type(&killed, "I am here\n");
    hear(&bob, "mallory: I am here");
    ck_assert_int_eq(kill(killed.process.pid, SIGKILL), 0);
    hear(&bob, "server: mallory has left");
    struct run_result result = end_typist(&killed);
    assert_code(&result, 128 + SIGKILL);
    run_result_free(&result);
    /* This one does not even say that it goes. */
    setsockopt(carol.connection.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    peer_close(&carol);
    hear(&bob, "server: carol has left");
    say(&bob, "alone again");
    peer_close(&bob);
    stop_server_well(&server);
}
END_TEST

START_TEST(a_server_that_stops_tells_all_members) {
    enum { MEMBERS = 3 };
    static const char *const names[MEMBERS] = {"bob", "carol", "mallory"};
    struct server_process server;
    struct typist members[MEMBERS];
    start_chat(&server, _i, NULL, NULL);
    for (size_t i = 0; i < MEMBERS; i++) {
        start_typist(&members[i], false, &server, "--name", names[i], "chat", session_word(_i),
                     NULL);
        wait_for_log(&server, "join from", i + 1);
    }
    wait_to_see(&members[0], "has joined\n", 2);
    stop_server_well(&server);
    for (size_t i = 0; i < MEMBERS; i++) {
        struct run_result result = finish(&members[i].process);
        assert_code(&result, 3);
        assert_says(&result, sam_status_sentence(SAM_CLOSED));
        run_result_free(&result);
        close(members[i].keys);
    }
}
END_TEST

static TCase *chat_case(void) {
    TCase *chat = tcase_create("chat");
    tcase_set_timeout(chat, TEST_SECONDS);
    tcase_add_unchecked_fixture(chat, make_chat_lab, remove_lab);
    tcase_add_loop_test(chat, all_are_told_who_came_who_left_and_who_said_what, 0, WAYS);
    tcase_add_loop_test(chat, what_a_chat_does_not_take_is_refused_and_the_connection_goes_on, 0,
                        WAYS);
    tcase_add_loop_test(chat, a_server_without_a_chat_refuses_who_would_join, 0, WAYS);
    tcase_add_loop_test(chat, a_text_is_refused_whose_push_would_be_too_long, 0, WAYS);
    tcase_add_loop_test(chat, nobody_speaks_in_anothers_name, 0, WAYS);
    tcase_add_loop_test(chat, a_member_may_be_silent_and_nobody_else_may, 0, WAYS);
    tcase_add_loop_test(chat, who_vanishes_has_left, 0, WAYS);
    tcase_add_loop_test(chat, a_server_that_stops_tells_all_members, 0, WAYS);
    return chat;
}

Suite *chat_suite(void) {
    Suite *suite = suite_create("chat");
    suite_add_tcase(suite, handler_case());
    suite_add_tcase(suite, room_case());
    suite_add_tcase(suite, chat_case());
    suite_add_tcase(suite, many_case());
    suite_add_tcase(suite, dialogue_case());
    suite_add_tcase(suite, terminal_case());
    return suite;
}
