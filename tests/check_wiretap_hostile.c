/* Ends that do what they like: the wiretap passes it on, stays alive, and takes neither memory nor
 * descriptors for what was only claimed. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commands.h"
#include "hostile.h"
#include "instruments.h"
#include "tapping.h"

enum { MEBI = 1024 * 1024, KIBI_PER_MEBI = 1024 };

static void close_sockets(const struct ends *ends) {
    close(ends->near);
    close(ends->far);
}

/* Another connection is served as if there were none but itself. */
static void assert_alive(struct ends *ends) {
    struct ends honest = *ends;
    int64_t started = sam_now();
    connect_ends(&honest);
    write_raw(honest.near, (const uint8_t *)"I am honest", 11);
    expect_bytes(honest.far, (const uint8_t *)"I am honest", 11);
    write_raw(honest.far, (const uint8_t *)"me too", 6);
    expect_bytes(honest.near, (const uint8_t *)"me too", 6);
    ck_assert_int_le(sam_now() - started, AT_ONCE);
    close_sockets(&honest);
}

/* The wiretap has nothing left of what was, and ends as it should. */
static void assert_clean_and_close(struct ends *ends, size_t descriptors) {
    wait_for_descriptors(&ends->tap, descriptors);
    assert_alive(ends);
    wait_for_descriptors(&ends->tap, descriptors);
    stop_server_well(&ends->tap);
    close(ends->listener);
}

/* listen_ends; *descriptors is how many the wiretap has before the first connection. */
static void open_tap(struct ends *ends, const struct sam_mode *mode, const char *const rules[],
                     size_t *descriptors) {
    listen_ends(ends, mode, rules);
    wait_for_log(&ends->tap, "passing on", 1); /* all that is opened is open */
    *descriptors = open_descriptors(&ends->tap);
}

START_TEST(a_claimed_length_takes_no_memory) {
    enum { PEERS = 60 };
    static const uint8_t types[] = {SAM_GREETING, SAM_ENVELOPE, SAM_REJECTION, SAM_RECORD};
    static struct ends all[PEERS];
    struct ends ends;
    size_t descriptors;
    allow_descriptors(4 * PEERS + 100);
    open_tap(&ends, modes[_i], RULES("--flip", "magic", "--replay", "1"), &descriptors);
    size_t before = peak_memory(&ends.tap);
    for (size_t i = 0; i < PEERS; i++) {
        uint8_t unit[SAMPLE_MAX];
        size_t length = make_sample(unit, types[i % sizeof types], modes[_i], 1);
        sam_put32(unit + 12, UINT32_MAX - (uint32_t)i / 2);
        all[i] = ends;
        connect_ends(&all[i]);
        write_raw(all[i].near, unit, length);
        write_raw(all[i].far, unit, length);
        expect_bytes(all[i].near, unit, length); /* no rule is for this side */
    }
    assert_alive(&ends);
    size_t after = peak_memory(&ends.tap);
    /* A thread's stack is the most that each may take. */
    if (!SANITIZED)
        ck_assert_msg(after - before < 16 * KIBI_PER_MEBI, "%zu KiB grew to %zu", before, after);
    for (size_t i = 0; i < PEERS; i++)
        close_sockets(&all[i]);
    assert_clean_and_close(&ends, descriptors);
}
END_TEST

static uint8_t byte_at(size_t offset) {
    static const uint8_t begin[] = "SAME\x01\x02\x01\x00\x01\x00\x01\x00\xff\xff\xff\xff";
    return offset < sizeof begin - 1 ? begin[offset] : (uint8_t)(offset * 7 + offset / 65536);
}

/* Writes so many bytes of one unit that has no end, and reads them on the other side. */
static void pump(const struct ends *ends, size_t total) {
    static uint8_t out[64 * 1024], in[64 * 1024];
    size_t sent = 0, ready = 0, begin = 0, got = 0;
    int64_t deadline = sam_now() + PATIENT;
    while (got < total) {
        if (begin == ready && sent + ready < total + begin) {
            sent += ready;
            begin = 0;
            ready = total - sent < sizeof out ? total - sent : sizeof out;
            for (size_t i = 0; i < ready; i++)
                out[i] = byte_at(sent + i);
        }
        ssize_t n = begin < ready ? send(ends->near, out + begin, ready - begin, 0) : 0;
        begin += n > 0 ? (size_t)n : 0;
        ssize_t m = recv(ends->far, in, sizeof in, 0);
        bool same = true;
        for (ssize_t i = 0; i < m; i++)
            same = same && in[i] == byte_at(got + (size_t)i);
        ck_assert_msg(same, "other bytes after %zu", got);
        got += m > 0 ? (size_t)m : 0;
        ck_assert_msg(n > 0 || m > 0 || nap_until(deadline), "%zu of %zu bytes", got, total);
    }
}

/* More than the wiretap keeps of a unit, also of one that it would like to change. */
START_TEST(a_unit_without_end_passes_and_takes_bounded_memory) {
    enum { TOTAL = 80 * MEBI, MOST = 256 * KIBI_PER_MEBI };
    struct ends ends;
    size_t descriptors;
    open_tap(&ends, modes[_i], _i ? RULES("--flip", "reference") : NONE, &descriptors);
    connect_ends(&ends);
    pump(&ends, TOTAL);
    if (!SANITIZED)
        ck_assert_msg(peak_memory(&ends.tap) < MOST, "%zu KiB", peak_memory(&ends.tap));
    close_sockets(&ends);
    assert_clean_and_close(&ends, descriptors);
}
END_TEST

static void vanish(int fd) {
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

START_TEST(garbage_and_sudden_ends_leave_nothing_behind) {
    enum { PEERS = 120, MOST = 40000 };
    static uint8_t bytes[MOST];
    struct ends ends;
    size_t descriptors;
    open_tap(&ends, modes[_i],
             RULES("--pcap", in_place("capture"), "--save", in_place("kept"), "--swap", "1,2",
                   "--flip", "mode"),
             &descriptors);
    for (uint32_t i = 0; i < PEERS; i++) {
        static const uint8_t types[] = {SAM_GREETING, SAM_ENVELOPE, SAM_REJECTION, SAM_RECORD};
        size_t length =
            i % 3 == 0 ? any_below(MOST) : make_sample(bytes, types[i % 4], modes[_i], i);
        for (size_t k = i % 3 == 0 ? 0 : any_below((uint32_t)length); k < length; k++)
            bytes[k] = (uint8_t)any_below(256);
        length = i % 5 == 0 ? 0 : length;
        connect_ends(&ends);
        write_raw(ends.near, bytes, length);
        write_raw(ends.far, bytes, length / 2);
        if (i % 2)
            vanish(ends.near);
        else
            close(ends.near);
        if (i % 4 < 2)
            vanish(ends.far);
        else
            close(ends.far);
    }
    assert_clean_and_close(&ends, descriptors);
}
END_TEST

/* Gone before the wiretap has taken them, or while it connects to the server. */
START_TEST(peers_that_are_gone_at_once_leave_nothing_behind) {
    enum { PEERS = 40 };
    struct ends ends;
    size_t descriptors;
    char address[SAM_ADDRESS_MAX];
    open_tap(&ends, modes[0], RULES("--pcap", in_place("capture")), &descriptors);
    for (int i = 0; i < PEERS; i++) {
        int fd;
        ck_status(sam_connect(&fd, "127.0.0.1", ends.tap.port, -1, sam_now() + PATIENT, NULL),
                  SAM_OK);
        if (i % 2)
            vanish(fd);
        else
            close(fd);
    }
    /* Of those that vanished some were never there for the wiretap. */
    for (int i = 0;
         readable_until(ends.listener, sam_now() + (i < PEERS / 2 ? PATIENT : SAM_SECOND)); i++) {
        int fd;
        ck_status(sam_accept(&fd, ends.listener, address), SAM_OK);
        close(fd);
    }
    assert_clean_and_close(&ends, descriptors);
}
END_TEST

START_TEST(one_that_never_reads_costs_others_nothing) {
    enum { CHUNK = 64 * 1024 };
    static const uint8_t bytes[CHUNK];
    struct ends ends;
    size_t descriptors;
    open_tap(&ends, modes[0], NONE, &descriptors);
    connect_ends(&ends);
    while (sam_write_all(ends.far, -1, sam_now() + SAM_SECOND / 5, bytes, CHUNK) == SAM_OK)
        continue;
    size_t small = peak_memory(&ends.tap);
    assert_alive(&ends);
    if (!SANITIZED)
        ck_assert_uint_lt(small, 32 * KIBI_PER_MEBI);
    close_sockets(&ends);
    assert_clean_and_close(&ends, descriptors);
}
END_TEST

START_TEST(one_connection_too_many_waits_and_is_passed_on) {
    enum { MOST = 256 };
    static struct ends all[MOST];
    struct ends ends;
    size_t descriptors;
    char address[SAM_ADDRESS_MAX];
    int late;
    allow_descriptors(2 * MOST + 200);
    open_tap(&ends, modes[0], NONE, &descriptors);
    for (size_t i = 0; i < MOST; i++) {
        all[i] = ends;
        connect_ends(&all[i]);
    }
    ck_status(sam_connect(&late, "127.0.0.1", ends.tap.port, -1, sam_now() + PATIENT, NULL),
              SAM_OK);
    ck_assert_msg(!readable_until(ends.listener, sam_now() + SAM_SECOND / 5), "one too many");
    close_sockets(&all[7]);
    ck_assert_msg(readable_until(ends.listener, sam_now() + PATIENT), "it is not passed on");
    ck_status(sam_accept(&ends.far, ends.listener, address), SAM_OK);
    ends.near = late;
    write_raw(ends.near, (const uint8_t *)"at last", 7);
    expect_bytes(ends.far, (const uint8_t *)"at last", 7);
    close_sockets(&ends);
    for (size_t i = 0; i < MOST; i++)
        if (i != 7)
            close_sockets(&all[i]);
    assert_clean_and_close(&ends, descriptors);
}
END_TEST

START_TEST(a_full_disk_stops_nothing_and_is_told_at_the_end) {
    enum { FULL = 2000, UNITS = 8 };
    struct ends ends;
    uint8_t unit[SAMPLE_MAX], whole[UNITS * SAMPLE_MAX];
    size_t length = make_sample(unit, SAM_ENVELOPE, modes[0], 1);
    shortage.file_size = FULL;
    open_ends(&ends, modes[0], RULES("--pcap", in_place("capture"), "--save", in_place("kept")));
    for (size_t i = 0; i < UNITS; i++) {
        memcpy(whole + i * length, unit, length);
        write_raw(ends.near, unit, length);
    }
    shutdown(ends.near, SHUT_WR);
    expect_bytes_and_end(ends.far, whole, UNITS * length);
    close_sockets(&ends);
    close(ends.listener);
    struct run_result told = stop_server(&ends.tap);
    assert_code(&told, 2);
    assert_says(&told, in_place("capture"));
    run_result_free(&told);
}
END_TEST

START_TEST(without_standard_output_it_works_and_tells_so_at_the_end) {
    struct ends ends;
    shortage.closed = 1u << STDOUT_FILENO;
    open_ends(&ends, modes[0], RULES("--pcap", in_place("capture")));
    write_raw(ends.near, (const uint8_t *)"unheard", 7);
    shutdown(ends.near, SHUT_WR);
    expect_bytes_and_end(ends.far, (const uint8_t *)"unheard", 7);
    close_sockets(&ends);
    close(ends.listener);
    struct run_result told = stop_server(&ends.tap);
    assert_code(&told, 2);
    assert_says(&told, "standard output");
    run_result_free(&told);
    struct sam_bytes capture = read_file(in_place("capture"));
    ck_assert_uint_gt(capture.length, 500);
    sam_bytes_free(&capture);
}
END_TEST

TCase *wiretap_hostile_case(void) {
    TCase *hostile = tcase_create("wiretap hostile");
    tcase_set_timeout(hostile, TEST_SECONDS);
    tcase_add_unchecked_fixture(hostile, make_lab, remove_lab);
    tcase_add_checked_fixture(hostile, set_up_place, tear_down_place);
    tcase_add_loop_test(hostile, a_claimed_length_takes_no_memory, 0, 2);
    tcase_add_loop_test(hostile, a_unit_without_end_passes_and_takes_bounded_memory, 0, 2);
    tcase_add_loop_test(hostile, garbage_and_sudden_ends_leave_nothing_behind, 0, 2);
    tcase_add_test(hostile, peers_that_are_gone_at_once_leave_nothing_behind);
    tcase_add_test(hostile, one_that_never_reads_costs_others_nothing);
    tcase_add_test(hostile, one_connection_too_many_waits_and_is_passed_on);
    tcase_add_test(hostile, a_full_disk_stops_nothing_and_is_told_at_the_end);
    tcase_add_test(hostile, without_standard_output_it_works_and_tells_so_at_the_end);
    return hostile;
}
