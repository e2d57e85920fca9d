/* Tests of secure_socket, of what goes wrong: somebody between the two ends, an end that does not
 * read or does not answer, and the ways in which it can be over. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secure_pair.h"

enum deed { PASS, FLIP, DROP, REPEAT, SWAP, CUT, KEEP, SPLICE };

/* Stands between client and server and does one deed, to the first record of a kind. */
struct relay {
    enum deed deed;
    unsigned kind;
    int listener, client, server;
    uint16_t port; /* of the server */
    pthread_t threads[2];
};

enum { ROOM = 4096 };
static uint8_t kept[ROOM]; /* a record of an earlier session */
static size_t kept_length;

struct pump {
    struct relay *relay;
    int from, to;
    uint8_t unit[ROOM], held[ROOM];
    size_t length, held_length;
    bool done;
};

/* Passes a unit on as the deed wants it. False when that is the end. */
static bool pass_on(struct pump *pump) {
    int64_t deadline = sam_now() + PATIENT;
    bool chosen = pump->unit[SAM_AT_TYPE] == SAM_RECORD &&
                  pump->unit[SAM_AT_KIND] == pump->relay->kind && !pump->done;
    enum deed deed = chosen ? pump->relay->deed : PASS;
    pump->done = pump->done || chosen;
    if (deed == FLIP)
        pump->unit[pump->length - 1] ^= 1;
    if (deed == KEEP)
        memcpy(kept, pump->unit, kept_length = pump->length);
    if (deed == SPLICE)
        memcpy(pump->unit, kept, pump->length = kept_length);
    if (deed == SWAP)
        memcpy(pump->held, pump->unit, pump->held_length = pump->length);
    if (deed == DROP || deed == SWAP)
        return true;
    for (int times = deed == REPEAT ? 2 : 1; deed != CUT && times > 0; times--)
        if (sam_write_all(pump->to, -1, deadline, pump->unit, pump->length) != SAM_OK)
            return false;
    size_t held = pump->held_length;
    pump->held_length = 0;
    return deed != CUT &&
           (held == 0 || sam_write_all(pump->to, -1, deadline, pump->held, held) == SAM_OK);
}

static void run_pump(struct relay *relay, int from, int to) {
    struct pump pump = {.relay = relay, .from = from, .to = to};
    while (sam_read_all(from, -1, sam_now() + PATIENT, pump.unit, SAM_UNIT_SIZE) == SAM_OK) {
        pump.length = (size_t)sam_unit_length(pump.unit, SAM_UNIT_SIZE);
        if (pump.length > ROOM ||
            sam_read_all(from, -1, sam_now() + PATIENT, pump.unit + SAM_UNIT_SIZE,
                         pump.length - SAM_UNIT_SIZE) != SAM_OK ||
            !pass_on(&pump))
            break;
    }
    if (pump.done && relay->deed == CUT)
        shutdown(from, SHUT_RDWR);
    shutdown(to, pump.done && relay->deed == CUT ? SHUT_RDWR : SHUT_WR);
}

static void *run_back(void *argument) {
    struct relay *relay = argument;
    run_pump(relay, relay->server, relay->client);
    return NULL;
}

static void *run_relay(void *argument) {
    struct relay *relay = argument;
    char address[SAM_ADDRESS_MAX];
    relay->client = relay->server = -1;
    if (sam_wait(relay->listener, POLLIN, -1, sam_now() + PATIENT) != SAM_OK ||
        sam_accept(&relay->client, relay->listener, address) != SAM_OK ||
        sam_connect(&relay->server, "127.0.0.1", relay->port, -1, sam_now() + PATIENT, NULL) !=
            SAM_OK ||
        pthread_create(&relay->threads[1], NULL, run_back, relay) != 0)
        abort();
    run_pump(relay, relay->client, relay->server);
    pthread_join(relay->threads[1], NULL);
    return NULL;
}

static uint16_t start_relay(void *context, uint16_t port) {
    struct relay *relay = context;
    uint16_t own = 0;
    relay->port = port;
    ck_status(sam_listen(&relay->listener, "127.0.0.1", &own, NULL), SAM_OK);
    ck_assert_int_eq(pthread_create(&relay->threads[0], NULL, run_relay, relay), 0);
    return own;
}

static void end_relay(struct relay *relay) {
    pthread_join(relay->threads[0], NULL);
    close(relay->listener);
    close(relay->client);
    close(relay->server);
}

static const struct {
    enum deed deed;
    bool first_passes;
    enum sam_status status;
} deeds[] = {
    {FLIP, false, SAM_DECRYPT}, {DROP, false, SAM_ORDER},     {REPEAT, true, SAM_ORDER},
    {SWAP, false, SAM_ORDER},   {SPLICE, false, SAM_DECRYPT}, {CUT, false, SAM_CUT},
};
enum { DEEDS = sizeof deeds / sizeof deeds[0] };

/* A record of an earlier session between the two, in the same place of the same direction. */
static void keep_one(unsigned kind) {
    struct relay relay = {.deed = KEEP, .kind = kind};
    struct secure_pair pair;
    bool to_server = kind == SAM_KIND_SEND;
    pair_open_through(&pair, PATIENT, start_relay, &relay);
    ck_status(sam_secure_send(to_server ? &pair.client : &pair.server, "old", 3), SAM_OK);
    expect_message(to_server ? &pair.server : &pair.client, "old");
    pair_close(&pair, SAM_OK);
    end_relay(&relay);
    ck_assert_uint_eq(kept_length, SAM_RECORD_OVERHEAD + 3);
}

START_TEST(what_is_done_to_a_record_ends_both_and_hands_nothing_out) {
    bool to_server = _i % 2 == 0;
    unsigned kind = to_server ? SAM_KIND_SEND : SAM_KIND_PUSH;
    enum sam_status status = deeds[_i / 2].status;
    struct relay relay = {.deed = deeds[_i / 2].deed, .kind = kind};
    struct secure_pair pair;
    if (relay.deed == SPLICE)
        keep_one(kind);
    pair_open_through(&pair, PATIENT, start_relay, &relay);
    struct sam_secure_socket *from = to_server ? &pair.client : &pair.server;
    struct sam_secure_socket *to = to_server ? &pair.server : &pair.client;
    ck_status(sam_secure_send(from, "one", 3), SAM_OK);
    enum sam_status second = sam_secure_send(from, "two", 3);
    ck_assert(second == SAM_OK || (relay.deed == CUT && second == SAM_CLOSED));
    if (deeds[_i / 2].first_passes)
        expect_message(to, "one");
    expect_end(to, status);
    /* A server rejects; a client just ends. */
    enum sam_status other = to_server && relay.deed != CUT ? SAM_REJECTED : SAM_CUT;
    expect_end(from, other);
    ck_status(sam_secure_send(to, "three", 5), status);
    ck_status(sam_secure_close(to), status);
    ck_status(sam_secure_close(from), other);
    end_relay(&relay);
    ck_status(sam_secure_close(&pair.listener), SAM_OK);
}
END_TEST

static void *run_close(void *argument) {
    return (void *)(uintptr_t)sam_secure_close(argument);
}

static enum sam_status join_close(pthread_t thread) {
    void *status;
    pthread_join(thread, &status);
    return (enum sam_status)(uintptr_t)status;
}

/* The end is said, and answered by who receives it: the other program has no part in that. */
START_TEST(an_end_is_told_after_the_last_message) {
    struct secure_pair pair;
    pthread_t closing;
    pair_open(&pair, PATIENT);
    struct sam_secure_socket *ends = _i == 0 ? &pair.client : &pair.server;
    struct sam_secure_socket *other = _i == 0 ? &pair.server : &pair.client;
    ck_status(sam_secure_send(ends, "last", 4), SAM_OK);
    ck_assert_int_eq(pthread_create(&closing, NULL, run_close, ends), 0);
    expect_message(other, "last");
    expect_end(other, SAM_CLOSED);
    ck_status(join_close(closing), SAM_OK);
    ck_status(sam_secure_send(other, "late", 4), SAM_CLOSED);
    ck_status(sam_secure_close(other), SAM_OK);
    ck_status(sam_secure_close(&pair.listener), SAM_OK);
}
END_TEST

START_TEST(who_closes_hears_that_not_all_was_read) {
    struct secure_pair pair;
    pthread_t closing;
    pair_open(&pair, PATIENT);
    for (int i = 0; i < 3; i++)
        ck_status(sam_secure_send(&pair.client, "unread", 6), SAM_OK);
    ck_assert_int_eq(pthread_create(&closing, NULL, run_close, &pair.server), 0);
    expect_end(&pair.client, SAM_CLOSED);
    ck_status(sam_secure_close(&pair.client), SAM_CLOSED);
    ck_status(join_close(closing), SAM_OK);
    ck_status(sam_secure_close(&pair.listener), SAM_OK);
}
END_TEST

/* Two ends whose keys did not need the network, one of them near the end of its lane. */
static void pair_near_the_end(struct secure_pair *pair, bool client_is, bool by_bytes) {
    static const struct sam_agreement agreement = {{0}, {0}, {0}};
    struct peer peers[2]; /* client, server */
    struct sam_secure_socket *sockets[2] = {&pair->client, &pair->server};
    *pair = (struct secure_pair){.client.patience = PATIENT, .server.patience = PATIENT};
    peers_meet(&peers[0], &peers[1], &sam_mode_asymmetric_symmetric);
    for (int i = 0; i < 2; i++) {
        struct sam_connection *connection = &peers[i].connection;
        ck_status(sam_session_begin(&connection->session, peers[i].crypto, i == 0, &agreement, 9),
                  SAM_OK);
        struct sam_session *session = &connection->session;
        connection->push = 1; /* the client has joined */
        struct sam_lane *lane = (i == 0) == client_is ? &session->out : &session->in;
        if (by_bytes)
            lane->bytes = ((uint64_t)1 << 38) - 5;
        else
            lane->sequence = UINT32_MAX - 2;
        const struct sam_key *other = person(i == 0 ? "bob" : "alice");
        ck_status(sam_duplex_new(&sockets[i]->session, connection, other, 9), SAM_OK);
    }
}

START_TEST(who_may_send_no_more_still_says_that_this_is_the_end) {
    struct secure_pair pair;
    pthread_t closing;
    pair_near_the_end(&pair, _i % 2 == 0, _i / 2 == 0);
    struct sam_secure_socket *ends = _i % 2 == 0 ? &pair.client : &pair.server;
    struct sam_secure_socket *other = _i % 2 == 0 ? &pair.server : &pair.client;
    ck_status(sam_secure_send(ends, "last", 4), SAM_OK);
    for (int i = 0; i < 2; i++)
        ck_status(sam_secure_send(ends, "x", 1), SAM_LAST_SEQUENCE);
    ck_assert_int_eq(pthread_create(&closing, NULL, run_close, ends), 0);
    expect_message(other, "last");
    expect_end(other, SAM_CLOSED);
    ck_status(join_close(closing), SAM_OK);
    ck_status(sam_secure_close(other), SAM_OK);
}
END_TEST

/* Long enough to set the keys on a busy machine, short enough to wait for. */
#define SHORT ((1 + 3 * SANITIZED) * SAM_SECOND)

START_TEST(a_close_that_is_not_answered_is_waited_for_no_longer_than_that) {
    struct secure_pair pair;
    pair_open(&pair, SHORT);
    int64_t started = sam_now();
    ck_status(sam_secure_close(&pair.client), SAM_TIMEOUT);
    ck_assert_int_ge(sam_now() - started, SHORT);
    /* It had said so all the same. */
    expect_end(&pair.server, SAM_CLOSED);
    ck_status(sam_secure_close(&pair.server), SAM_OK);
    ck_status(sam_secure_close(&pair.listener), SAM_OK);
}
END_TEST

START_TEST(a_server_that_reads_nothing_is_sent_no_more_than_64) {
    struct secure_pair pair;
    pair_open(&pair, SHORT);
    for (int i = 0; i < SAM_UNANSWERED_MAX; i++)
        ck_status(sam_secure_send(&pair.client, "some", 4), SAM_OK);
    int64_t started = sam_now();
    ck_status(sam_secure_send(&pair.client, "more", 4), SAM_UNANSWERED);
    ck_assert_int_ge(sam_now() - started, SHORT);
    for (int i = 0; i < SAM_UNANSWERED_MAX; i++)
        expect_message(&pair.server, "some");
    ck_status(sam_secure_send(&pair.client, "again", 5), SAM_OK);
    expect_message(&pair.server, "again");
    pair_close(&pair, SAM_OK);
}
END_TEST

START_TEST(a_full_queue_is_told_and_nothing_of_it_is_lost) {
    enum { PUSHED = 100 };
    struct secure_pair pair;
    pair_open(&pair, SHORT);
    for (uint8_t i = 0; i < PUSHED; i++)
        ck_status(sam_secure_send(&pair.server, &i, 1), SAM_OK);
    for (int i = 0; i < SAM_UNANSWERED_MAX; i++)
        ck_status(sam_secure_send(&pair.client, "some", 4), SAM_OK);
    ck_status(sam_secure_send(&pair.client, "more", 4), SAM_UNANSWERED);
    for (uint8_t i = 0; i < PUSHED; i++) {
        uint8_t got = 0;
        size_t length;
        ck_status(sam_secure_recv(&pair.client, &got, 1, &length), SAM_OK);
        ck_assert_uint_eq(length, 1);
        ck_assert_uint_eq(got, i);
    }
    for (int i = 0; i < SAM_UNANSWERED_MAX; i++)
        expect_message(&pair.server, "some");
    ck_status(sam_secure_send(&pair.client, "again", 5), SAM_OK);
    expect_message(&pair.server, "again");
    pair_close(&pair, SAM_OK);
}
END_TEST

static void *send_200(void *argument) {
    enum sam_status status = SAM_OK;
    for (uint8_t i = 0; i < 200 && status == SAM_OK; i++)
        status = sam_secure_send(argument, &i, 1);
    return (void *)(uintptr_t)status;
}

/* With one thread for each end: who sends reads the answers, and keeps what else comes. */
START_TEST(both_may_send_before_either_receives) {
    enum { SENT = 200, PUSHED = SAM_DUPLEX_QUEUE - 1 };
    struct secure_pair pair;
    pthread_t thread;
    uint8_t got;
    size_t length;
    pair_open(&pair, PATIENT);
    ck_assert_int_eq(pthread_create(&thread, NULL, send_200, &pair.client), 0);
    for (uint8_t i = 0; i < PUSHED; i++)
        ck_status(sam_secure_send(&pair.server, &i, 1), SAM_OK);
    for (uint8_t i = 0; i < SENT; i++) {
        ck_status(sam_secure_recv(&pair.server, &got, 1, &length), SAM_OK);
        ck_assert_uint_eq(got, i);
    }
    ck_status(join_close(thread), SAM_OK);
    for (uint8_t i = 0; i < PUSHED; i++) {
        ck_status(sam_secure_recv(&pair.client, &got, 1, &length), SAM_OK);
        ck_assert_uint_eq(got, i);
    }
    pair_close(&pair, SAM_OK);
}
END_TEST

/* More than the network holds, to somebody who takes none of it. */
START_TEST(a_message_that_nobody_takes_ends_in_time) {
    enum { MEBI = 1024 * 1024, LONG = 16 * MEBI };
    struct secure_pair pair;
    uint8_t *message = calloc(1, LONG);
    enum sam_status status = SAM_OK;
    size_t sent = 0, length;
    pair_open(&pair, SHORT);
    struct sam_secure_socket *from = _i == 0 ? &pair.client : &pair.server;
    struct sam_secure_socket *to = _i == 0 ? &pair.server : &pair.client;
    while (status == SAM_OK && sent < 8) {
        status = sam_secure_send(from, message, LONG);
        sent += status == SAM_OK;
    }
    ck_status(status, SAM_TIMEOUT);
    ck_status(sam_secure_send(from, "x", 1), SAM_TIMEOUT);
    ck_status(sam_secure_close(from), SAM_TIMEOUT);
    for (; sent > 0; sent--)
        ck_status(sam_secure_recv(to, message, LONG, &length), SAM_OK);
    expect_end(to, SAM_TRUNCATED);
    ck_status(sam_secure_close(to), SAM_TRUNCATED);
    free(message);
    ck_status(sam_secure_close(&pair.listener), SAM_OK);
}
END_TEST

START_TEST(patience_ends_and_the_socket_goes_on) {
    struct secure_pair pair;
    struct sam_secure_socket nobody;
    char got[8];
    size_t length;
    pair_open(&pair, PATIENT);
    pair.listener.patience = pair.client.patience = SAM_SECOND / 100;
    ck_status(sam_secure_accept(&pair.listener, &nobody, NULL), SAM_TIMEOUT);
    for (int i = 0; i < 2; i++)
        ck_status(sam_secure_recv(&pair.client, got, sizeof got, &length), SAM_TIMEOUT);
    pair.client.patience = PATIENT;
    ck_status(sam_secure_send(&pair.server, "hello", 5), SAM_OK);
    expect_message(&pair.client, "hello");
    pair_close(&pair, SAM_OK);
}
END_TEST

TCase *secure_wire_case(void) {
    TCase *tcase = tcase_create("the wire");
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_unchecked_fixture(tcase, make_lab, remove_lab);
    tcase_add_loop_test(tcase, what_is_done_to_a_record_ends_both_and_hands_nothing_out, 0,
                        2 * DEEDS);
    tcase_add_loop_test(tcase, an_end_is_told_after_the_last_message, 0, 2);
    tcase_add_loop_test(tcase, who_may_send_no_more_still_says_that_this_is_the_end, 0, 4);
    tcase_add_test(tcase, who_closes_hears_that_not_all_was_read);
    tcase_add_test(tcase, a_close_that_is_not_answered_is_waited_for_no_longer_than_that);
    tcase_add_test(tcase, a_server_that_reads_nothing_is_sent_no_more_than_64);
    tcase_add_test(tcase, a_full_queue_is_told_and_nothing_of_it_is_lost);
    tcase_add_test(tcase, both_may_send_before_either_receives);
    tcase_add_loop_test(tcase, a_message_that_nobody_takes_ends_in_time, 0, 2);
    tcase_add_test(tcase, patience_ends_and_the_socket_goes_on);
    return tcase;
}
