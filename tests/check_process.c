/* The real programs as processes: started without standard streams, on a full disk, beside special
 * files, with a peer that goes away in the middle. Nothing secret goes where it does not belong,
 * and nobody is told of what did not happen. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "fake.h"
#include "tapping.h"

/* Descriptors that are closed, as in struct shortage. */
enum { IN = 1, OUT = 2, ERR = 4, SETS = 8 };

#define SECRET "for alice alone"
#define CANNOT_SHOW "the server cannot show messages"

static void assert_hears(const struct run_result *result, unsigned closed, const char *text) {
    if (closed & ERR)
        ck_assert_uint_eq(result->err.length, 0);
    else
        assert_says(result, text);
}

static void assert_end(struct run_result result, int code, const char *text) {
    assert_code(&result, code);
    assert_says(&result, text);
    run_result_free(&result);
}

/* Whatever the client does with the secret, its socket gets one request and nothing else. */
START_TEST(closed_streams_of_a_client_do_not_become_its_socket) {
    struct sam_incoming request;
    unsigned closed = (unsigned)_i / 4;
    bool mute = closed & OUT;
    fake_open(modes[_i % 2]);
    shortage.closed = closed;
    struct process client = start_client(&fake.at, NULL, 0, "--trace", _i & 2 ? "send_msg" : "--",
                                         _i & 2 ? "hello" : "recv_msg", NULL);
    fake_greet(1000);
    int fd = fake.bob.connection.fd;
    ck_status(peer_take(&fake.bob, &request), SAM_OK);
    ck_assert_uint_eq(request.envelope.message_length, _i & 2 ? 5 : 0);
    ck_status(sam_connection_answer(&fake.bob.connection, &request.envelope.header, person("alice"),
                                    SAM_KIND_REPLY, SECRET, strlen(SECRET)),
              SAM_OK);
    sam_connection_drop(&fake.bob.connection, &request);
    struct run_result result = finish(&client);
    struct sam_bytes more = read_to_end(fd);
    ck_assert_msg(more.length == 0, "the client sent %zu bytes more", more.length);
    assert_code(&result, mute ? 2 : 0);
    assert_text(&result.out, mute ? "" : SECRET);
    assert_hears(&result, closed, mute ? sam_status_sentence(SAM_FILE_WRITE) : "what leaves");
    run_result_free(&result);
    sam_bytes_free(&more);
    fake_close();
}
END_TEST

START_TEST(a_client_that_cannot_read_its_input_sends_nothing) {
    fake_open(modes[_i]);
    for (unsigned closed = IN; closed < SETS; closed += 2) {
        shortage.closed = closed;
        struct process client = start_client(&fake.at, "unread", 6, "send_msg", "-", NULL);
        struct run_result result = finish(&client);
        assert_code(&result, 2);
        assert_hears(&result, closed, sam_status_sentence(SAM_FILE_READ));
        ck_assert_msg(!sam_is_ready(fake.listener), "the client has connected");
        run_result_free(&result);
    }
    close(fake.listener);
}
END_TEST

START_TEST(a_server_without_streams_gives_no_wrong_receipt) {
    struct server_process server;
    struct peer alice;
    unsigned closed = (unsigned)_i / 2;
    shortage.closed = closed;
    start_server(&server, modes[_i % 2], lab, "--trace", "--message", SECRET, NULL);
    peer_join(&alice, server.mode, person("alice"), server.port, person("bob"));
    peer_request(&alice, SAM_KIND_SEND, "hello", 5);
    if (closed & OUT)
        peer_expect(&alice, SAM_KIND_REFUSE, CANNOT_SHOW, strlen(CANNOT_SHOW));
    else
        peer_expect(&alice, SAM_KIND_REPLY, "", 0);
    peer_request(&alice, SAM_KIND_RECV, "", 0);
    peer_expect(&alice, SAM_KIND_REPLY, SECRET, strlen(SECRET));
    peer_close(&alice);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    assert_text(&said.out, closed & OUT ? "" : "hello\n");
    assert_hears(&said, closed, "stopped");
    run_result_free(&said);
}
END_TEST

/* Output that takes the first message whole, of the second a part, and then nothing. */
START_TEST(a_message_that_is_shown_only_in_part_is_refused) {
    enum { ROOM = 4096, LENGTH = 3000 };
    struct server_process server;
    struct peer alice;
    char message[LENGTH];
    memset(message, 'm', sizeof message);
    shortage.file_size = ROOM;
    start_server(&server, modes[_i], lab, "--quiet", NULL);
    peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
    for (int i = 0; i < 3; i++) {
        peer_request(&alice, SAM_KIND_SEND, message, sizeof message);
        if (i == 0)
            peer_expect(&alice, SAM_KIND_REPLY, "", 0);
        else
            peer_expect(&alice, SAM_KIND_REFUSE, CANNOT_SHOW, strlen(CANNOT_SHOW));
    }
    peer_close(&alice);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_uint_eq(said.out.length, ROOM);
    ck_assert_uint_eq(count_text(&said.out, "\n"), 1);
    ck_assert_uint_eq(count_text(&said.err, "refused: " CANNOT_SHOW), 2);
    run_result_free(&said);
}
END_TEST

/* A server with a port file of our choice; it has been written once this returns. */
static void start_with_port_file(struct server_process *server, const char *port_file) {
    char path[PATH_MAX];
    program_path(path, server->mode, "server");
    server->process = start(
        (const char *const[]){path, "--keys", lab, "--port", "0", "--port-file", port_file, NULL},
        NULL, 0);
    wait_for_log(server, "trusting", 1);
}

static void assert_kind_of_file(const char *path, mode_t kind) {
    struct stat file;
    ck_assert_msg(lstat(path, &file) == 0, "%s is gone", path);
    ck_assert_uint_eq(file.st_mode & S_IFMT, kind);
}

START_TEST(a_port_file_that_is_no_file_is_written_and_left_there) {
    struct server_process server = {.mode = modes[_i]};
    const char *fifo = in_place("fifo"), *null = in_place("null");
    char port[16] = "", address[32];
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    int reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(reader, 0);
    start_with_port_file(&server, fifo);
    ck_assert_int_gt(read(reader, port, sizeof port - 1), 1);
    close(reader);
    snprintf(address, sizeof address, "127.0.0.1:%s", port); /* the line ends behind both */
    wait_for_log(&server, address, 1);
    stop_server_well(&server);
    assert_kind_of_file(fifo, S_IFIFO);
    ck_assert_int_eq(symlink("/dev/null", null), 0);
    start_with_port_file(&server, null);
    stop_server_well(&server);
    assert_kind_of_file(null, S_IFLNK);
}
END_TEST

START_TEST(a_pipe_that_nobody_reads_is_no_port_file) {
    const char *fifo = in_place("fifo");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    struct run_result result =
        RUN(modes[_i], "server", "--keys", lab, "--port", "0", "--port-file", fifo);
    assert_end(result, 2, sam_status_sentence(SAM_FILE_WRITE));
    assert_kind_of_file(fifo, S_IFIFO);
}
END_TEST

START_TEST(a_server_removes_no_port_file_but_its_own) {
    struct server_process server;
    const char *target = in_place("target"), *link = in_place("link");
    struct sam_bytes other = {(uint8_t *)(char[]){"1234\n"}, 5, 5};
    start_server(&server, modes[_i], lab, NULL);
    stop_server_well(&server);
    ck_assert_msg(!exists(server.port_file), "its own port file is still there");
    start_server(&server, modes[_i], lab, NULL);
    wait_for_log(&server, "trusting", 1); /* by then it knows its file */
    write_file(target, 0600, other.data, other.length);
    ck_assert_int_eq(rename(target, server.port_file), 0);
    stop_server_well(&server);
    assert_file(server.port_file, &other);
    ck_assert_int_eq(rename(server.port_file, target), 0);
    ck_assert_int_eq(symlink(target, link), 0);
    /* Somebody's link is written through, and nothing of it is removed. */
    start_with_port_file(&server, link);
    stop_server_well(&server);
    ck_assert(exists(link));
    struct sam_bytes port = read_file(target);
    ck_assert_uint_ge(port.length, 5); /* of a port that the system chose, and a newline */
    ck_assert(port.length != other.length || memcmp(port.data, other.data, port.length) != 0);
    sam_bytes_free(&port);
}
END_TEST

/* Asserts that a key file is still that of the vectors. */
static void assert_vector(const char *name) {
    struct sam_bytes before = read_vector(name);
    assert_file(in_keys(name), &before);
    sam_bytes_free(&before);
}

/* Of a pair on a disk that has no room for a private key, there is what was there before. */
START_TEST(a_key_pair_that_does_not_fit_leaves_nothing_and_costs_nothing) {
    enum { ROOM = 1000 };
    const char *program = _i / 2 ? "server" : "client";
    for (int i = 0; i < 2; i++) {
        shortage.file_size = ROOM;
        struct run_result result =
            RUN(modes[_i % 2], program, "--keys", keys, "--name", "alice", "--bits", "2048",
                "generate_key_pair", i == 0 ? "--quiet" : "--force");
        assert_end(result, 2, sam_status_sentence(SAM_FILE_WRITE));
        if (i == 0) {
            ck_assert_uint_eq(count_entries(keys), 0);
            give_pair(keys, "alice", "alice");
        }
    }
    assert_vector("alice.private.pem");
    assert_vector("alice.public.pem");
    ck_assert_uint_eq(count_entries(keys), 2);
}
END_TEST

START_TEST(a_pair_of_which_one_half_cannot_be_replaced_stays_as_it_was) {
    static const char *const halves[] = {"alice.public.pem", "alice.private.pem"};
    const char *kept = halves[_i], *blocked = halves[1 - _i];
    struct sam_where where;
    give_pair(keys, "alice", "alice");
    ck_assert_int_eq(unlink(in_keys(blocked)), 0);
    ck_assert_int_eq(mkdir(in_keys(blocked), 0700), 0);
    ck_status(sam_key_generate(keys, "alice", 2048, NULL, true, &where), SAM_KEY_NOT_FILE);
    ck_assert_str_eq(where.text, in_keys(blocked));
    assert_vector(kept);
    ck_assert_uint_eq(count_entries(keys), 2);
}
END_TEST

START_TEST(a_server_has_no_message_that_its_clients_would_not_take) {
    enum { MOST = 16384 }; /* in mode 1; a command line takes none that is too long for mode 2 */
    struct server_process server;
    struct peer alice;
    bool is_limited = modes[_i]->number == 1;
    char message[MOST + 2] = "";
    memset(message, 'm', MOST + 1);
    if (is_limited) {
        struct run_result result = RUN(modes[_i], "server", "--keys", lab, "--port", "0",
                                       "--port-file", in_place("port"), "--message", message);
        assert_end(result, 2, "has 16385 bytes, a client takes 16384");
        ck_assert(!exists(in_place("port")));
        message[MOST] = '\0';
    }
    start_server(&server, modes[_i], lab, "--message", message, NULL);
    peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
    peer_request(&alice, SAM_KIND_RECV, "", 0);
    peer_expect(&alice, SAM_KIND_REPLY, message, strlen(message));
    peer_close(&alice);
    stop_server_well(&server);
}
END_TEST

/* The second is as long as all the common memory usually is, and its envelope longer. */
START_TEST(the_longest_message_for_the_largest_key_gets_its_receipt) {
    static const unsigned long lengths[] = {40UL * 1024 * 1024, 64UL * 1024 * 1024};
    struct server_process server;
    char limit[16];
    const char *path = in_place("message");
    snprintf(limit, sizeof limit, "%lu", lengths[_i]);
    write_file(path, 0600, "", 0);
    ck_assert_int_eq(truncate(path, (off_t)lengths[_i]), 0);
    start_server(&server, &sam_mode_asymmetric_symmetric, lab, "--name", "carol", "--max-message",
                 limit, NULL);
    struct run_result result =
        run_client(&server, "--to", "carol", "send_msg", "--file", path, NULL);
    assert_end(result, 0, "delivered");
    stop_server_well(&server);
}
END_TEST

/* The second server says that it rejects before it resets the connection. */
START_TEST(what_was_sent_only_in_part_is_not_said_to_be_delivered) {
    enum { LENGTH = 5 * 1024 * 1024 }; /* more than all buffers on the way hold */
    bool rejects = _i / 2;
    const struct sam_mode *mode = modes[_i % 2];
    const struct linger reset = {.l_onoff = 1};
    const int small = 2048;
    static uint8_t message[LENGTH];
    uint8_t header[SAM_HEADER_SIZE];
    fake_open(mode);
    ck_assert_int_eq(setsockopt(fake.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    struct process client = start_client(&fake.at, message, LENGTH, "send_msg", "-", NULL);
    fake_greet(LENGTH);
    int fd = fake.bob.connection.fd;
    ck_status(sam_read_all(fd, -1, sam_now() + PATIENT, header, sizeof header), SAM_OK);
    if (rejects) {
        uint8_t rejection[SAM_REJECTION_SIZE];
        sam_rejection_write(rejection, mode->number);
        write_raw(fd, rejection, sizeof rejection);
    }
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    fake_close();
    struct run_result result = finish(&client);
    ck_assert_uint_eq(count_text(&result.err, "may have been"), 0);
    assert_says(&result, "not all of it was sent: it cannot have been delivered");
    assert_end(result, rejects ? 1 : 3, sam_status_sentence(rejects ? SAM_REJECTED : SAM_CLOSED));
}
END_TEST

static void assert_no_core(const struct process *process) {
    char path[64];
    unsigned long soft, hard;
    snprintf(path, sizeof path, "/proc/%ld/limits", (long)process->pid);
    struct sam_bytes limits = read_file(path);
    ck_status(sam_bytes_append(&limits, "", 1), SAM_OK);
    const char *line = strstr((const char *)limits.data, "Max core file size");
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "Max core file size %lu %lu", &soft, &hard), 2);
    ck_assert(soft <= 1 && hard <= 1);
    sam_bytes_free(&limits);
}

START_TEST(no_program_leaves_its_keys_in_a_core_dump) {
    struct server_process server;
    struct rlimit core;
    if (access("/proc/self/limits", R_OK) != 0)
        return; /* only Linux tells */
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
    core.rlim_cur = core.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
    start_server(&server, modes[_i], lab, NULL);
    assert_no_core(&server.process);
    stop_server_well(&server);
    fake_open(modes[_i]);
    struct process client = start_client(&fake.at, NULL, 0, "recv_msg", NULL);
    fake_greet(0);
    assert_no_core(&client);
    fake_close();
    assert_end(finish(&client), 3, "asked, no answer");
}
END_TEST

/* It waits for the end of a pipe that it is told to read. */
START_TEST(sam_leaves_no_core_dump_either) {
    char path[PATH_MAX];
    const char *argv[] = {sam_path(path), "open", in_place("pipe"), "--keys", keys, NULL};
    if (access("/proc/self/limits", R_OK) != 0)
        return; /* only Linux tells */
    ck_assert_int_eq(mkfifo(in_place("pipe"), 0600), 0);
    struct process sam = start(argv, NULL, 0);
    int pipe = open(in_place("pipe"), O_WRONLY | O_CLOEXEC); /* until it reads */
    ck_assert_int_ge(pipe, 0);
    assert_no_core(&sam);
    close(pipe);
    struct run_result result = finish(&sam);
    ck_assert_int_ne(result.code, 0);
    run_result_free(&result);
}
END_TEST

/* With -n: nothing here is made. */
START_TEST(make_names_the_modes_to_who_asks_for_another) {
    const char *const wrong[] = {"make", "-n", "run-server", "MODE=foo", NULL};
    struct run_result result = run(wrong, NULL, 0);
    assert_says(&result, modes[0]->name);
    assert_says(&result, modes[1]->name);
    assert_end(result, 2, "not foo");
}
END_TEST

Suite *process_suite(void) {
    Suite *suite = suite_create("process");
    TCase *tcase = tcase_create("process");
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_unchecked_fixture(tcase, make_lab, remove_lab);
    tcase_add_checked_fixture(tcase, set_up_place, tear_down_place);
    tcase_add_loop_test(tcase, closed_streams_of_a_client_do_not_become_its_socket, 0, 4 * SETS);
    tcase_add_loop_test(tcase, a_client_that_cannot_read_its_input_sends_nothing, 0, 2);
    tcase_add_loop_test(tcase, a_server_without_streams_gives_no_wrong_receipt, 0, 2 * SETS);
    tcase_add_loop_test(tcase, a_message_that_is_shown_only_in_part_is_refused, 0, 2);
    tcase_add_loop_test(tcase, a_port_file_that_is_no_file_is_written_and_left_there, 0, 2);
    tcase_add_loop_test(tcase, a_pipe_that_nobody_reads_is_no_port_file, 0, 2);
    tcase_add_loop_test(tcase, a_server_removes_no_port_file_but_its_own, 0, 2);
    tcase_add_loop_test(tcase, a_key_pair_that_does_not_fit_leaves_nothing_and_costs_nothing, 0, 4);
    tcase_add_loop_test(tcase, a_pair_of_which_one_half_cannot_be_replaced_stays_as_it_was, 0, 2);
    tcase_add_loop_test(tcase, a_server_has_no_message_that_its_clients_would_not_take, 0, 2);
    tcase_add_loop_test(tcase, the_longest_message_for_the_largest_key_gets_its_receipt, 0, 2);
    tcase_add_loop_test(tcase, what_was_sent_only_in_part_is_not_said_to_be_delivered, 0, 4);
    tcase_add_loop_test(tcase, no_program_leaves_its_keys_in_a_core_dump, 0, 2);
    tcase_add_test(tcase, sam_leaves_no_core_dump_either);
    tcase_add_test(tcase, make_names_the_modes_to_who_asks_for_another);
    suite_add_tcase(suite, tcase);
    return suite;
}
