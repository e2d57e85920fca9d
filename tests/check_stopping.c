/* The end of a real server: SIGTERM ends it with 0 whatever its connections do, and a request that
 * has arrived is still answered. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "process.h"

/* A second of lingering, and the way there. */
#define SOON (5 * SAM_SECOND + SANITIZED * PATIENT)

static void stop_soon(struct server_process *server) {
    int64_t started = sam_now();
    stop_server_well(server);
    ck_assert_int_lt(sam_now() - started, SOON);
}

START_TEST(a_signal_ends_an_idle_server) {
    static const int signals[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        struct server_process server;
        start_server(&server, modes[_i], lab, NULL);
        ck_assert_int_eq(access(server.port_file, R_OK), 0);
        ck_assert_int_eq(kill(server.process.pid, signals[i]), 0);
        struct run_result said = finish(&server.process);
        assert_code(&said, 0);
        assert_says(&said, "stopped");
        run_result_free(&said);
        ck_assert_msg(access(server.port_file, F_OK) != 0, "the port file is still there");
        struct run_result result = run_client(&server, "send_msg", "too late", NULL);
        assert_code(&result, 3);
        assert_says(&result, sam_status_sentence(SAM_CONNECT));
        run_result_free(&result);
    }
}
END_TEST

enum { LIMIT = 16 * 1024 * 1024 };

/* Writes length bytes of an envelope whose header claims the longest message. */
static void write_part(struct peer *peer, size_t length) {
    uint8_t bytes[2 * SAM_HEADER_SIZE] = {0};
    struct sam_envelope envelope = peer_seal(peer, SAM_KIND_SEND, "part", 4);
    memcpy(bytes, envelope.bytes.data, SAM_HEADER_SIZE);
    struct sam_layout layout = peer->party.mode->layout(
        SAM_SALT_SIZE + LIMIT, envelope.header.signature_length, envelope.header.block_length);
    sam_put32(bytes + 12, (uint32_t)layout.length);
    ck_assert_uint_le(length, sizeof bytes);
    write_raw(peer->connection.fd, bytes, length);
    sam_envelope_free(&envelope);
}

/* One that is greeted and silent, one that was served, one in mid-header, and four of which one or
 * two hold all of the common memory while the others wait for it. */
START_TEST(connections_do_not_hold_a_server_up) {
    enum { IDLE, SERVED, IN_HEADER, BIG, PEERS = BIG + 4 };
    struct server_process server;
    struct peer peers[PEERS];
    start_server(&server, modes[_i], lab, "--max-message", "16777216", NULL);
    for (size_t i = 0; i < PEERS; i++)
        peer_join(&peers[i], modes[_i], person("alice"), server.port, person("bob"));
    peer_request(&peers[SERVED], SAM_KIND_SEND, "hello", 5);
    peer_expect(&peers[SERVED], SAM_KIND_REPLY, "", 0);
    write_part(&peers[IN_HEADER], SAM_HEADER_SIZE - 1);
    for (size_t i = BIG; i < PEERS; i++)
        write_part(&peers[i], SAM_HEADER_SIZE + 100);
    stop_soon(&server);
    struct sam_bytes rest = read_to_end(peers[IDLE].connection.fd);
    ck_assert_uint_eq(rest.length, 0);
    sam_bytes_free(&rest);
    for (size_t i = 0; i < PEERS; i++)
        peer_close(&peers[i]);
}
END_TEST

START_TEST(a_peer_that_does_not_read_does_not_hold_a_server_up) {
    struct server_process server;
    struct peer deaf;
    start_server(&server, modes[_i], lab, "--name", "client", "--quiet", "--message",
                 long_answer(modes[_i]), NULL);
    peer_join(&deaf, modes[_i], person("bob"), server.port, person("alice"));
    peer_asks_without_reading(&deaf);
    stop_soon(&server);
    peer_close(&deaf);
}
END_TEST

START_TEST(a_request_that_has_arrived_is_answered) {
    struct server_process server;
    struct peer alice;
    size_t length = modes[_i]->max_message;
    uint8_t *message = calloc(1, length);
    ck_assert_ptr_nonnull(message);
    /* The largest key and the longest message: in mode 1, some forty private operations. */
    start_server(&server, modes[_i], lab, "--name", "carol", NULL);
    peer_join(&alice, modes[_i], person("alice"), server.port, person("carol"));
    peer_request(&alice, SAM_KIND_SEND, message, length);
    ck_assert_int_eq(kill(server.process.pid, SIGTERM), 0);
    peer_expect(&alice, SAM_KIND_REPLY, "", 0);
    struct sam_bytes rest = read_to_end(alice.connection.fd);
    ck_assert_uint_eq(rest.length, 0);
    peer_close(&alice);
    struct run_result said = finish(&server.process);
    assert_code(&said, 0);
    ck_assert_uint_eq(count_text(&said.out, "\n"), 1);
    sam_bytes_free(&rest);
    run_result_free(&said);
    free(message);
}
END_TEST

START_TEST(a_server_that_was_stopped_starts_again_on_its_port) {
    struct server_process server;
    struct peer alice;
    char port[8], file[PATH_MAX], path[PATH_MAX];
    start_server(&server, modes[_i], lab, NULL);
    peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
    peer_request(&alice, SAM_KIND_SEND, "hello", 5);
    peer_expect(&alice, SAM_KIND_REPLY, "", 0);
    ck_assert_int_eq(kill(server.process.pid, SIGTERM), 0);
    struct sam_bytes rest = read_to_end(alice.connection.fd); /* so the server was first to end */
    sam_bytes_free(&rest);
    peer_close(&alice);
    struct run_result said = finish(&server.process);
    assert_code(&said, 0);
    run_result_free(&said);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    snprintf(file, sizeof file, "%s", server.port_file);
    const char *const argv[] = {program_path(path, modes[_i], "server"),
                                "--keys",
                                lab,
                                "--port",
                                port,
                                "--port-file",
                                file,
                                NULL};
    struct process again = start(argv, NULL, 0);
    int64_t deadline = sam_now() + PATIENT;
    while (access(file, R_OK) != 0)
        ck_assert_msg(nap_until(deadline) && !has_ended(&again), "it does not listen again");
    ck_assert_int_eq(kill(again.pid, SIGTERM), 0);
    said = finish(&again);
    assert_code(&said, 0);
    run_result_free(&said);
}
END_TEST

TCase *stopping_case(void) {
    TCase *stopping = tcase_create("stopping");
    tcase_set_timeout(stopping, TEST_SECONDS);
    tcase_add_unchecked_fixture(stopping, make_lab, remove_lab);
    tcase_add_loop_test(stopping, a_signal_ends_an_idle_server, 0, 2);
    tcase_add_loop_test(stopping, connections_do_not_hold_a_server_up, 0, 2);
    tcase_add_loop_test(stopping, a_peer_that_does_not_read_does_not_hold_a_server_up, 0, 2);
    tcase_add_loop_test(stopping, a_request_that_has_arrived_is_answered, 0, 2);
    tcase_add_loop_test(stopping, a_server_that_was_stopped_starts_again_on_its_port, 0, 2);
    return stopping;
}
