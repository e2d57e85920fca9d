/* Tests of the ways in which client and server do not come together, and of the port file. */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"

/* A port that is taken and refuses connections until the socket is closed. */
static int refusing_port(char port[8]) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(port, 8, "%u", (unsigned)ntohs(address.sin_port));
    return fd;
}

START_TEST(an_address_that_nobody_answers_at_is_named) {
    char port[8], address[32];
    int fd = refusing_port(port);
    struct run_result result =
        RUN(modes[_i], "client", "send_msg", "hello", "--keys", keys, "--port", port);
    assert_code(&result, SAM_EXIT_NETWORK);
    assert_text(&result.out, "");
    snprintf(address, sizeof address, "client: 127.0.0.1:%s: ", port);
    assert_says(&result, address);
    assert_says(&result, sam_status_sentence(SAM_CONNECT));
    assert_says(&result, "nothing was sent");
    run_result_free(&result);
    close(fd);
}
END_TEST

START_TEST(a_host_that_does_not_exist_is_named) {
    /* An empty label: no resolver asks anybody for it. */
    static const char *const commands[] = {"recv_msg", NULL};
    struct run_result result = RUN(modes[_i / 2], _i % 2 == 0 ? "client" : "server", "--keys", keys,
                                   "--host", "no..such", "--port", "4711", commands[_i % 2]);
    assert_code(&result, SAM_EXIT_NETWORK);
    assert_text(&result.out, "");
    assert_says(&result, "no..such:4711: ");
    run_result_free(&result);
}
END_TEST

START_TEST(a_port_in_use_is_named_and_the_first_server_goes_on) {
    struct server_process server;
    char port[8], address[32];
    start_server(&server, modes[_i], keys, NULL);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    snprintf(address, sizeof address, "server: 127.0.0.1:%s: ", port);
    struct run_result result =
        RUN(modes[_i], "server", "--keys", keys, "--port", port, "--port-file", in_place("second"));
    assert_code(&result, SAM_EXIT_NETWORK);
    assert_text(&result.out, "");
    assert_one_line(&result.err);
    assert_says(&result, address);
    assert_says(&result, sam_status_sentence(SAM_LISTEN));
    assert_says(&result, "try port 0");
    run_result_free(&result);
    ck_assert_uint_eq(count_entries(place), 1);
    result = run_client(&server, "recv_msg", NULL);
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

START_TEST(the_port_file_is_there_while_the_server_listens) {
    struct server_process server;
    char expected[8];
    size_t entries = count_entries(keys);
    start_server(&server, modes[_i / 2], keys, NULL);
    struct sam_bytes text = {0};
    snprintf(expected, sizeof expected, "%u\n", (unsigned)server.port);
    ck_status(sam_bytes_append(&text, expected, strlen(expected)), SAM_OK);
    assert_file(server.port_file, &text);
    ck_assert_uint_eq(count_entries(keys), entries + 1);
    ck_assert_int_eq(kill(server.process.pid, _i % 2 == 0 ? SIGTERM : SIGINT), 0);
    struct run_result result = finish(&server.process);
    assert_code(&result, SAM_EXIT_OK);
    assert_says(&result, "server: stopped\n");
    ck_assert_uint_eq(count_entries(keys), entries);
    run_result_free(&result);
    sam_bytes_free(&text);
}
END_TEST

START_TEST(a_port_file_that_cannot_be_written_ends_the_server) {
    const char *path = in_place("missing/port");
    struct run_result result =
        RUN(modes[_i], "server", "--keys", keys, "--port", "0", "--port-file", path);
    ck_assert_int_ne(result.code, SAM_EXIT_OK);
    assert_text(&result.out, "");
    assert_says(&result, path);
    assert_says(&result, sam_status_sentence(SAM_FILE_WRITE));
    run_result_free(&result);
    ck_assert_uint_eq(count_entries(place), 1);
}
END_TEST

TCase *network_case(void) {
    TCase *tcase = tcase_create("network");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up_pairs, tear_down_place);
    tcase_add_loop_test(tcase, an_address_that_nobody_answers_at_is_named, 0, 2);
    tcase_add_loop_test(tcase, a_host_that_does_not_exist_is_named, 0, 4);
    tcase_add_loop_test(tcase, a_port_in_use_is_named_and_the_first_server_goes_on, 0, 2);
    tcase_add_loop_test(tcase, the_port_file_is_there_while_the_server_listens, 0, 4);
    tcase_add_loop_test(tcase, a_port_file_that_cannot_be_written_ends_the_server, 0, 2);
    return tcase;
}
