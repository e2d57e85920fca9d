/* Tests of secure_socket: what a socket promises, between two ends that are both honest, and with
 * those that are not let in. check_secure_peers.c has ends that are not honest, check_secure_wire.c
 * what stands between two. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secure_pair.h"
#include "suites.h"

/* Message number i of a direction: any bytes, and many lengths. */
static size_t compose(uint8_t out[300], unsigned i, unsigned direction) {
    size_t length = (i * 7 + direction) % 300;
    for (size_t at = 0; at < length; at++)
        out[at] = (uint8_t)(i * 31 + at * 7 + direction * 101 + (i >> 8));
    return length;
}

enum { MANY = 10000 };

/* One direction's end in a thread. */
struct worker {
    struct sam_secure_socket *s;
    unsigned direction, done;
    enum sam_status status;
    pthread_t thread;
};

static void *send_many(void *argument) {
    struct worker *worker = argument;
    uint8_t message[300];
    for (unsigned i = 0; i < MANY && worker->status == SAM_OK; i++) {
        size_t length = compose(message, i, worker->direction);
        worker->status = sam_secure_send(worker->s, message, length);
        worker->done += worker->status == SAM_OK;
    }
    return NULL;
}

static void *receive_many(void *argument) {
    struct worker *worker = argument;
    uint8_t expected[300], message[300];
    size_t length;
    for (unsigned i = 0; i < MANY; i++) {
        worker->status = sam_secure_recv(worker->s, message, sizeof message, &length);
        if (worker->status != SAM_OK || length != compose(expected, i, worker->direction) ||
            memcmp(message, expected, length) != 0)
            break;
        worker->done++;
    }
    return NULL;
}

START_TEST(ten_thousand_messages_each_way_at_once_without_rsa) {
    struct secure_pair pair;
    pair_open(&pair, PATIENT);
    struct worker workers[4] = {{.s = &pair.client, .direction = 0},
                                {.s = &pair.server, .direction = 0},
                                {.s = &pair.server, .direction = 1},
                                {.s = &pair.client, .direction = 1}};
    struct sam_rsa_count client = sam_secure_count(&pair.client);
    struct sam_rsa_count server = sam_secure_count(&pair.server);
    ck_assert_uint_eq(client.private_operations, 2);
    ck_assert_uint_eq(client.public_operations, 2);
    ck_assert_uint_eq(server.private_operations, 2);
    ck_assert_uint_eq(server.public_operations, 2);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
                                        i % 2 == 0 ? send_many : receive_many, &workers[i]),
                         0);
    for (int i = 0; i < 4; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < 4; i++) {
        ck_status(workers[i].status, SAM_OK);
        ck_assert_uint_eq(workers[i].done, MANY);
    }
    struct sam_rsa_count after = sam_secure_count(&pair.client);
    ck_assert_mem_eq(&after, &client, sizeof after);
    after = sam_secure_count(&pair.server);
    ck_assert_mem_eq(&after, &server, sizeof after);
    pair_close(&pair, SAM_OK);
}
END_TEST

START_TEST(a_message_may_have_no_byte_and_may_have_16_mebibytes) {
    static const size_t sizes[] = {0, 1, (size_t)16 << 20};
    struct secure_pair pair;
    size_t size = sizes[_i / 2], length = 1;
    pair_open(&pair, PATIENT);
    struct sam_secure_socket *from = _i % 2 == 0 ? &pair.client : &pair.server;
    struct sam_secure_socket *to = _i % 2 == 0 ? &pair.server : &pair.client;
    uint8_t *sent = malloc(size + 1), *got = calloc(1, size + 1);
    ck_assert_ptr_nonnull(sent);
    ck_assert_ptr_nonnull(got);
    for (size_t i = 0; i < size + 1; i++)
        sent[i] = (uint8_t)(i * 2654435761U >> 24);
    /* One byte more than the longest is not sent at all. */
    if (size > 1)
        ck_status(sam_secure_send(from, sent, size + 1), SAM_TOO_LONG);
    struct sending sending = {from, sent, size, SAM_OK, 0};
    start_sending(&sending);
    ck_status(sam_secure_recv(to, got, size + 1, &length), SAM_OK);
    ck_status(end_sending(&sending), SAM_OK);
    ck_assert_uint_eq(length, size);
    ck_assert(memcmp(sent, got, size) == 0);
    free(sent);
    free(got);
    pair_close(&pair, SAM_OK);
}
END_TEST

START_TEST(what_does_not_fit_comes_with_the_next_calls) {
    struct secure_pair pair;
    char piece[4];
    size_t length;
    static const char *const pieces[] = {"abcd", "efgh", "ij", "", "klmn", "o"};
    pair_open(&pair, PATIENT);
    ck_status(sam_secure_send(&pair.client, "abcdefghij", 10), SAM_OK);
    ck_status(sam_secure_send(&pair.client, NULL, 0), SAM_OK);
    ck_status(sam_secure_send(&pair.client, "klmno", 5), SAM_OK);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        ck_status(sam_secure_recv(&pair.server, piece, sizeof piece, &length), SAM_OK);
        ck_assert_uint_eq(length, strlen(pieces[i]));
        ck_assert_mem_eq(piece, pieces[i], length);
    }
    pair_close(&pair, SAM_OK);
}
END_TEST

/* Who is at the other end is known, and nobody gets what was meant for another. */
START_TEST(one_listener_serves_several_clients) {
    static const char *const names[] = {"client", "carol", "client"};
    struct sam_secure_socket listener, clients[3], servers[3];
    listen_as(&listener, "server", PATIENT);
    for (int i = 0; i < 3; i++) {
        struct accepting accepting = {.listener = &listener};
        start_accepting(&accepting);
        ck_status(connect_as(&clients[i], lab, names[i], listener.port, "server", NULL), SAM_OK);
        ck_status(end_accepting(&accepting), SAM_OK);
        servers[i] = accepting.accepted;
        ck_assert_str_eq(sam_secure_peer(&servers[i]), names[i]);
        ck_assert_str_eq(sam_secure_peer(&clients[i]), "server");
    }
    ck_status(sam_secure_close(&listener), SAM_OK); /* those that it accepted go on */
    for (int i = 2; i >= 0; i--)
        ck_status(sam_secure_send(&clients[i], &"abc"[i], 1), SAM_OK);
    for (int i = 0; i < 3; i++) {
        expect_message(&servers[i], (const char[]){"abc"[i], '\0'});
        ck_status(sam_secure_send(&servers[i], &"xyz"[i], 1), SAM_OK);
    }
    for (int i = 0; i < 3; i++) {
        struct secure_pair pair = {{0}, servers[i], clients[i]};
        expect_message(&clients[i], (const char[]){"xyz"[i], '\0'});
        pair_close(&pair, SAM_OK);
    }
}
END_TEST

START_TEST(a_server_with_another_key_is_told_from_the_one_meant) {
    struct sam_secure_socket listener, s;
    struct accepting accepting = {.listener = &listener};
    listen_as(&listener, "server", PATIENT);
    start_accepting(&accepting);
    ck_status(connect_as(&s, lab, "client", listener.port, "carol", NULL), SAM_OTHER_SERVER);
    ck_status(sam_secure_send(&s, "x", 1), SAM_CLOSED);
    ck_status(sam_secure_close(&s), SAM_OK);
    ck_status(end_accepting(&accepting), SAM_CLOSED);
    struct sam_where where;
    ck_status(connect_as(&s, lab, "client", listener.port, "nobody", &where), SAM_KEY_MISSING);
    ck_assert_str_eq(where.text, "nobody");
    ck_status(sam_secure_close(&s), SAM_OK);
    ck_status(connect_as(&s, lab, "client", listener.port, "client", NULL), SAM_KEY_SELF);
    ck_status(sam_secure_close(&s), SAM_OK);
    ck_status(connect_as(&s, lab, "client", listener.port, "../server", NULL), SAM_NAME);
    ck_status(sam_secure_close(&s), SAM_OK);
    ck_assert(!sam_is_ready(listener.listener)); /* for these it was not even asked */
    ck_status(sam_secure_close(&listener), SAM_OK);
}
END_TEST

START_TEST(a_stranger_is_rejected_and_the_listener_goes_on) {
    struct sam_secure_socket listener, s;
    struct accepting accepting = {.listener = &listener};
    char folder[PATH_MAX];
    make_folder(folder);
    give_pair(folder, "mallory", "mallory");
    give_public(folder, "bob", "server");
    listen_as(&listener, "server", PATIENT);
    start_accepting(&accepting);
    ck_status(connect_as(&s, folder, "mallory", listener.port, "server", NULL), SAM_REJECTED);
    ck_status(sam_secure_close(&s), SAM_OK);
    ck_status(end_accepting(&accepting), SAM_STRANGER);
    ck_assert_str_eq(sam_secure_peer(&accepting.accepted), "");
    start_accepting(&accepting);
    ck_status(connect_as(&s, lab, "client", listener.port, "server", NULL), SAM_OK);
    ck_status(end_accepting(&accepting), SAM_OK);
    struct secure_pair pair = {listener, accepting.accepted, s};
    pair_close(&pair, SAM_OK);
    remove_folder(folder);
}
END_TEST

START_TEST(a_socket_needs_its_keys) {
    struct sam_secure_socket s;
    struct sam_where where;
    ck_status(sam_secure_socket(&s, lab, "nobody", &where), SAM_KEY_MISSING);
    ck_assert_ptr_nonnull(strstr(where.text, "nobody.private.pem"));
    ck_status(sam_secure_close(&s), SAM_OK);
    ck_status(sam_secure_socket(&s, "/nowhere/at/all", "client", &where), SAM_KEY_MISSING);
    ck_status(sam_secure_close(&s), SAM_OK);
    ck_status(sam_secure_close(&s), SAM_OK);
}
END_TEST

START_TEST(a_taken_port_is_no_port_to_bind) {
    struct sam_secure_socket one, two, accepted;
    listen_as(&one, "server", PATIENT);
    ck_status(sam_secure_socket(&two, lab, "server", NULL), SAM_OK);
    ck_status(sam_secure_listen(&two, 1), SAM_LISTEN);
    ck_status(sam_secure_accept(&two, &accepted, NULL), SAM_LISTEN);
    ck_status(sam_secure_bind(&two, "127.0.0.1", one.port, NULL), SAM_LISTEN);
    ck_status(sam_secure_close(&two), SAM_OK);
    ck_status(sam_secure_close(&one), SAM_OK);
}
END_TEST

/* The greeting tells of the other mode before anything is sent. */
START_TEST(a_server_of_mode_1_has_no_session) {
    struct server_process server;
    struct sam_secure_socket s;
    struct sam_where where;
    struct sam_incoming answer = {0};
    struct peer peer;
    static const char reason[] = "mode 1 has no symmetric key: it offers no sessions";
    start_server(&server, &sam_mode_asymmetric_only, lab, NULL);
    ck_status(connect_as(&s, lab, "client", server.port, "server", &where), SAM_MODE);
    ck_assert_msg(strstr(where.text, reason) != NULL, "%s", where.text);
    ck_status(sam_secure_close(&s), SAM_OK);
    /* Who asks in its own mode is told the same, signed. */
    peer_join(&peer, server.mode, person("alice"), server.port, person("bob"));
    ck_status(sam_exchange_ask(&peer.connection, &answer), SAM_OK);
    ck_assert_uint_eq(answer.envelope.header.kind, SAM_KIND_REFUSE);
    ck_assert_uint_eq(answer.envelope.message_length, strlen(reason));
    ck_assert_mem_eq(answer.envelope.message, reason, strlen(reason));
    sam_connection_drop(&peer.connection, &answer);
    peer_close(&peer);
    stop_server_well(&server);
}
END_TEST

/* A plain server of mode 2 has no sessions, or no chat to join: it says which. */
START_TEST(a_server_that_pushes_nothing_refuses_with_its_reason) {
    struct server_process server;
    struct sam_secure_socket s;
    struct sam_where where;
    start_server(&server, &sam_mode_asymmetric_symmetric, lab, NULL);
    ck_status(connect_as(&s, lab, "client", server.port, "server", &where), SAM_REFUSED);
    ck_assert_msg(strstr(where.text, ": \"this server ") != NULL, "%s", where.text);
    ck_status(sam_secure_send(&s, "x", 1), SAM_CLOSED);
    ck_status(sam_secure_close(&s), SAM_OK);
    stop_server_well(&server);
}
END_TEST

Suite *secure_socket_suite(void) {
    Suite *suite = suite_create("secure_socket");
    TCase *tcase = tcase_create("sockets");
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_unchecked_fixture(tcase, make_lab, remove_lab);
    tcase_add_test(tcase, ten_thousand_messages_each_way_at_once_without_rsa);
    tcase_add_loop_test(tcase, a_message_may_have_no_byte_and_may_have_16_mebibytes, 0, 6);
    tcase_add_test(tcase, what_does_not_fit_comes_with_the_next_calls);
    tcase_add_test(tcase, one_listener_serves_several_clients);
    tcase_add_test(tcase, a_server_with_another_key_is_told_from_the_one_meant);
    tcase_add_test(tcase, a_stranger_is_rejected_and_the_listener_goes_on);
    tcase_add_test(tcase, a_socket_needs_its_keys);
    tcase_add_test(tcase, a_taken_port_is_no_port_to_bind);
    tcase_add_test(tcase, a_server_of_mode_1_has_no_session);
    tcase_add_test(tcase, a_server_that_pushes_nothing_refuses_with_its_reason);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, secure_peers_case());
    suite_add_tcase(suite, secure_wire_case());
    return suite;
}
