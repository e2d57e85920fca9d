/* A wiretap without a rule: both ends notice nothing, whatever passes. What its rules do is in
 * check_wiretap_rules.c and check_wiretap_answers.c, what it keeps and how it ends in
 * check_wiretap_kept.c, its command line in check_wiretap_usage.c, hostile ends in
 * check_wiretap_hostile.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "instruments.h"
#include "tapping.h"

static struct server_process server, tap;

/* What the wiretap kept of a connection's unit is what the client says that it sent, or got. */
static void assert_kept(const char *folder, const char *unit, const char *path) {
    char kept_path[PATH_MAX + 32];
    snprintf(kept_path, sizeof kept_path, "%s/%s", folder, unit);
    struct sam_bytes kept = read_file(kept_path), own = read_file(path);
    ck_assert_uint_eq(kept.length, own.length);
    ck_assert(memcmp(kept.data, own.data, own.length) == 0);
    sam_bytes_free(&kept);
    sam_bytes_free(&own);
}

static const size_t lengths[] = {0, 1, 16 * 1024, 1024 * 1024, 16 * 1024 * 1024};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };

START_TEST(messages_of_every_length_pass_byte_for_byte) {
    char folder[PATH_MAX], save[PATH_MAX + 16], own[PATH_MAX + 16], unit[32], text[64];
    uint8_t *message = malloc(lengths[LENGTHS - 1]);
    ck_assert_ptr_nonnull(message);
    for (size_t i = 0; i < lengths[LENGTHS - 1]; i++)
        message[i] = (uint8_t)(i % 251);
    make_folder(folder);
    snprintf(save, sizeof save, "%s/kept", folder);
    snprintf(own, sizeof own, "%s/own.sam", folder);
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server, RULES("--save", save));
    for (size_t i = 0; i < LENGTHS && lengths[i] <= modes[_i]->max_message; i++) {
        struct process client =
            start_client(&tap, message, lengths[i], "--save", own, "send_msg", "-", NULL);
        struct run_result result = finish(&client);
        assert_code(&result, 0);
        snprintf(text, sizeof text, "signed a receipt for these %zu bytes", lengths[i]);
        assert_says(&result, text);
        run_result_free(&result);
        wait_for_word(&tap, " server ends", i + 1);
        snprintf(unit, sizeof unit, "%zu-client-1.sam", i + 1);
        assert_kept(save, unit, own);
    }
    struct run_result told = stop_wiretap(&tap, modes[_i]->number == 1 ? 3 : LENGTHS);
    assert_told(&told, "attack", 0);
    assert_told(&told, "it was cut short", 0);
    run_result_free(&told);
    struct run_result said = stop_server(&server);
    ck_assert_uint_eq(count_text(&said.err, "rejected"), 0);
    run_result_free(&said);
    remove_folder(folder);
    free(message);
}
END_TEST

START_TEST(a_received_message_passes_byte_for_byte) {
    char folder[PATH_MAX], save[PATH_MAX + 16], own[PATH_MAX + 16];
    const char *message = long_answer(modes[_i]);
    make_folder(folder);
    snprintf(save, sizeof save, "%s/kept", folder);
    snprintf(own, sizeof own, "%s/own.sam", folder);
    start_server(&server, modes[_i], lab, "--message", message, NULL);
    start_wiretap(&tap, &server, RULES("--save", save));
    struct run_result result = run_client(&tap, "--quiet", "--save", own, "recv_msg", NULL);
    assert_code(&result, 0);
    ck_assert_str_eq((const char *)result.out.data, message);
    run_result_free(&result);
    struct run_result told = stop_wiretap(&tap, 1);
    assert_kept(save, "1-server-1.sam", own);
    run_result_free(&told);
    stop_server_well(&server);
    remove_folder(folder);
}
END_TEST

START_TEST(a_rejection_passes) {
    struct peer stranger;
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server, NONE);
    peer_join(&stranger, modes[_i], person("mallory"), tap.port, person("bob"));
    peer_request(&stranger, SAM_KIND_SEND, "let me in", 9);
    expect_rejection(stranger.connection.fd, modes[_i]);
    peer_close(&stranger);
    struct run_result told = stop_wiretap(&tap, 1);
    char text[64];
    snprintf(text, sizeof text, "#1 server 1: rejection, mode %d, 16 bytes\n", modes[_i]->number);
    assert_told(&told, text, 1);
    run_result_free(&told);
    struct run_result said = stop_server(&server);
    assert_says(&said, "rejected: STRANGER");
    run_result_free(&said);
}
END_TEST

/* A wiretap that waited for the whole unit would wait for ever. */
START_TEST(a_bad_header_is_rejected_before_its_body_was_sent) {
    struct peer alice;
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server, NONE);
    peer_join(&alice, modes[_i], person("alice"), tap.port, person("bob"));
    struct sam_envelope envelope = peer_seal(&alice, SAM_KIND_SEND, "text", 4);
    envelope.bytes.data[20] = 1;
    write_raw(alice.connection.fd, envelope.bytes.data, SAM_HEADER_SIZE);
    expect_rejection(alice.connection.fd, modes[_i]);
    sam_envelope_free(&envelope);
    peer_close(&alice);
    struct run_result told = stop_wiretap(&tap, 1);
    run_result_free(&told);
    struct run_result said = stop_server(&server);
    assert_says(&said, "rejected: RESERVED");
    run_result_free(&said);
}
END_TEST

START_TEST(a_client_that_has_said_all_still_gets_its_answers_through_it) {
    struct peer alice;
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server, NONE);
    peer_join(&alice, modes[_i], person("alice"), tap.port, person("bob"));
    peer_request(&alice, SAM_KIND_SEND, "last words", 10);
    shutdown(alice.connection.fd, SHUT_WR);
    peer_expect(&alice, SAM_KIND_REPLY, "", 0);
    expect_bytes_and_end(alice.connection.fd, NULL, 0);
    peer_close(&alice);
    struct run_result told = stop_wiretap(&tap, 1);
    run_result_free(&told);
    stop_server_well(&server);
}
END_TEST

START_TEST(fifty_connections_at_once_are_all_answered) {
    enum { CLIENTS = 50 };
    static struct peer clients[CLIENTS];
    char text[16];
    allow_descriptors(4 * CLIENTS + 100);
    start_server(&server, modes[_i], lab, "--quiet", NULL);
    start_wiretap(&tap, &server, NONE);
    for (size_t i = 0; i < CLIENTS; i++)
        peer_join(&clients[i], modes[_i], person("alice"), tap.port, person("bob"));
    for (size_t i = 0; i < CLIENTS; i++) {
        snprintf(text, sizeof text, "<%zu>", i);
        peer_request(&clients[i], SAM_KIND_SEND, text, strlen(text));
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        peer_expect(&clients[i], SAM_KIND_REPLY, "", 0);
        peer_close(&clients[i]);
    }
    struct run_result told = stop_wiretap(&tap, CLIENTS), said = stop_server(&server);
    for (size_t i = 0; i < CLIENTS; i++) {
        snprintf(text, sizeof text, "<%zu>\n", i);
        ck_assert_uint_eq(count_text(&said.out, text), 1);
        snprintf(text, sizeof text, "#%zu client 1: ", i + 1);
        assert_told(&told, text, 1);
    }
    run_result_free(&told);
    run_result_free(&said);
}
END_TEST

START_TEST(every_byte_is_passed_on_before_the_next_comes) {
    struct ends ends;
    uint8_t unit[SAMPLE_MAX];
    size_t length = make_sample(unit, SAM_ENVELOPE, modes[_i], 1);
    open_ends(&ends, modes[_i], NONE);
    for (size_t i = 0; i < length; i++) {
        write_raw(ends.near, unit + i, 1);
        expect_bytes(ends.far, unit + i, 1);
    }
    length = make_sample(unit, SAM_GREETING, modes[_i], 1);
    for (size_t i = 0; i < length; i++) {
        write_raw(ends.far, unit + i, 1);
        expect_bytes(ends.near, unit + i, 1);
    }
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "#1 client 1: envelope, mode ", 1);
    assert_told(&told, "#1 server 0: greeting, mode ", 1);
    run_result_free(&told);
}
END_TEST

START_TEST(bytes_that_are_no_unit_pass_unchanged_both_ways) {
    enum { ROUNDS = 60, MOST = 50000 };
    static const char *const begins[] = {"", "S", "SAM", "SAMX", "SAME", "SA\nM", "GET / HTTP"};
    static uint8_t bytes[MOST];
    struct ends ends;
    open_ends(&ends, modes[_i], NONE);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const char *begin = begins[i % (sizeof begins / sizeof begins[0])];
        size_t length = strlen(begin) + any_below(i % 5 == 0 ? MOST - 16 : 64);
        for (size_t k = 0; k < length; k++)
            bytes[k] = (uint8_t)any_below(256);
        memcpy(bytes, begin, strlen(begin));
        write_raw(i % 2 ? ends.far : ends.near, bytes, length);
        expect_bytes(i % 2 ? ends.near : ends.far, bytes, length);
    }
    struct run_result told = close_ends(&ends, 1);
    ck_assert_uint_gt(count_text(&told.out, "no unit of this protocol"), 0);
    assert_told(&told, "attack", 0);
    run_result_free(&told);
}
END_TEST

/* Where units begin is then not known any more: nothing is attacked by mistake. */
START_TEST(units_behind_bytes_that_are_none_pass_unchanged) {
    struct ends ends;
    uint8_t unit[SAMPLE_MAX];
    size_t length = make_sample(unit, SAM_ENVELOPE, modes[_i], 1);
    open_ends(&ends, modes[_i], RULES("--envelope", "2", "--flip", "sent-at", "--drop", "3"));
    write_raw(ends.near, (const uint8_t *)"noise", 5);
    expect_bytes(ends.far, (const uint8_t *)"noise", 5);
    for (int i = 0; i < 3; i++) {
        write_raw(ends.near, unit, length);
        expect_bytes(ends.far, unit, length);
    }
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "attack", 0);
    run_result_free(&told);
}
END_TEST

START_TEST(half_of_a_connection_ends_without_the_other) {
    struct ends ends;
    for (int server_first = 0; server_first < 2; server_first++) {
        open_ends(&ends, modes[_i], NONE);
        int first = server_first ? ends.far : ends.near,
            other = server_first ? ends.near : ends.far;
        write_raw(first, (const uint8_t *)"SAMG cut", 8);
        shutdown(first, SHUT_WR);
        expect_bytes_and_end(other, (const uint8_t *)"SAMG cut", 8);
        write_raw(other, (const uint8_t *)"and yet", 7);
        expect_bytes(first, (const uint8_t *)"and yet", 7);
        ck_assert_msg(!readable_until(first, sam_now() + SAM_SECOND / 20), "an end that was none");
        shutdown(other, SHUT_WR);
        expect_bytes_and_end(first, NULL, 0);
        close_ends_well(&ends);
    }
}
END_TEST

/* A reset is an end as well; what came before it has passed. */
START_TEST(an_end_that_vanishes_takes_the_other_side_with_it) {
    struct ends ends;
    struct linger now = {.l_onoff = 1};
    for (int server_first = 0; server_first < 2; server_first++) {
        open_ends(&ends, modes[_i], NONE);
        int *gone = server_first ? &ends.far : &ends.near;
        int other = server_first ? ends.near : ends.far;
        write_raw(*gone, (const uint8_t *)"words", 5);
        expect_bytes(other, (const uint8_t *)"words", 5);
        setsockopt(*gone, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(*gone);
        *gone = -1;
        expect_bytes_and_end(other, NULL, 0);
        close_ends_well(&ends);
    }
}
END_TEST

TCase *wiretap_case(void) {
    TCase *wiretap = tcase_create("wiretap");
    tcase_set_timeout(wiretap, TEST_SECONDS);
    tcase_add_unchecked_fixture(wiretap, make_lab, remove_lab);
    tcase_add_loop_test(wiretap, messages_of_every_length_pass_byte_for_byte, 0, 2);
    tcase_add_loop_test(wiretap, a_received_message_passes_byte_for_byte, 0, 2);
    tcase_add_loop_test(wiretap, a_rejection_passes, 0, 2);
    tcase_add_loop_test(wiretap, a_bad_header_is_rejected_before_its_body_was_sent, 0, 2);
    tcase_add_loop_test(wiretap, a_client_that_has_said_all_still_gets_its_answers_through_it, 0,
                        2);
    tcase_add_loop_test(wiretap, fifty_connections_at_once_are_all_answered, 0, 2);
    tcase_add_loop_test(wiretap, every_byte_is_passed_on_before_the_next_comes, 0, 2);
    tcase_add_loop_test(wiretap, bytes_that_are_no_unit_pass_unchanged_both_ways, 0, 2);
    tcase_add_loop_test(wiretap, units_behind_bytes_that_are_none_pass_unchanged, 0, 2);
    tcase_add_loop_test(wiretap, half_of_a_connection_ends_without_the_other, 0, 2);
    tcase_add_loop_test(wiretap, an_end_that_vanishes_takes_the_other_side_with_it, 0, 2);
    return wiretap;
}
