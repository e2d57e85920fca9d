/* Floor 4 alone: sockets with deadlines, and the ceiling on memory. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "process.h"

#define MS ((int64_t)1000)
#define PACE (20 * MS) /* of a trickle */

/* Connects to a server of our own at host and sends a word through. False when this machine does
 * not have that address. */
static bool word_passes(const char *at, const char *host, const char *prefix) {
    int listener, ends[2];
    uint16_t port = 0;
    char peer[SAM_ADDRESS_MAX], text[SAM_ADDRESS_MAX];
    uint8_t word[5];
    struct sam_where where;
    if (sam_listen(&listener, at, &port, &where) != SAM_OK) {
        ck_assert_int_eq(listener, -1);
        return false;
    }
    ck_assert_uint_ne(port, 0);
    snprintf(text, sizeof text, "%s:%u", prefix, (unsigned)port);
    ck_assert_str_eq(where.text, text);
    ck_status(sam_connect(&ends[0], host, port, -1, sam_now() + PATIENT, &where), SAM_OK);
    ck_assert(readable_until(listener, sam_now() + PATIENT));
    ck_status(sam_accept(&ends[1], listener, peer), SAM_OK);
    ck_assert_ptr_nonnull(strrchr(peer, ':'));
    write_raw(ends[0], "hello", 5);
    ck_status(sam_read_all(ends[1], -1, sam_now() + PATIENT, word, 5), SAM_OK);
    ck_assert_mem_eq(word, "hello", 5);
    close(ends[0]);
    ck_status(sam_read_all(ends[1], -1, sam_now() + PATIENT, word, 5), SAM_CLOSED);
    close(ends[1]);
    close(listener);
    return true;
}

START_TEST(ipv4_works) {
    ck_assert(word_passes("127.0.0.1", "127.0.0.1", "127.0.0.1"));
    ck_assert(word_passes("127.0.0.1", "localhost", "127.0.0.1"));
}
END_TEST

START_TEST(ipv6_works) {
    if (!word_passes("::1", "::1", "[::1]"))
        fprintf(stderr, "skipped: this machine has no ::1\n");
    else
        ck_assert_msg(word_passes("::", "127.0.0.1", "[::]"), "IPv4 does not reach ::");
}
END_TEST

START_TEST(a_port_in_use_is_told) {
    int first, second;
    uint16_t port = 0;
    struct sam_where where;
    ck_status(sam_listen(&first, "127.0.0.1", &port, &where), SAM_OK);
    ck_status(sam_listen(&second, "127.0.0.1", &port, &where), SAM_LISTEN);
    ck_assert_int_eq(errno, EADDRINUSE);
    ck_assert_int_eq(second, -1);
    close(first);
    ck_status(sam_listen(&second, "127.0.0.1", &port, &where), SAM_OK);
    close(second);
}
END_TEST

START_TEST(a_port_without_a_server_is_told) {
    /* Bound but not listening: nobody else can take the port meanwhile. */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof at;
    int bound = socket(AF_INET, SOCK_STREAM, 0), fd;
    ck_assert_int_eq(bind(bound, (struct sockaddr *)&at, length), 0);
    ck_assert_int_eq(getsockname(bound, (struct sockaddr *)&at, &length), 0);
    struct sam_where where;
    uint16_t port = ntohs(at.sin_port);
    ck_status(sam_connect(&fd, "127.0.0.1", port, -1, sam_now() + PATIENT, &where), SAM_CONNECT);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(fd, -1);
    char text[SAM_ADDRESS_MAX];
    snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)port);
    ck_assert_str_eq(where.text, text);
    close(bound);
}
END_TEST

START_TEST(what_is_no_address_is_told) {
    char label[100] = {0};
    memset(label, 'a', sizeof label - 1); /* too long for any name, so nobody is asked for it */
    const char *const hosts[] = {label, "127.0.0.1:80", "1::2::3"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        int fd = 0;
        uint16_t port = 0;
        struct sam_where where;
        ck_status(sam_listen(&fd, hosts[i], &port, &where), SAM_ADDRESS);
        ck_assert_int_eq(fd, -1);
        ck_status(sam_connect(&fd, hosts[i], 80, -1, sam_now() + PATIENT, &where), SAM_ADDRESS);
        ck_assert_int_eq(fd, -1);
        ck_assert_ptr_nonnull(strstr(where.text, hosts[i]));
    }
}
END_TEST

enum way { TAKES, SENDS, FLOODS };

/* A thread that takes or sends a few bytes at a time, or sends as much as it can, until it is told
 * to stop. */
struct trickle {
    pthread_t thread;
    int fd;
    int stop[2];
    enum way way;
};

static void *run_trickle(void *argument) {
    struct trickle *trickle = argument;
    uint8_t bytes[4096] = {0};
    while (!readable_until(trickle->stop[0], trickle->way == FLOODS ? 0 : sam_now() + PACE)) {
        size_t length = trickle->way == FLOODS ? sizeof bytes : 1;
        ssize_t n = trickle->way == TAKES ? recv(trickle->fd, bytes, 16, 0)
                                          : send(trickle->fd, bytes, length, 0);
        (void)n;
    }
    return NULL;
}

static void trickle_start(struct trickle *trickle, int fd, enum way way) {
    *trickle = (struct trickle){.fd = fd, .way = way};
    ck_assert_int_eq(pipe(trickle->stop), 0);
    ck_assert_int_eq(pthread_create(&trickle->thread, NULL, run_trickle, trickle), 0);
}

static void trickle_stop(struct trickle *trickle) {
    close(trickle->stop[1]);
    ck_assert_int_eq(pthread_join(trickle->thread, NULL), 0);
    close(trickle->stop[0]);
}

START_TEST(a_deadline_is_for_the_whole) {
    /* At a trickle's pace, the one takes two seconds and the other for ever. */
    enum { TO_READ = 100, TO_WRITE = 16 * 1024 * 1024 };
    static const int64_t wait = 300 * MS;
    uint8_t *much = calloc(1, TO_WRITE);
    ck_assert_ptr_nonnull(much);
    for (int sends = 0; sends < 2; sends++) {
        int ends[2];
        struct trickle trickle;
        tcp_pair(ends);
        trickle_start(&trickle, ends[0], sends ? SENDS : TAKES);
        int64_t started = sam_now();
        enum sam_status status = sends ? sam_read_all(ends[1], -1, started + wait, much, TO_READ)
                                       : sam_write_all(ends[1], -1, started + wait, much, TO_WRITE);
        int64_t took = sam_now() - started;
        trickle_stop(&trickle);
        close(ends[0]);
        close(ends[1]);
        ck_status(status, SAM_TIMEOUT);
        ck_assert_int_ge(took, wait);
        ck_assert_int_lt(took, 2 * wait + SANITIZED * PATIENT);
    }
    free(much);
}
END_TEST

START_TEST(what_has_arrived_is_read_before_a_stop) {
    int ends[2], stop[2];
    uint8_t bytes[6];
    socket_pair(ends);
    ck_assert_int_eq(pipe(stop), 0);
    ck_assert(!sam_is_ready(stop[0]));
    close(stop[1]);
    ck_assert(sam_is_ready(stop[0]));
    ck_assert(!sam_is_ready(-1));
    write_raw(ends[0], "here", 4);
    ck_status(sam_read_all(ends[1], stop[0], sam_now() + PATIENT, bytes, 4), SAM_OK);
    ck_status(sam_read_all(ends[1], stop[0], sam_now() + PATIENT, bytes, 1), SAM_STOPPED);
    write_raw(ends[0], "part", 4);
    ck_status(sam_read_all(ends[1], stop[0], sam_now() + PATIENT, bytes, 5), SAM_STOPPED);
    write_raw(ends[0], "part", 4);
    close(ends[0]);
    ck_status(sam_read_all(ends[1], -1, sam_now() + PATIENT, bytes, 5), SAM_TRUNCATED);
    ck_status(sam_write_all(ends[1], -1, sam_now() + PATIENT, bytes, 5), SAM_CLOSED);
    close(ends[1]);
    close(stop[0]);
}
END_TEST

/* Reads at most 4 bytes. */
static void takes(int fd, int stop, enum sam_status status, const char *expected) {
    uint8_t bytes[4];
    size_t length = 99;
    ck_status(sam_read_some(fd, stop, sam_now() + 50 * MS, bytes, 4, &length), status);
    ck_assert(length == strlen(expected) && memcmp(bytes, expected, length) == 0);
}

START_TEST(some_is_what_is_there_and_nothing_else_is_taken) {
    int ends[2];
    socket_pair(ends);
    write_raw(ends[0], "hello", 5);
    takes(ends[1], ends[1], SAM_OK, "hell");
    takes(ends[1], -1, SAM_OK, "o");
    close(ends[0]);
    takes(ends[1], ends[1], SAM_CLOSED, "");
    close(ends[1]);
}
END_TEST

/* A close with unread bytes would be a reset, which destroys what was sent last. */
START_TEST(last_words_arrive_though_much_is_unread) {
    int ends[2];
    uint8_t much[20000] = {0};
    tcp_pair(ends);
    write_raw(ends[0], much, sizeof much);
    write_raw(ends[1], "rejected", 8);
    sam_linger(ends[1], sam_now() + 200 * MS);
    close(ends[1]);
    struct sam_bytes got = read_to_end(ends[0]);
    ck_assert_uint_eq(got.length, 8);
    ck_assert_mem_eq(got.data, "rejected", 8);
    sam_bytes_free(&got);
    close(ends[0]);
}
END_TEST

START_TEST(lingering_ends_though_the_peer_writes_on) {
    for (enum way way = SENDS; way <= FLOODS; way++) {
        int ends[2];
        struct trickle trickle;
        tcp_pair(ends);
        trickle_start(&trickle, ends[0], way);
        int64_t started = sam_now();
        sam_linger(ends[1], started + 300 * MS);
        int64_t took = sam_now() - started;
        trickle_stop(&trickle);
        close(ends[0]);
        close(ends[1]);
        ck_assert_int_lt(took, 600 * MS + SANITIZED * PATIENT);
    }
}
END_TEST

TCase *net_case(void) {
    TCase *net = tcase_create("net");
    tcase_set_timeout(net, TEST_SECONDS);
    tcase_add_test(net, ipv4_works);
    tcase_add_test(net, ipv6_works);
    tcase_add_test(net, a_port_in_use_is_told);
    tcase_add_test(net, a_port_without_a_server_is_told);
    tcase_add_test(net, what_is_no_address_is_told);
    tcase_add_test(net, a_deadline_is_for_the_whole);
    tcase_add_test(net, what_has_arrived_is_read_before_a_stop);
    tcase_add_test(net, some_is_what_is_there_and_nothing_else_is_taken);
    tcase_add_test(net, last_words_arrive_though_much_is_unread);
    tcase_add_test(net, lingering_ends_though_the_peer_writes_on);
    return net;
}

/* memory */

enum { TOTAL = 1000, THREADS = 8, ROUNDS = 2000 };

static struct {
    struct sam_memory memory;
    pthread_mutex_t lock;
    size_t taken, most;
    bool given, failed;
} shared;

static void memory_start(void) {
    memset(&shared, 0, sizeof shared);
    ck_status(sam_memory_init(&shared.memory, TOTAL), SAM_OK);
    ck_assert_int_eq(pthread_mutex_init(&shared.lock, NULL), 0);
}

static void memory_end(void) {
    sam_memory_destroy(&shared.memory);
    pthread_mutex_destroy(&shared.lock);
}

/* Counts what is held by us, from after the taking until before the giving. */
static void count(size_t size, bool took) {
    pthread_mutex_lock(&shared.lock);
    shared.taken = took ? shared.taken + size : shared.taken - size;
    shared.most = shared.taken > shared.most ? shared.taken : shared.most;
    pthread_mutex_unlock(&shared.lock);
}

static void *take_and_give(void *argument) {
    size_t state = *(const size_t *)argument;
    for (int i = 0; i < ROUNDS; i++) {
        state = (state * 75 + 74) % 65537;
        size_t size = 1 + state % TOTAL;
        if (sam_memory_take(&shared.memory, size, sam_now() + PATIENT) != SAM_OK) {
            pthread_mutex_lock(&shared.lock);
            shared.failed = true;
            pthread_mutex_unlock(&shared.lock);
            return NULL;
        }
        count(size, true);
        count(size, false);
        sam_memory_give(&shared.memory, size);
    }
    return NULL;
}

START_TEST(shares_never_exceed_the_total) {
    pthread_t threads[THREADS];
    size_t seeds[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        seeds[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, &seeds[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert(!shared.failed);
    ck_assert_uint_le(shared.most, TOTAL);
    ck_assert_uint_eq(shared.memory.left, TOTAL);
}
END_TEST

/* Takes everything, and says whether another had given it back by then. */
static void *take_all(void *argument) {
    enum sam_status *status = argument;
    *status = sam_memory_take(&shared.memory, TOTAL, sam_now() + PATIENT);
    pthread_mutex_lock(&shared.lock);
    shared.failed = *status == SAM_OK && !shared.given;
    pthread_mutex_unlock(&shared.lock);
    return NULL;
}

/* Gives another thread the time to run into its waiting. It may not need it: then the test proves
 * less, but does not fail. */
static void let_others_run(void) {
    for (int64_t until = sam_now() + 50 * MS; nap_until(until);)
        continue;
}

START_TEST(a_share_waits_until_another_is_given_back) {
    pthread_t thread;
    enum sam_status status = SAM_STATUS_COUNT;
    ck_status(sam_memory_take(&shared.memory, 1, 0), SAM_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, take_all, &status), 0);
    let_others_run();
    pthread_mutex_lock(&shared.lock);
    shared.given = true;
    pthread_mutex_unlock(&shared.lock);
    sam_memory_give(&shared.memory, 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_status(status, SAM_OK);
    ck_assert_msg(!shared.failed, "a share was handed out twice");
    ck_assert_uint_eq(shared.memory.left, 0);
}
END_TEST

START_TEST(a_share_times_out) {
    ck_status(sam_memory_take(&shared.memory, TOTAL, 0), SAM_OK);
    ck_status(sam_memory_take(&shared.memory, 1, 0), SAM_TIMEOUT);
    int64_t started = sam_now();
    ck_status(sam_memory_take(&shared.memory, 1, started + 100 * MS), SAM_TIMEOUT);
    int64_t took = sam_now() - started;
    ck_assert_int_ge(took, 100 * MS);
    ck_assert_int_lt(took, 1000 * MS + SANITIZED * PATIENT);
    ck_assert_uint_eq(shared.memory.left, 0);
    sam_memory_give(&shared.memory, TOTAL);
    ck_status(sam_memory_take(&shared.memory, TOTAL, sam_now() + PATIENT), SAM_OK);
}
END_TEST

START_TEST(a_stop_ends_all_waiting) {
    pthread_t threads[THREADS];
    enum sam_status status[THREADS];
    ck_status(sam_memory_take(&shared.memory, 1, 0), SAM_OK);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_all, &status[i]), 0);
    let_others_run();
    int64_t started = sam_now();
    sam_memory_stop(&shared.memory);
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_status(status[i], SAM_STOPPED);
    }
    ck_assert_int_lt(sam_now() - started, PATIENT / 2);
    ck_status(sam_memory_take(&shared.memory, TOTAL, sam_now() + PATIENT), SAM_STOPPED);
}
END_TEST

TCase *memory_case(void) {
    TCase *memory = tcase_create("memory");
    tcase_set_timeout(memory, TEST_SECONDS);
    tcase_add_checked_fixture(memory, memory_start, memory_end);
    tcase_add_test(memory, shares_never_exceed_the_total);
    tcase_add_test(memory, a_share_waits_until_another_is_given_back);
    tcase_add_test(memory, a_share_times_out);
    tcase_add_test(memory, a_stop_ends_all_waiting);
    return memory;
}
