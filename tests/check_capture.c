/* Tests of the instruments' capture: a file of told packets that any reader of pcapng takes. What
 * is written is read by a parser of its own, which shares nothing with the writer. */
#include "capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "instruments.h"
#include "packets.h"
#include "support.h"

static char folder[PATH_MAX], path[PATH_MAX + 16];

static void set_up(void) {
    make_folder(folder);
    snprintf(path, sizeof path, "%s/capture", folder);
}

static struct trace trace;

static void tear_down(void) {
    sam_bytes_free(&trace.file);
    remove_folder(folder);
}

static struct sockaddr_storage address(const char *text, uint16_t port) {
    struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_storage all = {0};
    if (inet_pton(AF_INET, text, &ip4.sin_addr) == 1) {
        memcpy(&all, &ip4, sizeof ip4);
    } else {
        ck_assert_int_eq(inet_pton(AF_INET6, text, &ip6.sin6_addr), 1);
        memcpy(&all, &ip6, sizeof ip6);
    }
    return all;
}

static const struct route routes[] = {
    {{"127.0.0.1", "127.0.0.1"}, {49152, 8000}, SAM_LEG_CLIENT},
    {{"::1", "2001:db8::fffe:1"}, {65535, 1}, SAM_LEG_SERVER},
    {{"192.0.2.255", "203.0.113.7"}, {258, 772}, SAM_LEG_SERVER},
    {{"::ffff:127.0.0.1", "::ffff:127.0.0.2"}, {50000, 8001}, SAM_LEG_CLIENT},
};
enum { ROUTES = sizeof routes / sizeof routes[0] };

static void begin(struct sam_capture *capture, struct sam_flow *flow, int route) {
    struct sockaddr_storage ends[2];
    for (int end = 0; end < 2; end++)
        ends[end] = address(routes[route].texts[end], routes[route].ports[end]);
    sam_flow_begin(capture, flow, routes[route].leg, &ends[0], &ends[1]);
}

static struct sam_capture *open_capture(void) {
    struct sam_capture *capture;
    ck_status(sam_capture_open(&capture, path), SAM_OK);
    return capture;
}

/* length bytes that no shift by a few and no exchange of two pieces leaves as they are. */
static uint8_t *noise(size_t length, uint32_t seed) {
    uint8_t *data = malloc(length + 1);
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525 + 1013904223;
        data[i] = (uint8_t)(seed >> 24);
    }
    return data;
}

/* Tests. */

START_TEST(without_a_capture_nothing_is_done) {
    struct sam_flow flow, before;
    memset(&flow, 0x5A, sizeof flow);
    memcpy(&before, &flow, sizeof flow);
    begin(NULL, &flow, 0);
    sam_flow_data(NULL, &flow, 0, (const uint8_t *)"x", 1, "comment");
    sam_flow_end(NULL, &flow, 0);
    ck_assert_mem_eq(&flow, &before, sizeof flow);
    ck_status(sam_capture_close(NULL), SAM_OK);
}
END_TEST

/* In the folder, where "fifo" is a pipe that nobody reads, unless it starts with a slash. */
static const struct {
    const char *path;
    int reason;
} bad_paths[] = {
    {"missing/file", ENOENT}, {"", EISDIR},          {"fifo", ENXIO},
    {"/dev/null", EINVAL},    {"/dev/full", EINVAL},
};

START_TEST(what_is_no_regular_file_is_refused_with_errno) {
    struct sam_capture *capture = (void *)folder;
    const char *name = bad_paths[_i].path;
    if (name[0] == '/' && access(name, W_OK) != 0)
        return; /* macOS has no /dev/full */
    snprintf(path, sizeof path, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : folder, name[0] == '/' ? "" : "/",
             name);
    ck_status(sam_capture_open(&capture, path), SAM_FILE_WRITE);
    ck_assert_int_eq(errno, bad_paths[_i].reason);
    ck_assert_ptr_null(capture);
}
END_TEST

/* Writes a whole conversation under a limit on the size of files, which stands for a full disk; no
 * assertion, as Check writes a file too. Returns whether the capture was made, and errno. */
static bool write_limited(rlim_t limit, enum sam_status *closed, int *reason) {
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = limit;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct sam_capture *capture = NULL;
    struct sam_flow flow;
    static const uint8_t data[3000];
    setrlimit(RLIMIT_FSIZE, &small);
    *closed = sam_capture_open(&capture, path);
    *reason = errno;
    bool made = capture != NULL;
    if (made) {
        begin(capture, &flow, 0);
        sam_flow_data(capture, &flow, 0, data, sizeof data, "comment");
    }
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    if (made) {
        sam_flow_data(capture, &flow, 1, data, 1, NULL); /* there is room now, but one is missing */
        errno = 0;
        *closed = sam_capture_close(capture);
        *reason = errno;
    }
    return made;
}

/* The head is 28 + 44 + 44 bytes, SYN and SYN/ACK have 80 each, ACK has 72, the data 3088. */
static const struct {
    rlim_t limit;
    size_t length, packets;
} limits[] = {
    {0, 0, 0},     {27, 0, 0},     {28, 28, 0},    {115, 72, 0},  {116, 116, 0},
    {195, 116, 0}, {196, 196, 1},  {197, 196, 1},  {276, 276, 2}, {347, 276, 2},
    {348, 348, 3}, {2000, 348, 3}, {3435, 348, 3},
};

START_TEST(a_full_disk_leaves_whole_packets_and_is_told) {
    enum sam_status closed;
    int reason;
    bool made = write_limited(limits[_i].limit, &closed, &reason);
    ck_assert_int_eq(made, limits[_i].limit >= 116);
    ck_status(closed, SAM_FILE_WRITE);
    ck_assert_int_eq(reason, EFBIG);
    parse_capture(&trace, path);
    ck_assert_uint_eq(trace.file.length, limits[_i].length);
    ck_assert_uint_eq(trace.count, limits[_i].packets);
}
END_TEST

START_TEST(a_capture_is_private_is_not_inherited_and_empties_what_was_there) {
    mode_t mask = umask(0);
    for (int times = 0; times < 2; times++) {
        int next = open("/dev/null", O_RDONLY);
        ck_assert_int_ge(next, 0);
        close(next);
        struct sam_capture *capture = open_capture();
        ck_assert_int_ne(fcntl(next, F_GETFD) & FD_CLOEXEC, 0);
        ck_status(sam_capture_close(capture), SAM_OK);
        struct stat file;
        ck_assert_int_eq(stat(path, &file), 0);
        ck_assert_uint_eq(file.st_mode, S_IFREG | 0600);
        parse_capture(&trace, path);
        ck_assert_uint_eq(trace.file.length, trace.ends[HEAD_BLOCKS - 1]);
        static const uint8_t old[1000];
        write_file(path, 0600, old, sizeof old);
    }
    umask(mask);
}
END_TEST

static const size_t sizes[] = {0, 1, 32767, 32768, 32769, 200000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(every_byte_can_be_heard_in_both_directions) {
    int route = _i / SIZES;
    size_t size = sizes[_i % SIZES], pieces = (size + 32767) / 32768;
    uint8_t *data = noise(size, 1), *answer = noise(size, 2);
    struct timespec before, after;
    struct sam_flow flow;
    clock_gettime(CLOCK_REALTIME, &before);
    struct sam_capture *capture = open_capture();
    begin(capture, &flow, route);
    sam_flow_data(capture, &flow, 0, data, size, NULL);
    sam_flow_end(capture, &flow, 0);
    sam_flow_data(capture, &flow, 1, answer, size, NULL);
    sam_flow_data(capture, &flow, 1, data, size, NULL);
    sam_flow_end(capture, &flow, 1);
    ck_status(sam_capture_close(capture), SAM_OK);
    clock_gettime(CLOCK_REALTIME, &after);
    parse_capture(&trace, path);
    struct heard heard[2] = {0};
    ck_assert_uint_eq(listen_to(&trace, &routes[route], heard), 3 + 3 * pieces + 2);
    ck_assert_uint_eq(trace.count, 3 + 3 * pieces + 2);
    for (int end = 0; end < 2; end++) {
        ck_assert(heard[end].ended);
        ck_assert_uint_eq(heard[end].said.length, size * (end == 0 ? 1 : 2));
        ck_assert_uint_eq(heard[end].next, flow.next[end]);
    }
    if (size > 0) {
        ck_assert_mem_eq(heard[0].said.data, data, size);
        ck_assert_mem_eq(heard[1].said.data, answer, size);
        ck_assert_mem_eq(heard[1].said.data + size, data, size);
    }
    for (size_t i = 0; i < trace.count; i++) {
        ck_assert_uint_ge(trace.packets[i].time,
                          (uint64_t)before.tv_sec * 1000000 + (uint64_t)before.tv_nsec / 1000);
        ck_assert_uint_le(trace.packets[i].time,
                          (uint64_t)after.tv_sec * 1000000 + (uint64_t)after.tv_nsec / 1000);
    }
    free_heard(heard);
    free(data);
    free(answer);
}
END_TEST

/* Lengths of a comment; the last is one byte over what an option holds, which falls into a
 * character of two bytes. */
static const struct {
    size_t length, kept;
} comments[] = {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {65535, 65535}, {65536, 65534}};

START_TEST(a_comment_is_attached_to_the_first_packet_of_its_data) {
    size_t length = comments[_i].length;
    char *comment = malloc(length + 1);
    ck_assert_ptr_nonnull(comment);
    memset(comment, 'c', length);
    if (length > 65535)
        memcpy(comment + 65534, "\xc3\xa4", 2);
    comment[length] = '\0';
    /* Data of all lengths mod 4, so that packets end anywhere; the first takes two packets. */
    for (size_t more = 1; more <= 4; more++) {
        struct sam_flow flow;
        uint8_t *data = noise(32768 + more, 3);
        struct sam_capture *capture = open_capture();
        begin(capture, &flow, 0);
        sam_flow_data(capture, &flow, 1, data, 32768 + more, comment);
        sam_flow_data(capture, &flow, 1, data, more, comment);
        sam_flow_data(capture, &flow, 1, data, more, NULL);
        ck_status(sam_capture_close(capture), SAM_OK);
        free(data);
        parse_capture(&trace, path);
        ck_assert_uint_eq(trace.count, 7);
        for (size_t i = 0; i < trace.count; i++) {
            const struct packet *packet = &trace.packets[i];
            ck_assert_int_eq(packet->comment != NULL, i == 3 || i == 5);
            if (packet->comment == NULL)
                continue;
            ck_assert_uint_eq(packet->comment_length, comments[_i].kept);
            if (packet->comment_length > 0)
                ck_assert_mem_eq(packet->comment, comment, packet->comment_length);
        }
    }
    free(comment);
}
END_TEST

START_TEST(sequence_numbers_differ_from_flow_to_flow_and_wrap) {
    struct sam_flow flows[3];
    struct sam_capture *capture = open_capture();
    begin(capture, &flows[0], 0);
    begin(capture, &flows[1], 1);
    uint32_t before[4] = {flows[0].next[0], flows[0].next[1], flows[1].next[0], flows[1].next[1]};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            ck_assert_uint_ne(before[i], before[j]);
    flows[0].next[0] = UINT32_MAX - 2;
    sam_flow_data(capture, &flows[0], 0, (const uint8_t *)"over the end", 12, NULL);
    sam_flow_data(capture, &flows[0], 1, (const uint8_t *)"heard", 5, NULL);
    ck_status(sam_capture_close(capture), SAM_OK);
    parse_capture(&trace, path);
    ck_assert_uint_eq(trace.count, 8);
    ck_assert_uint_eq(trace.packets[6].seq, UINT32_MAX - 2);
    ck_assert_uint_eq(trace.packets[7].ack, 9);
    capture = open_capture(); /* and are the same in another run */
    begin(capture, &flows[2], 0);
    ck_status(sam_capture_close(capture), SAM_OK);
    ck_assert_mem_eq(flows[2].next, before, sizeof flows[2].next);
}
END_TEST

/* One end of a flow, which a thread speaks for. */
struct speaker {
    pthread_t thread;
    struct sam_capture *capture;
    struct sam_flow *flow;
    unsigned end;
    const uint8_t *data;
};
enum { ROUNDS = 200, SPOKEN = ROUNDS * (ROUNDS - 1) / 2 };

static void *speak(void *closure) {
    struct speaker *speaker = closure;
    const uint8_t *at = speaker->data;
    for (size_t i = 0; i < ROUNDS; at += i++)
        sam_flow_data(speaker->capture, speaker->flow, speaker->end, at, i, "said");
    sam_flow_end(speaker->capture, speaker->flow, speaker->end);
    return NULL;
}

START_TEST(threads_that_write_at_once_are_heard_one_packet_after_the_other) {
    struct sam_capture *capture = open_capture();
    struct sam_flow flows[ROUTES];
    struct speaker speakers[2 * ROUTES];
    uint8_t *data = noise(SPOKEN, 4);
    for (int i = 0; i < ROUTES; i++)
        begin(capture, &flows[i], i);
    for (unsigned i = 0; i < 2 * ROUTES; i++) {
        speakers[i] =
            (struct speaker){.capture = capture, .flow = &flows[i / 2], .end = i % 2, .data = data};
        ck_assert_int_eq(pthread_create(&speakers[i].thread, NULL, speak, &speakers[i]), 0);
    }
    for (unsigned i = 0; i < 2 * ROUTES; i++)
        ck_assert_int_eq(pthread_join(speakers[i].thread, NULL), 0);
    ck_status(sam_capture_close(capture), SAM_OK);
    parse_capture(&trace, path);
    ck_assert_uint_eq(trace.count, ROUTES * (3 + 2 * ROUNDS));
    for (int i = 0; i < ROUTES; i++) {
        struct heard heard[2] = {0};
        ck_assert_uint_eq(listen_to(&trace, &routes[i], heard), 3 + 2 * ROUNDS);
        for (int end = 0; end < 2; end++) {
            ck_assert_uint_eq(heard[end].said.length, SPOKEN);
            ck_assert_mem_eq(heard[end].said.data, data, SPOKEN);
        }
        free_heard(heard);
    }
    free(data);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

TCase *capture_case(void) {
    TCase *tcase = tcase_create("capture");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, without_a_capture_nothing_is_done);
    tcase_add_loop_test(tcase, what_is_no_regular_file_is_refused_with_errno, 0, COUNT(bad_paths));
    tcase_add_loop_test(tcase, a_full_disk_leaves_whole_packets_and_is_told, 0, COUNT(limits));
    tcase_add_test(tcase, a_capture_is_private_is_not_inherited_and_empties_what_was_there);
    tcase_add_loop_test(tcase, every_byte_can_be_heard_in_both_directions, 0, SIZES * ROUTES);
    tcase_add_loop_test(tcase, a_comment_is_attached_to_the_first_packet_of_its_data, 0,
                        COUNT(comments));
    tcase_add_test(tcase, sequence_numbers_differ_from_flow_to_flow_and_wrap);
    tcase_add_test(tcase, threads_that_write_at_once_are_heard_one_packet_after_the_other);
    return tcase;
}
