/* Tests of the TLS tunnel: what passes through it, how it ends, and where libssl is known. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "process.h"
#include "suites.h"
#include "tunnels.h"

enum { MIB = 1 << 20, MS = 1000 };

/* One direction: what is written, and all that came. */
struct stream {
    int fd;
    const uint8_t *data;
    size_t length;
    struct sam_bytes came;
    enum sam_status status;
};

static void *write_stream(void *argument) {
    struct stream *stream = argument;
    stream->status =
        sam_write_all(stream->fd, -1, sam_now() + PATIENT, stream->data, stream->length);
    shutdown(stream->fd, SHUT_WR);
    return NULL;
}

static void *read_stream(void *argument) {
    struct stream *stream = argument;
    stream->came = read_to_end(stream->fd);
    return NULL;
}

static uint8_t *random_bytes(size_t length) {
    uint8_t *data = malloc(length);
    ck_assert_ptr_nonnull(data);
    ck_status(sam_random(data, length), SAM_OK);
    return data;
}

START_TEST(bytes_pass_both_ways_at_once_unchanged) {
    struct meeting meeting;
    meet_well(&meeting);
    uint8_t *data[2] = {random_bytes(MIB), random_bytes(MIB)};
    int fds[2] = {meeting.client.tunnel.fd, meeting.server.tunnel.fd};
    struct stream writers[2], readers[2];
    pthread_t threads[4];
    for (int i = 0; i < 2; i++) {
        writers[i] = (struct stream){.fd = fds[i], .data = data[i], .length = MIB};
        readers[i] = (struct stream){.fd = fds[1 - i]};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_stream, &writers[i]), 0);
        ck_assert_int_eq(pthread_create(&threads[2 + i], NULL, read_stream, &readers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 2; i++) {
        ck_status(writers[i].status, SAM_OK);
        ck_assert_uint_eq(readers[i].came.length, MIB);
        ck_assert_int_eq(memcmp(readers[i].came.data, data[i], MIB), 0);
        sam_bytes_free(&readers[i].came);
        free(data[i]);
    }
    ck_status(sam_tls_reason(&meeting.client.tunnel, SAM_CLOSED), SAM_CLOSED);
    end_good(&meeting);
}
END_TEST

static void expect_bytes(int fd, const char *text) {
    uint8_t came[64];
    size_t length = strlen(text);
    ck_status(sam_read_all(fd, -1, sam_now() + PATIENT, came, length), SAM_OK);
    ck_assert_int_eq(memcmp(came, text, length), 0);
}

static void expect_end(int fd) {
    uint8_t byte;
    ck_status(sam_read_all(fd, -1, sam_now() + PATIENT, &byte, 1), SAM_CLOSED);
}

START_TEST(an_end_of_one_direction_leaves_the_other) {
    struct meeting meeting;
    meet_well(&meeting);
    int first = _i == 0 ? meeting.client.tunnel.fd : meeting.server.tunnel.fd;
    int second = _i == 0 ? meeting.server.tunnel.fd : meeting.client.tunnel.fd;
    write_raw(first, "last", 4);
    ck_assert_int_eq(shutdown(first, SHUT_WR), 0);
    expect_bytes(second, "last");
    expect_end(second);
    for (int i = 0; i < 3; i++) {
        write_raw(second, "late", 4);
        expect_bytes(first, "late");
    }
    ck_assert_int_eq(shutdown(second, SHUT_WR), 0);
    expect_end(first);
    end_good(&meeting);
}
END_TEST

/* Writes until all buffers between the two are full: how many bytes went in. */
static size_t fill(int fd) {
    static const uint8_t block[4096];
    size_t total = 0;
    int64_t until = sam_now() + 200 * MS;
    for (;;) {
        ssize_t n = send(fd, block, sizeof block, 0);
        if (n > 0) {
            total += (size_t)n;
            until = sam_now() + 200 * MS;
        } else if (!nap_until(until)) {
            return total;
        }
    }
}

static void *close_tunnel(void *argument) {
    sam_tls_close(argument);
    return NULL;
}

START_TEST(what_was_written_goes_out_before_the_close) {
    struct meeting meeting;
    meet_well(&meeting);
    size_t total = fill(meeting.client.tunnel.fd);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, close_tunnel, &meeting.client.tunnel), 0);
    nap_until(0); /* so that most often the close is on its way */
    struct sam_bytes came = read_to_end(meeting.server.tunnel.fd);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(meeting.client.tunnel.fd, -1);
    ck_assert_uint_eq(came.length, total);
    sam_bytes_free(&came);
    sam_tls_close(&meeting.client.tunnel); /* once more does no harm */
    end_good(&meeting);
}
END_TEST

START_TEST(a_close_waits_for_nobody_who_has_nothing_to_get) {
    struct meeting meeting;
    meet_well(&meeting);
    int64_t started = sam_now();
    sam_tls_close(&meeting.client.tunnel);
    if (!SANITIZED)
        ck_assert_int_lt(sam_now() - started, 500 * MS);
    expect_end(meeting.server.tunnel.fd);
    end_good(&meeting);
}
END_TEST

/* All buffers between the two fill, none of them is ours to grow, and a close gives up. */
START_TEST(a_peer_that_does_not_read_holds_up_nobody_for_long) {
    struct meeting meeting;
    meet_well(&meeting);
    ck_assert_uint_lt(fill(meeting.client.tunnel.fd), 32 * MIB);
    int64_t started = sam_now();
    sam_tls_close(&meeting.client.tunnel);
    ck_assert_int_lt(sam_now() - started, 2 * SAM_SECOND + SANITIZED * PATIENT);
    end_good(&meeting);
}
END_TEST

START_TEST(a_peer_that_vanishes_is_an_end) {
    struct meeting meeting = {.client.newest = 0x0304};
    struct sam_tls *server = tls_server("server", NULL);
    meet(&meeting, NULL, server); /* a stranger ends without a word */
    ck_status(meeting.server.status, SAM_OK);
    ck_assert_int_eq(meeting.client.version, 0x0304);
    expect_end(meeting.server.tunnel.fd);
    uint8_t byte = 0;
    ck_status(sam_write_all(meeting.server.tunnel.fd, -1, sam_now() + PATIENT, &byte, 1),
              SAM_CLOSED);
    ck_status(sam_tls_reason(&meeting.server.tunnel, SAM_CUT), SAM_CUT);
    end_meeting(&meeting);
    sam_tls_free(server);
}
END_TEST

START_TEST(bytes_altered_on_the_way_are_never_handed_out) {
    struct meeting meeting;
    meet_well(&meeting);
    static const uint8_t forged[] = {23,  3,   3,   0,   20,  'n', 'o', 't', ' ',
                                     's', 'e', 'a', 'l', 'e', 'd', ' ', 'a', 't',
                                     ' ', 'a', 'l', 'l', '!', '!', '!'};
    write_raw(meeting.client.fd, forged, sizeof forged); /* past the tunnel */
    expect_end(meeting.server.tunnel.fd);
    ck_status(sam_tls_reason(&meeting.server.tunnel, SAM_CLOSED), SAM_TLS_BROKEN);
    ck_status(sam_tls_reason(&meeting.server.tunnel, SAM_OK), SAM_OK);
    end_good(&meeting);
}
END_TEST

static int64_t cpu_time(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * SAM_SECOND + used.tv_nsec / 1000;
}

/* Nothing spins while 0: both directions are open; 1: one is over; 2: the peer does not read; 3:
 * nor does who wrote; 4: the peer is gone, and nobody has read what it sent. */
START_TEST(who_waits_uses_no_time) {
    struct meeting meeting;
    meet_well(&meeting);
    if (_i == 1) {
        shutdown(meeting.client.tunnel.fd, SHUT_WR);
        expect_end(meeting.server.tunnel.fd);
    }
    if (_i >= 2)
        fill(meeting.client.tunnel.fd);
    if (_i == 3)
        shutdown(meeting.client.tunnel.fd, SHUT_RDWR);
    if (_i == 4) {
        struct linger at_once = {.l_onoff = 1};
        sam_tls_close(&meeting.client.tunnel);
        setsockopt(meeting.client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(meeting.client.fd);
        meeting.client.fd = -1;
    }
    int64_t before = cpu_time(), until = sam_now() + 400 * MS;
    while (nap_until(until))
        continue;
    ck_assert_int_lt(cpu_time() - before, 100 * MS);
    end_good(&meeting);
}
END_TEST

/* 0: a client whose server says nothing; 1: a server whose client stops after 3 bytes. */
START_TEST(a_handshake_that_stalls_ends_in_time) {
    int ends[2];
    struct sam_tunnel tunnel;
    struct sam_tls *tls = _i == 0 ? tls_client("ca", NULL, NULL) : tls_server("server", NULL);
    tcp_pair(ends);
    if (_i == 1)
        write_raw(ends[0], "\x16\x03\x01", 3);
    int64_t started = sam_now();
    ck_status(sam_tls_open(&tunnel, tls, ends[1], -1, started + 300 * MS), SAM_TIMEOUT);
    ck_assert_int_eq(tunnel.fd, -1);
    ck_assert_int_ge(sam_now() - started, 300 * MS);
    ck_assert_int_lt(sam_now() - started, SAM_SECOND + SANITIZED * PATIENT);
    sam_tls_close(&tunnel);
    sam_tls_free(tls);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* The same two. */
START_TEST(a_stop_ends_a_handshake) {
    int ends[2], stop[2];
    struct sam_tunnel tunnel;
    struct sam_tls *tls = _i == 0 ? tls_client("ca", NULL, NULL) : tls_server("server", NULL);
    tcp_pair(ends);
    ck_assert_int_eq(pipe(stop), 0);
    close(stop[1]);
    ck_status(sam_tls_open(&tunnel, tls, ends[1], stop[0], sam_now() + PATIENT), SAM_STOPPED);
    ck_assert_int_eq(tunnel.fd, -1);
    sam_tls_free(tls);
    close(stop[0]);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_peer_that_leaves_the_handshake_is_an_end) {
    int ends[2];
    struct sam_tunnel tunnel;
    struct sam_tls *tls = _i == 0 ? tls_client("ca", NULL, NULL) : tls_server("server", NULL);
    tcp_pair(ends);
    close(ends[0]);
    ck_status(sam_tls_open(&tunnel, tls, ends[1], -1, sam_now() + PATIENT), SAM_CLOSED);
    sam_tls_free(tls);
    close(ends[1]);
}
END_TEST

START_TEST(one_module_alone_knows_libssl) {
    const char *build = getenv("SAM_BUILD");
    char library[PATH_MAX];
    snprintf(library, sizeof library, "%s/libsam.a", build != NULL ? build : "build");
    const char *const words[] = {"nm", "-A", "-u", library, NULL};
    struct run_result result = run(words, NULL, 0);
    assert_code(&result, 0);
    unsigned known = 0;
    for (char *line = strtok((char *)result.out.data, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        if (strstr(line, " SSL_") == NULL && strstr(line, " _SSL_") == NULL &&
            strstr(line, "TLS_client_method") == NULL)
            continue;
        ck_assert_msg(strstr(line, ":tls.o:") != NULL, "%s", line);
        known++;
    }
    ck_assert_uint_gt(known, 10);
    run_result_free(&result);
}
END_TEST

/* A client and a server meet with the files that make certs makes. */
static void meet_with(const char *folder, bool is_mutual) {
    struct meeting meeting = {0};
    struct sam_where where;
    struct sam_tls *client, *server;
    const char *ca = made_file(folder, "ca", "pem");
    ck_status(sam_tls_client_new(&client,
                                 &(struct sam_tls_client){
                                     .ca = ca,
                                     .host = "127.0.0.1",
                                     .certificate = made_file(folder, "client", "pem"),
                                     .key = made_file(folder, "client", "key"),
                                 },
                                 &where),
              SAM_OK);
    ck_status(sam_tls_server_new(&server,
                                 &(struct sam_tls_server){
                                     .certificate = made_file(folder, "server", "pem"),
                                     .key = made_file(folder, "server", "key"),
                                     .ca = is_mutual ? ca : NULL,
                                 },
                                 &where),
              SAM_OK);
    meet(&meeting, client, server);
    ck_status(meeting.client.status, SAM_OK);
    ck_status(meeting.server.status, SAM_OK);
    end_meeting(&meeting);
    sam_tls_free(client);
    sam_tls_free(server);
}

START_TEST(make_certs_makes_what_passes_and_replaces_nothing) {
    char folder[PATH_MAX], made[PATH_MAX + 8];
    struct stat file;
    make_folder(folder);
    snprintf(made, sizeof made, "%s/tls", folder);
    const char *const words[] = {"tools/certs.sh", made, NULL};
    struct run_result result = run(words, NULL, 0);
    assert_code(&result, 0);
    run_result_free(&result);
    ck_assert_uint_eq(count_entries(folder), 1);
    ck_assert_uint_eq(count_entries(made), 6);
    static const char *const names[] = {"ca", "server", "client"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(stat(made_file(made, names[i], "key"), &file), 0);
        ck_assert_uint_eq(file.st_mode & 0777, 0600);
        const char *const verify[] = {"openssl",
                                      "verify",
                                      "-x509_strict",
                                      "-CAfile",
                                      made_file(made, "ca", "pem"),
                                      made_file(made, names[i], "pem"),
                                      NULL};
        result = run(verify, NULL, 0);
        assert_code(&result, 0);
        run_result_free(&result);
    }
    meet_with(made, false);
    meet_with(made, true);
    struct sam_bytes before = read_file(made_file(made, "server", "key"));
    result = run(words, NULL, 0);
    assert_code(&result, 0);
    run_result_free(&result);
    struct sam_bytes after = read_file(made_file(made, "server", "key"));
    ck_assert_uint_eq(before.length, after.length);
    ck_assert_int_eq(memcmp(before.data, after.data, before.length), 0);
    sam_bytes_free(&before);
    sam_bytes_free(&after);
    /* What is half there is not made whole with other keys. */
    ck_assert_int_eq(remove(made_file(made, "client", "pem")), 0);
    result = run(words, NULL, 0);
    assert_code(&result, 1);
    run_result_free(&result);
    ck_assert_uint_eq(count_entries(made), 5);
    remove_folder(folder);
}
END_TEST

Suite *tls_suite(void) {
    Suite *suite = suite_create("tls");
    TCase *tunnel = tcase_create("tunnel");
    tcase_set_timeout(tunnel, TEST_SECONDS);
    tcase_add_unchecked_fixture(tunnel, make_pki, remove_pki);
    tcase_add_test(tunnel, bytes_pass_both_ways_at_once_unchanged);
    tcase_add_loop_test(tunnel, an_end_of_one_direction_leaves_the_other, 0, 2);
    tcase_add_test(tunnel, what_was_written_goes_out_before_the_close);
    tcase_add_test(tunnel, a_close_waits_for_nobody_who_has_nothing_to_get);
    tcase_add_test(tunnel, a_peer_that_does_not_read_holds_up_nobody_for_long);
    tcase_add_test(tunnel, a_peer_that_vanishes_is_an_end);
    tcase_add_test(tunnel, bytes_altered_on_the_way_are_never_handed_out);
    tcase_add_loop_test(tunnel, who_waits_uses_no_time, 0, 5);
    tcase_add_loop_test(tunnel, a_handshake_that_stalls_ends_in_time, 0, 2);
    tcase_add_loop_test(tunnel, a_stop_ends_a_handshake, 0, 2);
    tcase_add_loop_test(tunnel, a_peer_that_leaves_the_handshake_is_an_end, 0, 2);
    tcase_add_test(tunnel, one_module_alone_knows_libssl);
    tcase_add_test(tunnel, make_certs_makes_what_passes_and_replaces_nothing);
    suite_add_tcase(suite, tunnel);
    suite_add_tcase(suite, tls_refused_case());
    suite_add_tcase(suite, tls_programs_case());
    return suite;
}
