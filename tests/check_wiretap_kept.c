/* What the wiretap keeps, and how it ends: files of units, the capture, SIGTERM in the midst of
 * connections, a server that cannot be reached. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "instruments.h"
#include "tapping.h"

/* Within which a signal ends the wiretap, whatever its connections do. */
#define SOON (5 * SAM_SECOND + SANITIZED * PATIENT)

static struct server_process server, tap;

static void close_sockets(struct ends *ends) {
    close(ends->near);
    close(ends->far);
}

static void assert_bytes(const char *name, const uint8_t *data, size_t length) {
    struct sam_bytes kept = read_file(in_place(name));
    ck_assert_uint_eq(kept.length, length);
    ck_assert_mem_eq(kept.data, data, length);
    sam_bytes_free(&kept);
}

START_TEST(every_unit_is_kept_as_it_came_and_as_it_went) {
    struct ends ends;
    uint8_t greeting[SAMPLE_MAX], first[SAMPLE_MAX], second[SAMPLE_MAX];
    size_t greeted = make_sample(greeting, SAM_GREETING, modes[_i], 0);
    size_t length = make_sample(first, SAM_ENVELOPE, modes[_i], 1);
    make_sample(second, SAM_ENVELOPE, modes[_i], 2);
    open_ends(&ends, modes[_i],
              RULES("--save", in_place("kept"), "--envelope", "2", "--flip", "sent-at:63"));
    write_raw(ends.far, greeting, greeted);
    expect_bytes(ends.near, greeting, greeted);
    write_raw(ends.near, first, length);
    write_raw(ends.near, second, length);
    write_raw(ends.near, first, 50);
    close_sockets(&ends);
    connect_ends(&ends);
    write_raw(ends.far, greeting, greeted);
    expect_bytes(ends.near, greeting, greeted);
    struct run_result told = close_ends(&ends, 2);
    assert_told(&told, "#1 client 3: envelope, mode ", 1);
    assert_told(&told, "  it was cut short\n", 1);
    run_result_free(&told);
    assert_bytes("kept/1-server-0.sam", greeting, greeted);
    assert_bytes("kept/1-client-1.sam", first, length);
    assert_bytes("kept/1-client-2.sam", second, length);
    assert_bytes("kept/1-client-3.sam", first, 50);
    assert_bytes("kept/2-server-0.sam", greeting, greeted);
    second[24] ^= 0x80;
    assert_bytes("kept/1-client-2-changed.sam", second, length);
    ck_assert_uint_eq(count_entries(in_place("kept")), 6);
    struct stat folder;
    ck_assert_int_eq(stat(in_place("kept"), &folder), 0);
    ck_assert_uint_eq(folder.st_mode & 0777, 0700);
}
END_TEST

START_TEST(a_folder_that_is_there_is_refused_and_left_as_it_is) {
    uint8_t old[] = {'o', 'l', 'd'};
    const struct sam_bytes before = {old, sizeof old, sizeof old};
    char path[PATH_MAX];
    ck_assert_int_eq(mkdir(in_place("kept"), 0755), 0);
    write_file(in_place("kept/1-server-0.sam"), 0644, before.data, before.length);
    write_file(in_place("capture"), 0644, before.data, before.length);
    struct run_result result =
        run(RULES(sam_path(path), "wiretap", "--listen", "0", "--to", "127.0.0.1:1", "--save",
                  in_place("kept"), "--pcap", in_place("capture"), "--port-file", in_place("port")),
            NULL, 0);
    assert_code(&result, 2);
    assert_one_line(&result.err);
    assert_says(&result, in_place("kept"));
    ck_assert_uint_eq(result.out.length, 0);
    run_result_free(&result);
    assert_file(in_place("kept/1-server-0.sam"), &before);
    assert_file(in_place("capture"), &before);
    ck_assert_uint_eq(count_entries(in_place("kept")), 1);
    ck_assert(!exists(in_place("port")));
}
END_TEST

START_TEST(a_capture_that_cannot_be_made_is_told) {
    char path[PATH_MAX];
    struct run_result result =
        run(RULES(sam_path(path), "wiretap", "--listen", "0", "--to", "127.0.0.1:1", "--pcap",
                  in_place("nowhere/capture"), "--port-file", in_place("port")),
            NULL, 0);
    assert_code(&result, 2);
    assert_one_line(&result.err);
    assert_says(&result, in_place("nowhere/capture"));
    run_result_free(&result);
    ck_assert(!exists(in_place("port")));
}
END_TEST

static uint32_t little32(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A capture's packets on the way to the far end: what they carry, and how often that end is told
 * that no more comes. */
struct carried {
    size_t packets, comments, ends;
    struct sam_bytes bytes;
};

static void take_packet(struct carried *carried, const uint8_t *block, size_t length,
                        uint16_t port) {
    enum { HEAD = 28, IP = 20, PORT = IP + 2, OFFSET = IP + 12, FLAGS = IP + 13, FIN = 1 };
    size_t size = little32(block + 20), padded = (size + 3) / 4 * 4;
    const uint8_t *packet = block + HEAD;
    ck_assert_uint_le(HEAD + padded + 4, length);
    carried->packets++;
    if (little32(block + 8) != 1 || sam_get16(packet + PORT) != port)
        return; /* of the client's leg, or from the far end */
    size_t head = IP + (size_t)(packet[OFFSET] >> 4) * 4;
    ck_assert_uint_le(head, size);
    ck_status(sam_bytes_append(&carried->bytes, packet + head, size - head), SAM_OK);
    carried->ends += (packet[FLAGS] & FIN) != 0;
    carried->comments += HEAD + padded + 4 < length;
}

/* Walks through all blocks of a pcapng file, which must begin with a section of this byte order. */
static struct carried read_capture(const char *path, uint16_t port) {
    enum { SECTION = 0x0A0D0D0A, MAGIC = 0x1A2B3C4D, PACKET = 6 };
    struct carried carried = {0};
    struct sam_bytes file = read_file(path);
    ck_assert_uint_ge(file.length, 28);
    ck_assert_uint_eq(little32(file.data), SECTION);
    ck_assert_uint_eq(little32(file.data + 8), MAGIC);
    for (size_t at = 0; at < file.length;) {
        ck_assert_uint_le(at + 12, file.length);
        size_t length = little32(file.data + at + 4);
        ck_assert_uint_ge(length, 12);
        ck_assert_uint_eq(length % 4, 0);
        ck_assert_uint_le(at + length, file.length);
        ck_assert_uint_eq(little32(file.data + at + length - 4), length);
        if (little32(file.data + at) == PACKET)
            take_packet(&carried, file.data + at, length, port);
        at += length;
    }
    sam_bytes_free(&file);
    return carried;
}

START_TEST(the_capture_holds_what_was_passed_on_and_one_end) {
    static const char *const rules[][2] = {{"--drop", "7"},         {"--flip", "24"},
                                           {"--truncate", "100"},   {"--replay", "1"},
                                           {"--flip", "challenge"}, {"--truncate", "5000"}};
    static const size_t comments[] = {0, 1, 1, 1, 0, 0}; /* what was not attacked has none */
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct ends ends;
        uint8_t units[4 * SAMPLE_MAX];
        size_t length = make_sample(units, SAM_ENVELOPE, modes[_i], 1);
        open_ends(&ends, modes[_i], RULES("--pcap", in_place("capture"), rules[i][0], rules[i][1]));
        write_raw(ends.near, units, length);
        shutdown(ends.near, SHUT_WR);
        struct sam_bytes passed = read_to_end(ends.far);
        close_ends_well(&ends);
        struct carried carried = read_capture(in_place("capture"), ends.at.port);
        ck_assert_uint_eq(carried.bytes.length, passed.length);
        ck_assert_mem_eq(carried.bytes.data, passed.data, passed.length);
        ck_assert_msg(carried.ends == 1, "%s %s: %zu ends", rules[i][0], rules[i][1], carried.ends);
        ck_assert_msg(carried.comments == comments[i], "%s %s: %zu comments", rules[i][0],
                      rules[i][1], carried.comments);
        sam_bytes_free(&carried.bytes);
        sam_bytes_free(&passed);
    }
}
END_TEST

START_TEST(a_real_conversation_is_captured) {
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(
        &tap, &server,
        RULES("--pcap", in_place("capture"), "--replay-new", "1", "--save", in_place("kept")));
    struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
    assert_code(&client, 0);
    run_result_free(&client);
    struct run_result told = stop_wiretap(&tap, 1);
    run_result_free(&told);
    stop_server_well(&server);
    struct carried carried = read_capture(in_place("capture"), server.port);
    struct sam_bytes sent = read_file(in_place("kept/1-client-1.sam"));
    ck_assert_uint_eq(carried.bytes.length, 2 * sent.length);
    ck_assert_mem_eq(carried.bytes.data, sent.data, sent.length);
    ck_assert_mem_eq(carried.bytes.data + sent.length, sent.data, sent.length);
    sam_bytes_free(&carried.bytes);
    sam_bytes_free(&sent);
}
END_TEST

static void stop_soon(struct server_process *process) {
    int64_t started = sam_now();
    stop_server_well(process);
    ck_assert_int_lt(sam_now() - started, SOON);
    ck_assert(!exists(process->port_file));
}

START_TEST(a_signal_ends_it_while_connections_are_idle_or_held_back) {
    static const char *const rules[][2] = {
        {"--drop", "7"}, {"--delay", "600000"}, {"--swap", "1,2"}, {"--flip", "magic"}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct ends ends, idle, begun;
        uint8_t unit[SAMPLE_MAX];
        size_t length = make_sample(unit, SAM_ENVELOPE, modes[0], 1);
        open_ends(&ends, modes[0], RULES(rules[i][0], rules[i][1]));
        idle = begun = ends;
        connect_ends(&idle);
        connect_ends(&begun);
        write_raw(begun.near, unit, length - 1);
        write_raw(ends.near, unit, length);
        wait_for_word(&ends.tap, "client 1: ", 1);
        stop_soon(&ends.tap);
        close_sockets(&idle);
        close_sockets(&begun);
        close_sockets(&ends);
        close(ends.listener);
    }
}
END_TEST

/* Writes on, or reads on, in a process of its own, which the caller ends. What it writes are the
 * shortest units: they keep the wiretap so busy that there is always one more to read. */
static pid_t go_on_for_ever(int fd, bool writes) {
    static uint8_t units[64 * 1024];
    enum sam_status status = SAM_OK;
    for (size_t at = 0; at < sizeof units; at += SAM_REJECTION_SIZE)
        sam_rejection_write(units + at, 1);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    while (pid == 0 && status == SAM_OK) {
        int64_t deadline = sam_now() + PATIENT;
        status = writes ? sam_write_all(fd, -1, deadline, units, sizeof units)
                        : sam_read_all(fd, -1, deadline, units, sizeof units);
    }
    if (pid == 0)
        _exit(0);
    return pid;
}

static void end_process(pid_t pid) {
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_signal_ends_it_while_bytes_are_streaming) {
    for (int is_read = 0; is_read < 2; is_read++) {
        struct ends ends;
        open_ends(&ends, modes[0], NONE);
        pid_t writer = go_on_for_ever(ends.near, true);
        pid_t reader = is_read ? go_on_for_ever(ends.far, false) : 0;
        wait_for_word(&ends.tap, "client 1000: ", 1);
        ck_assert_int_eq(kill(ends.tap.process.pid, SIGTERM), 0);
        int64_t deadline = sam_now() + SOON;
        bool late = false;
        while (!late && !has_ended(&ends.tap.process))
            late = !nap_until(deadline);
        end_process(writer);
        if (is_read)
            end_process(reader);
        struct run_result told = finish(&ends.tap.process);
        ck_assert_msg(!late, "it goes on while a client writes%s",
                      is_read ? "" : " and nobody reads");
        assert_code(&told, 0);
        run_result_free(&told);
        close_sockets(&ends);
        close(ends.listener);
    }
}
END_TEST

/* A port that is taken, where nobody listens before the test says so. */
static int take_port(uint16_t *port) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

START_TEST(a_server_that_cannot_be_reached_is_told_and_asked_again) {
    struct ends ends = {.at = {.mode = modes[_i]}};
    snprintf(ends.at.folder, sizeof ends.at.folder, "%s", lab);
    ends.listener = take_port(&ends.at.port);
    start_wiretap(&ends.tap, &ends.at, NONE);
    for (int i = 0; i < 2; i++) {
        struct run_result client = run_client(&ends.tap, "send_msg", "hello", NULL);
        assert_code(&client, 3);
        assert_says(&client, "nothing was sent");
        run_result_free(&client);
    }
    ck_assert_int_eq(listen(ends.listener, 8), 0);
    connect_ends(&ends);
    write_raw(ends.near, (const uint8_t *)"at last", 7);
    expect_bytes(ends.far, (const uint8_t *)"at last", 7);
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, sam_status_sentence(SAM_CONNECT), 2);
    assert_told(&told, "#1 127.0.0.1:", 1);
    run_result_free(&told);
}
END_TEST

TCase *wiretap_kept_case(void) {
    TCase *kept = tcase_create("wiretap kept");
    tcase_set_timeout(kept, TEST_SECONDS);
    tcase_add_unchecked_fixture(kept, make_lab, remove_lab);
    tcase_add_checked_fixture(kept, set_up_place, tear_down_place);
    tcase_add_loop_test(kept, every_unit_is_kept_as_it_came_and_as_it_went, 0, 2);
    tcase_add_test(kept, a_folder_that_is_there_is_refused_and_left_as_it_is);
    tcase_add_test(kept, a_capture_that_cannot_be_made_is_told);
    tcase_add_loop_test(kept, the_capture_holds_what_was_passed_on_and_one_end, 0, 2);
    tcase_add_loop_test(kept, a_real_conversation_is_captured, 0, 2);
    tcase_add_test(kept, a_signal_ends_it_while_connections_are_idle_or_held_back);
    tcase_add_test(kept, a_signal_ends_it_while_bytes_are_streaming);
    tcase_add_loop_test(kept, a_server_that_cannot_be_reached_is_told_and_asked_again, 0, 2);
    return kept;
}
