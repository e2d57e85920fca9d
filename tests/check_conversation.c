/* Real clients and a real server: what is said arrives as it is, once, and the exit code tells.
 * Envelopes that must not pass are in check_rejected.c, servers that misbehave in
 * check_fake_server.c, the end of a server in check_stopping.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exchange.h"
#include "peer.h"
#include "process.h"
#include "suites.h"

/* How much of a message a server shows, and how: see service.c. */
enum { SHOWN = 4096, EVERY_BYTE = 256 };

/* What the server writes on standard output for a message; the caller frees it. */
static char *shown(const uint8_t *message, size_t length) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    sam_show_text(stream, message, length, SHOWN);
    fputc('\n', stream);
    ck_assert_int_eq(fclose(stream), 0);
    return text;
}

/* Sends length bytes of message through standard input. */
static void deliver(const struct server_process *server, const uint8_t *message, size_t length) {
    struct process client = start_client(server, message, length, "send_msg", "-", NULL);
    struct run_result result = finish(&client);
    assert_code(&result, 0);
    assert_says(&result, "delivered");
    ck_assert_uint_eq(result.out.length, 0);
    run_result_free(&result);
}

START_TEST(a_sent_message_arrives_byte_for_byte) {
    struct server_process server;
    uint8_t message[EVERY_BYTE];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    start_server(&server, modes[_i], lab, NULL);
    deliver(&server, message, sizeof message);
    deliver(&server, message, 0);
    struct run_result result = run_client(&server, "send_msg", "plain words", NULL);
    assert_code(&result, 0);
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, 0);
    char *every = shown(message, sizeof message), all[4 * EVERY_BYTE + 32];
    snprintf(all, sizeof all, "%s\nplain words\n", every);
    ck_assert_str_eq((const char *)result.out.data, all);
    free(every);
    run_result_free(&result);
}
END_TEST

START_TEST(the_longest_message_passes_and_one_byte_more_does_not) {
    struct server_process server;
    size_t limit = modes[_i]->max_message;
    uint8_t *message = malloc(limit + 1);
    ck_assert_ptr_nonnull(message);
    memset(message, 'm', limit + 1);
    start_server(&server, modes[_i], lab, NULL);
    deliver(&server, message, limit);
    struct process client = start_client(&server, message, limit + 1, "send_msg", "-", NULL);
    struct run_result result = finish(&client);
    char number[32];
    assert_code(&result, 2);
    snprintf(number, sizeof number, " %zu ", limit + 1);
    assert_says(&result, number);
    snprintf(number, sizeof number, " %zu", limit);
    assert_says(&result, number);
    assert_says(&result, "nothing was sent");
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, 0);
    char *text = shown(message, limit);
    ck_assert_str_eq((const char *)result.out.data, text);
    ck_assert_uint_eq(count_text(&result.err, "rejected"), 0);
    free(text);
    free(message);
    run_result_free(&result);
}
END_TEST

START_TEST(a_server_may_take_only_empty_messages) {
    struct server_process server;
    start_server(&server, modes[_i], lab, "--max-message", "0", "--message", "", NULL);
    struct run_result result = run_client(&server, "send_msg", "", NULL);
    assert_code(&result, 0);
    run_result_free(&result);
    result = run_client(&server, "send_msg", "1", NULL);
    assert_code(&result, 2);
    run_result_free(&result);
    result = run_client(&server, "recv_msg", NULL);
    assert_code(&result, 0);
    ck_assert_uint_eq(result.out.length, 0);
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

START_TEST(a_received_message_is_byte_for_byte) {
    struct server_process server;
    char message[EVERY_BYTE];
    for (size_t i = 0; i < EVERY_BYTE; i++)
        message[i] = (char)(uint8_t)(i + 1); /* ends with the NUL */
    start_server(&server, modes[_i], lab, "--message", message, NULL);
    for (int quiet = 0; quiet < 2; quiet++) {
        struct run_result result = run_client(&server, "recv_msg", quiet ? "--quiet" : NULL, NULL);
        assert_code(&result, 0);
        ck_assert_uint_eq(result.out.length, EVERY_BYTE - 1);
        ck_assert_mem_eq(result.out.data, message, EVERY_BYTE - 1);
        ck_assert_int_eq(result.err.length == 0, quiet);
        run_result_free(&result);
    }
    stop_server_well(&server);
}
END_TEST

START_TEST(both_ends_tell_the_four_promises) {
    static const char *const promises[] = {"confidentiality  passed", "integrity        passed",
                                           "sender           passed", "freshness        passed"};
    struct server_process server;
    start_server(&server, modes[_i], lab, NULL);
    struct run_result client = run_client(&server, "send_msg", "hello", NULL);
    struct run_result said = stop_server(&server);
    assert_code(&client, 0);
    assert_code(&said, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_says(&client, promises[i]);
        assert_says(&said, promises[i]);
    }
    ck_assert_str_eq((const char *)said.out.data, "hello\n");
    run_result_free(&client);
    run_result_free(&said);
}
END_TEST

START_TEST(several_clients_have_names) {
    enum { EACH = 3 };
    struct server_process server;
    struct process clients[2 * EACH];
    start_server(&server, modes[_i], lab, NULL);
    for (size_t i = 0; i < 2 * EACH; i++)
        clients[i] = start_client(&server, NULL, 0, "--name", i % 2 == 0 ? "client" : "carol",
                                  "send_msg", i % 2 == 0 ? "by alice" : "by carol", NULL);
    for (size_t i = 0; i < 2 * EACH; i++) {
        struct run_result result = finish(&clients[i]);
        assert_code(&result, 0);
        run_result_free(&result);
    }
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_uint_eq(count_text(&said.err, "send from client,"), EACH);
    ck_assert_uint_eq(count_text(&said.err, "send from carol,"), EACH);
    ck_assert_uint_eq(count_text(&said.out, "by alice\n"), EACH);
    ck_assert_uint_eq(count_text(&said.out, "by carol\n"), EACH);
    run_result_free(&said);
}
END_TEST

START_TEST(a_client_of_the_other_mode_is_told_so) {
    struct server_process server;
    start_server(&server, modes[_i], lab, NULL);
    struct server_process mistaken = server;
    mistaken.mode = modes[1 - _i];
    struct run_result result = run_client(&mistaken, "send_msg", "hello", NULL);
    assert_code(&result, 1);
    assert_says(&result, sam_status_sentence(SAM_MODE));
    assert_says(&result, "mode");
    assert_says(&result, "nothing was sent");
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, 0);
    ck_assert_uint_eq(result.out.length, 0);
    ck_assert_uint_eq(count_text(&result.err, "rejected"), 0);
    run_result_free(&result);
}
END_TEST

START_TEST(a_client_that_addresses_another_server_sends_nothing) {
    struct server_process server;
    start_server(&server, modes[_i], lab, NULL);
    struct run_result result = run_client(&server, "--to", "carol", "send_msg", "hello", NULL);
    assert_code(&result, 1);
    assert_says(&result, sam_status_sentence(SAM_OTHER_SERVER));
    assert_says(&result, "nothing was sent");
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

START_TEST(one_connection_takes_many_requests) {
    enum { REQUESTS = 20 };
    struct server_process server;
    struct peer alice;
    char text[16];
    start_server(&server, modes[_i], lab, "--message", "from bob", NULL);
    peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(text, sizeof text, "<%d>", i);
        if (i % 3 == 2) {
            peer_request(&alice, SAM_KIND_RECV, "", 0);
            peer_expect(&alice, SAM_KIND_REPLY, "from bob", 8);
        } else {
            peer_request(&alice, SAM_KIND_SEND, text, strlen(text));
            peer_expect(&alice, SAM_KIND_REPLY, "", 0);
        }
    }
    peer_close(&alice);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_uint_eq(count_text(&said.out, "\n"), (REQUESTS + 1) * 2 / 3);
    run_result_free(&said);
}
END_TEST

START_TEST(a_client_that_has_said_all_still_gets_its_answers) {
    struct server_process server;
    struct peer alice;
    start_server(&server, modes[_i], lab, NULL);
    peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
    peer_request(&alice, SAM_KIND_SEND, "last words", 10);
    shutdown(alice.connection.fd, SHUT_WR);
    peer_expect(&alice, SAM_KIND_REPLY, "", 0);
    struct sam_bytes rest = read_to_end(alice.connection.fd);
    ck_assert_uint_eq(rest.length, 0);
    sam_bytes_free(&rest);
    peer_close(&alice);
    stop_server_well(&server);
}
END_TEST

START_TEST(what_is_not_offered_is_refused_and_the_connection_goes_on) {
    static const struct {
        enum sam_kind kind;
        size_t length;
    } requests[] = {{SAM_KIND_JOIN, 0},     {SAM_KIND_JOIN, 1},     {SAM_KIND_RECV, 1},
                    {SAM_KIND_SESSION, 31}, {SAM_KIND_SESSION, 33}, {SAM_KIND_SESSION, 0},
                    {SAM_KIND_SESSION, 32}};
    static const uint8_t share[33] = {1};
    struct server_process server;
    struct sam_incoming answer;
    start_server(&server, modes[_i], lab, NULL);
    struct peer alice;
    peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        peer_request(&alice, requests[i].kind, share, requests[i].length);
        ck_status(peer_take(&alice, &answer), SAM_OK);
        ck_assert_int_eq(answer.envelope.header.kind, SAM_KIND_REFUSE);
        ck_assert_uint_gt(answer.envelope.message_length, 0);
        if (requests[i].kind == SAM_KIND_SESSION && requests[i].length != SAM_SHARE_SIZE)
            ck_assert_ptr_nonnull(memchr(answer.envelope.message, '3', /* "32 bytes" */
                                         answer.envelope.message_length));
        sam_connection_drop(&alice.connection, &answer);
        peer_request(&alice, SAM_KIND_SEND, "go on", 5);
        peer_expect(&alice, SAM_KIND_REPLY, "", 0);
    }
    peer_close(&alice);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_uint_eq(count_text(&said.err, "refused: "), sizeof requests / sizeof requests[0]);
    ck_assert_uint_eq(count_text(&said.err, "rejected"), 0);
    run_result_free(&said);
}
END_TEST

/* Mode 2 has a symmetric key to grant; mode 1 says why it has not. */
START_TEST(a_session_is_granted_to_the_first_request_of_mode_2) {
    struct server_process server;
    struct sam_incoming answer = {0};
    struct peer alice;
    start_server(&server, modes[_i], lab, NULL);
    peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
    ck_status(sam_exchange_ask(&alice.connection, &answer), SAM_OK);
    const char *why = modes[_i]->session_refusal;
    ck_assert_int_eq(answer.envelope.header.kind, why != NULL ? SAM_KIND_REFUSE : SAM_KIND_REPLY);
    if (why != NULL) {
        ck_assert_uint_eq(answer.envelope.message_length, strlen(why));
        ck_assert_mem_eq(answer.envelope.message, why, strlen(why));
    }
    ck_assert(alice.connection.session.begun == (_i == 1));
    sam_connection_drop(&alice.connection, &answer);
    peer_request(&alice, SAM_KIND_SEND, "go on", 5);
    peer_expect(&alice, SAM_KIND_REPLY, "", 0);
    ck_status(sam_connection_close(&alice.connection), SAM_OK);
    peer_close(&alice);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_str_eq((const char *)said.out.data, "go on\n");
    ck_assert_uint_eq(count_text(&said.err, "rejected"), 0);
    run_result_free(&said);
}
END_TEST

START_TEST(two_hundred_clients_at_once_are_all_answered) {
    enum { CLIENTS = 200 };
    static struct peer clients[CLIENTS];
    struct server_process server;
    char text[16];
    allow_descriptors(CLIENTS + 100);
    start_server(&server, modes[_i], lab, "--quiet", NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        peer_join(&clients[i], modes[_i], person(i % 2 ? "carol" : "alice"), server.port,
                  person("bob"));
    for (size_t i = 0; i < CLIENTS; i++) {
        snprintf(text, sizeof text, "<%zu>", i);
        peer_request(&clients[i], SAM_KIND_SEND, text, strlen(text));
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        peer_expect(&clients[i], SAM_KIND_REPLY, "", 0);
        peer_close(&clients[i]);
    }
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        snprintf(text, sizeof text, "<%zu>\n", i);
        ck_assert_uint_eq(count_text(&said.out, text), 1);
    }
    run_result_free(&said);
}
END_TEST

START_TEST(one_client_too_many_waits_and_is_served) {
    struct server_process server;
    struct peer two[2], third;
    int fd;
    start_server(&server, modes[_i], lab, "--max-clients", "2", NULL);
    for (int i = 0; i < 2; i++)
        peer_join(&two[i], modes[_i], person("alice"), server.port, person("bob"));
    ck_status(sam_connect(&fd, "127.0.0.1", server.port, -1, sam_now() + PATIENT, NULL), SAM_OK);
    ck_assert_msg(!readable_until(fd, sam_now() + SAM_SECOND / 4), "a third client was greeted");
    peer_close(&two[0]);
    peer_open(&third, modes[_i], person("alice"), fd);
    third.other = *person("bob");
    third.addressed = (struct sam_ring){&third.other, 1};
    ck_status(sam_connection_meet(&third.connection, &third.addressed), SAM_OK);
    peer_request(&third, SAM_KIND_SEND, "at last", 7);
    peer_expect(&third, SAM_KIND_REPLY, "", 0);
    peer_close(&third);
    peer_close(&two[1]);
    stop_server_well(&server);
}
END_TEST

START_TEST(programs_talk_over_ipv6) {
    int fd;
    uint16_t port = 0;
    if (sam_listen(&fd, "::1", &port, NULL) != SAM_OK) {
        fprintf(stderr, "skipped: this machine has no ::1\n");
        return;
    }
    close(fd);
    struct server_process server;
    start_server(&server, modes[_i], lab, "--host", "::1", NULL);
    struct run_result result = run_client(&server, "--host", "::1", "send_msg", "six", NULL);
    assert_code(&result, 0);
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, 0);
    assert_says(&result, "[::1]:");
    ck_assert_str_eq((const char *)result.out.data, "six\n");
    run_result_free(&result);
}
END_TEST

static TCase *programs_case(void) {
    TCase *programs = tcase_create("programs");
    tcase_set_timeout(programs, TEST_SECONDS);
    tcase_add_unchecked_fixture(programs, make_lab, remove_lab);
    tcase_add_loop_test(programs, a_sent_message_arrives_byte_for_byte, 0, 2);
    tcase_add_loop_test(programs, the_longest_message_passes_and_one_byte_more_does_not, 0, 2);
    tcase_add_loop_test(programs, a_server_may_take_only_empty_messages, 0, 2);
    tcase_add_loop_test(programs, a_received_message_is_byte_for_byte, 0, 2);
    tcase_add_loop_test(programs, both_ends_tell_the_four_promises, 0, 2);
    tcase_add_loop_test(programs, several_clients_have_names, 0, 2);
    tcase_add_loop_test(programs, a_client_of_the_other_mode_is_told_so, 0, 2);
    tcase_add_loop_test(programs, a_client_that_addresses_another_server_sends_nothing, 0, 2);
    tcase_add_loop_test(programs, one_connection_takes_many_requests, 0, 2);
    tcase_add_loop_test(programs, a_client_that_has_said_all_still_gets_its_answers, 0, 2);
    tcase_add_loop_test(programs, what_is_not_offered_is_refused_and_the_connection_goes_on, 0, 2);
    tcase_add_loop_test(programs, a_session_is_granted_to_the_first_request_of_mode_2, 0, 2);
    tcase_add_loop_test(programs, two_hundred_clients_at_once_are_all_answered, 0, 2);
    tcase_add_loop_test(programs, one_client_too_many_waits_and_is_served, 0, 2);
    tcase_add_loop_test(programs, programs_talk_over_ipv6, 0, 2);
    return programs;
}

Suite *conversation_suite(void) {
    Suite *suite = suite_create("conversation");
    suite_add_tcase(suite, programs_case());
    suite_add_tcase(suite, rejected_case());
    suite_add_tcase(suite, fake_case());
    suite_add_tcase(suite, stopping_case());
    return suite;
}
