/* Peers that are slow, silent, greedy or talk nonsense: each is cut or rejected in its time, and
 * honest clients do not notice. Many of them at once are in check_crowd.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hostile.h"
#include "suites.h"

#define MS ((int64_t)1000)

/* Whether the server has ended this connection; what came until then is dropped. */
static bool is_cut(int fd) {
    uint8_t dropped[256];
    ssize_t n = recv(fd, dropped, sizeof dropped, 0);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

/* The kinds of slow peers, by turns: silent from the start, silent within a header, silent within a
 * body, one byte at a time from the start, and after a request that was answered. */
enum slowness { SILENT, IN_HEADER, IN_BODY, DRIPPING, SERVED, SLOWNESSES };

struct slow {
    struct peer peer;
    struct sam_envelope envelope;
    size_t sent;
    int64_t since, cut; /* when its time began, when it was cut (0: not yet) */
};

static void slow_start(struct slow *slow, enum slowness how, const struct server_process *server) {
    *slow = (struct slow){.since = sam_now()};
    bob_joins(&slow->peer, server);
    if (how == SERVED) {
        slow->since = sam_now();
        peer_request(&slow->peer, SAM_KIND_SEND, "first", 5);
        peer_expect(&slow->peer, SAM_KIND_REPLY, "", 0);
    }
    slow->envelope = peer_seal(&slow->peer, SAM_KIND_SEND, "slow", 4);
    if (how == IN_HEADER || how == IN_BODY)
        slow->sent = how == IN_HEADER ? 100 : 300;
    write_raw(slow->peer.connection.fd, slow->envelope.bytes.data, slow->sent);
}

static void slow_end(struct slow *slow) {
    peer_close(&slow->peer);
    sam_envelope_free(&slow->envelope);
}

START_TEST(a_slow_peer_is_cut_at_its_deadline) {
    enum { PEERS = 2 * SLOWNESSES };
    static struct slow slow[PEERS];
    struct server_process server;
    start_server(&server, modes[_i], lab, SMALL_SERVER, "--timeout", "1", NULL);
    for (int i = 0; i < PEERS; i++)
        slow_start(&slow[i], (enum slowness)(i % SLOWNESSES), &server);
    int64_t drip = 0;
    for (int left = PEERS; left > 0;) {
        bool drips = sam_now() >= drip;
        drip = drips ? sam_now() + 100 * MS : drip;
        for (int i = 0; i < PEERS; i++) {
            int fd = slow[i].peer.connection.fd;
            if (slow[i].cut == 0 && is_cut(fd)) {
                slow[i].cut = sam_now();
                left--;
            } else if (slow[i].cut == 0 && drips && i % SLOWNESSES >= DRIPPING) {
                ssize_t n = send(fd, slow[i].envelope.bytes.data + slow[i].sent, 1, 0);
                slow[i].sent += n == 1;
            }
        }
        ck_assert_msg(nap_until(slow[0].since + PATIENT), "%d peers are not cut", left);
    }
    honest_client(&server);
    for (int i = 0; i < PEERS; i++) {
        int64_t took = slow[i].cut - slow[i].since;
        /* The server's clock for a peer starts a little before this one's. */
        ck_assert_msg(took >= SAM_SECOND * 9 / 10 && took <= AT_ONCE,
                      "peer %d was cut after %lld us", i, (long long)took);
        slow_end(&slow[i]);
    }
    stop_server_well(&server);
}
END_TEST

/* Closes a connection by a reset, as a machine that crashed would. */
static void vanish(struct peer *peer) {
    struct linger now = {.l_onoff = 1};
    setsockopt(peer->connection.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer_close(peer);
}

START_TEST(peers_that_vanish_leave_nothing_behind) {
    struct server_process server;
    struct peer bob;
    start_server(&server, modes[_i], lab, SMALL_SERVER, NULL);
    size_t before = open_descriptors(&server);
    bob_joins(&bob, &server);
    struct sam_envelope envelope = peer_seal(&bob, SAM_KIND_SEND, "gone", 4);
    vanish(&bob);
    for (size_t length = 0; length < envelope.bytes.length; length += 61) {
        for (int how = 0; how < 3; how++) {
            bob_joins(&bob, &server);
            memcpy(envelope.bytes.data + 48, bob.connection.greeting.challenge, SAM_ID_SIZE);
            write_raw(bob.connection.fd, envelope.bytes.data, length);
            if (how == 0 && length > 0) {
                shutdown(bob.connection.fd, SHUT_WR);
                expect_rejection(bob.connection.fd, modes[_i]);
            }
            if (how == 1)
                vanish(&bob);
            else
                peer_close(&bob);
        }
    }
    /* One that is gone before the server takes it. */
    for (int i = 0; i < 20; i++) {
        int fd;
        ck_status(sam_connect(&fd, "127.0.0.1", server.port, -1, sam_now() + PATIENT, NULL),
                  SAM_OK);
        close(fd);
    }
    sam_envelope_free(&envelope);
    honest_client(&server);
    wait_for_descriptors(&server, before);
    stop_server_well(&server);
}
END_TEST

/* Whether the peer is gone before its answer leaves is a race that the peer wins most of the time.
 */
START_TEST(a_receipt_that_cannot_leave_is_told_in_the_log) {
    enum { TRIES = 40 };
    struct server_process server;
    start_server(&server, modes[_i], lab, SMALL_SERVER, NULL);
    for (int i = 0; i < TRIES; i++) {
        struct peer bob;
        bob_joins(&bob, &server);
        peer_request(&bob, SAM_KIND_SEND, "gone", 4);
        vanish(&bob);
    }
    wait_for_log(&server, "send from", TRIES / 2);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_uint_gt(count_text(&said.err, "not answered"), 0);
    run_result_free(&said);
}
END_TEST

START_TEST(peers_that_never_read_cost_others_nothing) {
    enum { PEERS = 2 };
    struct server_process server;
    struct peer deaf[PEERS];
    start_server(&server, modes[_i], lab, SMALL_SERVER, "--quiet", "--timeout", "1", "--message",
                 long_answer(modes[_i]), NULL);
    size_t before = open_descriptors(&server);
    for (int i = 0; i < PEERS; i++) {
        bob_joins(&deaf[i], &server);
        peer_asks_without_reading(&deaf[i]);
        honest_client(&server);
    }
    wait_for_log(&server, sam_status_sentence(SAM_TIMEOUT), PEERS);
    wait_for_descriptors(&server, before);
    honest_client(&server);
    for (int i = 0; i < PEERS; i++)
        peer_close(&deaf[i]);
    stop_server_well(&server);
}
END_TEST

START_TEST(a_claimed_length_is_not_believed) {
    enum { PEERS = 100 };
    struct server_process server;
    struct peer bob;
    start_server(&server, modes[_i], lab, SMALL_SERVER, NULL);
    size_t before = open_descriptors(&server);
    for (uint32_t i = 0; i < PEERS; i++) {
        bob_joins(&bob, &server);
        struct sam_envelope envelope = peer_seal(&bob, SAM_KIND_SEND, "long", 4);
        uint32_t longest = longest_body(modes[_i], &envelope.header, modes[_i]->max_message);
        sam_put32(envelope.bytes.data + 12, i % 2 ? UINT32_MAX - i : longest + 1 + i / 2);
        write_raw(bob.connection.fd, envelope.bytes.data, SAM_HEADER_SIZE);
        expect_rejection(bob.connection.fd, modes[_i]); /* though it could wait for a body */
        sam_envelope_free(&envelope);
        peer_close(&bob);
    }
    honest_client(&server);
    wait_for_descriptors(&server, before);
    stop_server_well(&server);
}
END_TEST

/* Always the same numbers, so that what fails once fails again. */
static uint32_t random_below(uint32_t limit) {
    static uint64_t state = 20240229;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

enum { GARBAGE = 4096 };

/* Random bytes, random bytes behind a good prologue, or a good envelope with a few bytes altered;
 * returns how many. */
static size_t make_garbage(uint8_t bytes[GARBAGE], uint32_t kind, struct peer *peer) {
    size_t length = 1 + random_below(GARBAGE);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)random_below(256);
    struct sam_envelope envelope = peer_seal(peer, SAM_KIND_SEND, "good", 4);
    if (kind == 1)
        memcpy(bytes, envelope.bytes.data, length < 8 ? length : 8);
    if (kind == 2) {
        length = envelope.bytes.length;
        memcpy(bytes, envelope.bytes.data, length);
        for (uint32_t i = random_below(4) + 1; i > 0; i--)
            bytes[random_below((uint32_t)length)] ^= (uint8_t)(1 << i);
    }
    sam_envelope_free(&envelope);
    return length;
}

START_TEST(garbage_is_rejected) {
    enum { PEERS = 300 };
    struct server_process server;
    struct peer bob;
    uint8_t bytes[GARBAGE];
    start_server(&server, modes[_i], lab, SMALL_SERVER, NULL);
    size_t before = open_descriptors(&server);
    for (uint32_t i = 0; i < PEERS; i++) {
        bob_joins(&bob, &server);
        size_t length = make_garbage(bytes, i % 3, &bob);
        write_raw(bob.connection.fd, bytes, length);
        /* What is long enough to be told from an envelope needs no end to be rejected. */
        if (length < SAM_HEADER_SIZE || i % 3 != 0)
            shutdown(bob.connection.fd, SHUT_WR);
        expect_rejection(bob.connection.fd, modes[_i]);
        peer_close(&bob);
    }
    honest_client(&server);
    wait_for_descriptors(&server, before);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_str_eq((const char *)said.out.data, "I am honest\n");
    run_result_free(&said);
}
END_TEST

Suite *hostile_suite(void) {
    Suite *suite = suite_create("hostile");
    TCase *peers = tcase_create("peers");
    tcase_set_timeout(peers, TEST_SECONDS);
    tcase_add_unchecked_fixture(peers, make_lab, remove_lab);
    tcase_add_loop_test(peers, a_slow_peer_is_cut_at_its_deadline, 0, 2);
    tcase_add_loop_test(peers, peers_that_vanish_leave_nothing_behind, 0, 2);
    tcase_add_loop_test(peers, a_receipt_that_cannot_leave_is_told_in_the_log, 0, 2);
    tcase_add_loop_test(peers, peers_that_never_read_cost_others_nothing, 0, 2);
    tcase_add_loop_test(peers, a_claimed_length_is_not_believed, 0, 2);
    tcase_add_loop_test(peers, garbage_is_rejected, 0, 2);
    suite_add_tcase(suite, peers);
    suite_add_tcase(suite, crowd_case());
    return suite;
}
