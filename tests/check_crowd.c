/* Many peers at once: hundreds of slow ones, and a few with more memory in mind than there is. An
 * honest client is answered at once all the same, and the server stays small. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hostile.h"

enum { MEBI = 1024 * 1024, PEAK_KIB = 100 * 1024 };

static void assert_small(const struct server_process *server) {
    if (!SANITIZED)
        ck_assert_msg(peak_memory(server) < PEAK_KIB, "the server had %zu KiB",
                      peak_memory(server));
}

/* Sends the header of an envelope that claims the longest body, and no byte of that. */
static void claim_longest(struct peer *peer, uint32_t max_message) {
    struct sam_envelope envelope = peer_seal(peer, SAM_KIND_SEND, "long", 4);
    sam_put32(envelope.bytes.data + 12,
              longest_body(peer->party.mode, &envelope.header, max_message));
    write_raw(peer->connection.fd, envelope.bytes.data, SAM_HEADER_SIZE);
    sam_envelope_free(&envelope);
}

enum { SLOW = 500, CLIENTS = 200 };
static struct peer slow[SLOW], clients[CLIENTS];
static struct sam_envelope requests[CLIENTS];

/* One more byte from every slow peer. */
static void drip(void) {
    for (size_t i = 0; i < SLOW; i++)
        write_raw(slow[i].connection.fd, "x", 1);
}

START_TEST(an_honest_client_does_not_notice_a_crowd) {
    /* Small enough that none of the slow has to wait for a share of the common memory. */
    enum { LIMIT = 16 * 1024 };
    struct server_process server;
    allow_descriptors(SLOW + CLIENTS + 100);
    start_server(&server, modes[_i], lab, SMALL_SERVER, "--quiet", "--timeout", "120", NULL);
    size_t before = open_descriptors(&server);
    for (size_t i = 0; i < SLOW; i++) {
        bob_joins(&slow[i], &server);
        claim_longest(&slow[i], LIMIT);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        bob_joins(&clients[i], &server);
        requests[i] = peer_seal(&clients[i], SAM_KIND_SEND, "hello", 5);
    }
    int64_t alone = honest_client(&server), started = sam_now();
    for (size_t i = 0; i < CLIENTS; i++) {
        if (i % 20 == 0)
            drip();
        /* All of them were sealed before, so that the server gets them faster than it can answer.
         */
        ck_status(sam_connection_send(&clients[i].connection, &requests[i]), SAM_OK);
        sam_envelope_free(&requests[i]);
    }
    int64_t busy = honest_client(&server);
    for (size_t i = 0; i < CLIENTS; i++)
        peer_expect(&clients[i], SAM_KIND_REPLY, "", 0);
    int64_t all = sam_now() - started;
    drip();
    fprintf(stderr,
            "hostile: %s, %d slow and %d honest connections: one client takes %lld ms, under load "
            "%lld ms, all %d answered in %lld ms, peak %zu KiB\n",
            modes[_i]->name, SLOW, CLIENTS, (long long)alone / 1000, (long long)busy / 1000,
            CLIENTS, (long long)all / 1000, peak_memory(&server));
    assert_small(&server);
    for (size_t i = 0; i < SLOW; i++)
        peer_close(&slow[i]);
    for (size_t i = 0; i < CLIENTS; i++)
        peer_close(&clients[i]);
    wait_for_descriptors(&server, before);
    stop_server_well(&server);
}
END_TEST

enum { BIG = 6, PUSHED = 12 * MEBI };

/* Lets every peer write as much as the server takes, up to PUSHED bytes, until none gets on. */
static void push(struct peer *peers, size_t *pushed) {
    enum { CHUNK = 64 * 1024 };
    static const uint8_t bytes[CHUNK];
    for (int64_t until = sam_now() + SAM_SECOND / 2; nap_until(until);)
        for (size_t i = 0; i < BIG; i++) {
            size_t left = PUSHED - pushed[i];
            ssize_t n =
                left == 0 ? 0 : send(peers[i].connection.fd, bytes, left < CHUNK ? left : CHUNK, 0);
            if (n > 0) {
                pushed[i] += (size_t)n;
                until = sam_now() + SAM_SECOND / 2;
            }
        }
}

/* Each of these may be sent, but together they are more than the server's common memory. */
START_TEST(big_envelopes_wait_for_each_other_and_small_ones_pass) {
    enum { LIMIT = 16 * MEBI, CEILING = 64 * MEBI };
    struct server_process server;
    struct peer big[BIG], after;
    size_t pushed[BIG] = {0}, admitted = 0;
    start_server(&server, modes[_i], lab, SMALL_SERVER, "--quiet", "--max-message", "16777216",
                 NULL);
    size_t before = open_descriptors(&server), small = peak_memory(&server);
    for (size_t i = 0; i < BIG; i++) {
        bob_joins(&big[i], &server);
        claim_longest(&big[i], LIMIT);
    }
    push(big, pushed);
    for (size_t i = 0; i < BIG; i++)
        admitted += pushed[i] == PUSHED;
    ck_assert_uint_ge(admitted, 1);
    ck_assert_uint_le(admitted, CEILING / LIMIT);
    honest_client(&server);
    size_t peak = peak_memory(&server);
    if (!SANITIZED)
        ck_assert_msg(peak - small < 2 * (CEILING / 1024), "%zu KiB grew to %zu", small, peak);
    assert_small(&server);
    for (size_t i = 0; i < BIG; i++)
        peer_close(&big[i]);
    /* The shares are given back: a message over SAM_OWN_MEMORY passes. */
    uint8_t *message = calloc(1, 2 * SAM_OWN_MEMORY);
    bob_joins(&after, &server);
    peer_request(&after, SAM_KIND_SEND, message, 2 * SAM_OWN_MEMORY);
    peer_expect(&after, SAM_KIND_REPLY, "", 0);
    peer_close(&after);
    free(message);
    wait_for_descriptors(&server, before);
    stop_server_well(&server);
}
END_TEST

TCase *crowd_case(void) {
    TCase *crowd = tcase_create("crowd");
    tcase_set_timeout(crowd, TEST_SECONDS);
    tcase_add_unchecked_fixture(crowd, make_lab, remove_lab);
    tcase_add_loop_test(crowd, an_honest_client_does_not_notice_a_crowd, 0, 2);
    tcase_add_loop_test(crowd, big_envelopes_wait_for_each_other_and_small_ones_pass, 0, 2);
    return crowd;
}
