/* Tests of secure_socket against an end in the hands of the test: it is let in, or nearly, and then
 * does what a secure socket does not. */
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "secure_pair.h"

static void expect_refusal(struct peer *peer) {
    struct sam_incoming answer;
    ck_status(peer_take(peer, &answer), SAM_OK);
    ck_assert_uint_eq(answer.envelope.header.kind, SAM_KIND_REFUSE);
    ck_assert_uint_gt(answer.envelope.message_length, 0);
    sam_connection_drop(&peer->connection, &answer);
}

/* A client that asks for something else is refused in words; one that breaks off, or a session that
 * begins without a join, is no connection either. */
START_TEST(a_client_that_wants_no_session_is_refused) {
    struct sam_secure_socket listener;
    struct accepting accepting = {.listener = &listener};
    struct sam_incoming answer = {0};
    struct peer peer;
    listen_as(&listener, "server", PATIENT);
    start_accepting(&accepting);
    peer_join(&peer, &sam_mode_asymmetric_symmetric, person("alice"), listener.port, person("bob"));
    if (_i == 0) {
        peer_request(&peer, SAM_KIND_SEND, "hello", 5);
        expect_refusal(&peer);
        /* It goes on, but for a session it is too late. */
        uint8_t share[SAM_SHARE_SIZE] = {1};
        peer_request(&peer, SAM_KIND_SESSION, share, sizeof share);
    } else {
        ck_status(sam_exchange_ask(&peer.connection, &answer), SAM_OK);
        sam_connection_drop(&peer.connection, &answer);
        peer_request(&peer, SAM_KIND_SEND, "", 0);
    }
    expect_refusal(&peer);
    peer_close(&peer);
    ck_status(end_accepting(&accepting), SAM_REFUSED);
    ck_status(sam_secure_close(&listener), SAM_OK);
}
END_TEST

START_TEST(a_client_that_is_refused_may_still_join) {
    struct sam_secure_socket listener;
    struct accepting accepting = {.listener = &listener};
    struct sam_incoming answer = {0};
    struct peer peer;
    listen_as(&listener, "server", PATIENT);
    start_accepting(&accepting);
    peer_join(&peer, &sam_mode_asymmetric_symmetric, person("alice"), listener.port, person("bob"));
    ck_status(sam_exchange_ask(&peer.connection, &answer), SAM_OK);
    sam_connection_drop(&peer.connection, &answer);
    peer_request(&peer, SAM_KIND_SEND, "too early", 9);
    expect_refusal(&peer);
    peer_request(&peer, SAM_KIND_JOIN, "not empty", 9);
    expect_refusal(&peer);
    peer_request(&peer, SAM_KIND_JOIN, "", 0);
    peer_expect(&peer, SAM_KIND_REPLY, "", 0);
    ck_status(end_accepting(&accepting), SAM_OK);
    peer_request(&peer, SAM_KIND_SEND, "hello", 5);
    expect_message(&accepting.accepted, "hello");
    peer_expect(&peer, SAM_KIND_REPLY, "", 0);
    peer_close(&peer);
    expect_end(&accepting.accepted, SAM_CUT);
    ck_status(sam_secure_close(&accepting.accepted), SAM_CUT);
    ck_status(sam_secure_close(&listener), SAM_OK);
}
END_TEST

/* However much it asks: the time that it has is one for all of it. */
START_TEST(a_client_that_is_refused_and_stays_is_not_waited_for_long) {
    struct sam_secure_socket listener;
    struct accepting accepting = {.listener = &listener};
    struct peer peer;
    listen_as(&listener, "server", (1 + 3 * SANITIZED) * SAM_SECOND);
    start_accepting(&accepting);
    peer_join(&peer, &sam_mode_asymmetric_symmetric, person("alice"), listener.port, person("bob"));
    peer_request(&peer, SAM_KIND_SEND, "hello", 5);
    expect_refusal(&peer);
    ck_status(end_accepting(&accepting), SAM_REFUSED);
    peer_close(&peer);
    ck_status(sam_secure_close(&listener), SAM_OK);
}
END_TEST

START_TEST(who_says_nothing_is_not_waited_for_long) {
    struct sam_secure_socket listener, s;
    struct accepting accepting = {.listener = &listener};
    int silent;
    uint16_t port = 0;
    listen_as(&listener, "server", SAM_SECOND / 10);
    start_accepting(&accepting);
    ck_status(sam_connect(&silent, "127.0.0.1", listener.port, -1, sam_now() + PATIENT, NULL),
              SAM_OK);
    ck_status(end_accepting(&accepting), SAM_TIMEOUT);
    close(silent);
    ck_status(sam_secure_close(&listener), SAM_OK);
    /* The other way round: a server that does not even greet. */
    ck_status(sam_listen(&silent, "127.0.0.1", &port, NULL), SAM_OK);
    ck_status(sam_secure_socket(&s, lab, "client", NULL), SAM_OK);
    s.timeout = SAM_SECOND / 10;
    ck_status(sam_secure_connect(&s, "127.0.0.1", port, "server", NULL), SAM_TIMEOUT);
    ck_status(sam_secure_close(&s), SAM_OK);
    close(silent);
}
END_TEST

/* Long enough to set the keys on a busy machine, short enough to wait for. */
#define DAWDLE ((1 + 3 * SANITIZED) * SAM_SECOND)

/* A server in the hands of the test: it has let the client in, and then answers what nobody asked,
 * or not as it should. */
static const struct {
    bool asked;
    enum sam_kind kind;
    const char *message;
    enum sam_status status;
} answers[] = {
    {false, SAM_KIND_REPLY, "", SAM_KIND},
    {false, SAM_KIND_REFUSE, "no", SAM_KIND},
    {true, SAM_KIND_REPLY, "more than a receipt", SAM_LENGTH},
    {true, SAM_KIND_REFUSE, "no", SAM_REFUSED},
};

struct fake_server {
    struct peer peer;
    int listener;
    enum sam_kind joined; /* how it answers the join */
    enum sam_status status;
};

static void *let_in(void *argument) {
    struct fake_server *fake = argument;
    struct sam_connection *connection = &fake->peer.connection;
    struct sam_incoming request = {0}, join = {0};
    char address[SAM_ADDRESS_MAX];
    fake->status = sam_wait(fake->listener, POLLIN, -1, sam_now() + PATIENT);
    if (fake->status == SAM_OK)
        fake->status = sam_accept(&connection->fd, fake->listener, address);
    if (fake->status == SAM_OK)
        fake->status = sam_connection_greet(connection, &people.trusted, 1000);
    if (fake->status == SAM_OK)
        fake->status = peer_take(&fake->peer, &request);
    if (fake->status == SAM_OK)
        fake->status = sam_exchange_grant(connection, &request);
    if (fake->status == SAM_OK)
        fake->status = peer_take(&fake->peer, &join);
    if (fake->status == SAM_OK && fake->joined == SAM_KIND_CLOSE)
        fake->status = sam_connection_close(connection);
    else if (fake->status == SAM_OK)
        fake->status = sam_connection_answer(connection, &join.envelope.header, join.sender,
                                             fake->joined, NULL, 0);
    sam_connection_drop(connection, &request);
    sam_connection_drop(connection, &join);
    return NULL;
}

START_TEST(an_answer_is_empty_and_to_what_was_sent) {
    static const struct sam_header send = {.kind = SAM_KIND_SEND};
    struct fake_server fake = {.joined = SAM_KIND_REPLY};
    struct sam_secure_socket s;
    pthread_t thread;
    uint16_t port = 0;
    ck_status(sam_listen(&fake.listener, "127.0.0.1", &port, NULL), SAM_OK);
    peer_open(&fake.peer, &sam_mode_asymmetric_symmetric, person("bob"), -1);
    ck_assert_int_eq(pthread_create(&thread, NULL, let_in, &fake), 0);
    ck_status(connect_as(&s, lab, "client", port, "server", NULL), SAM_OK);
    pthread_join(thread, NULL);
    ck_status(fake.status, SAM_OK);
    /* Its greeting says that it takes 1000 bytes. */
    char longer[1001] = {0};
    ck_status(sam_secure_send(&s, longer, sizeof longer), SAM_TOO_LONG);
    if (answers[_i].asked)
        ck_status(sam_secure_send(&s, "hello", 5), SAM_OK);
    ck_status(sam_connection_answer(&fake.peer.connection, &send, person("alice"), answers[_i].kind,
                                    answers[_i].message, strlen(answers[_i].message)),
              SAM_OK);
    expect_end(&s, answers[_i].status);
    ck_status(sam_secure_close(&s), answers[_i].status);
    peer_close(&fake.peer);
    close(fake.listener);
}
END_TEST

START_TEST(a_client_that_cannot_join_says_that_it_goes) {
    struct fake_server fake = {.joined = _i == 0 ? SAM_KIND_CLOSE : SAM_KIND_REFUSE};
    struct sam_secure_socket s;
    struct sam_incoming last;
    pthread_t thread;
    uint16_t port = 0;
    ck_status(sam_listen(&fake.listener, "127.0.0.1", &port, NULL), SAM_OK);
    peer_open(&fake.peer, &sam_mode_asymmetric_symmetric, person("bob"), -1);
    ck_assert_int_eq(pthread_create(&thread, NULL, let_in, &fake), 0);
    enum sam_status status = connect_as(&s, lab, "client", port, "server", NULL);
    ck_status(status, _i == 0 ? SAM_CLOSED : SAM_REFUSED);
    pthread_join(thread, NULL);
    ck_status(fake.status, SAM_OK);
    ck_status(peer_take(&fake.peer, &last), SAM_OK);
    ck_assert_uint_eq(last.envelope.header.kind, SAM_KIND_CLOSE);
    sam_connection_drop(&fake.peer.connection, &last);
    ck_status(sam_secure_close(&s), SAM_OK);
    peer_close(&fake.peer);
    close(fake.listener);
}
END_TEST

/* Answers a close with half a record, when nearly all the time for it is over. */
static void *dawdle(void *argument) {
    struct sam_connection *connection = argument;
    struct sam_incoming last = {0};
    uint8_t header[SAM_RECORD_SIZE];
    enum sam_status status = sam_connection_receive(connection, &last);
    int64_t until = sam_now() + DAWDLE * 9 / 10;
    sam_record_write(header, SAM_KIND_PUSH, 1, SAM_GCM_TAG_SIZE);
    if (status == SAM_OK && sam_wait(connection->fd, POLLIN, -1, until) == SAM_TIMEOUT)
        status = sam_write_all(connection->fd, -1, sam_now() + PATIENT, header, sizeof header);
    sam_connection_drop(connection, &last);
    return (void *)(uintptr_t)status;
}

START_TEST(a_close_has_one_deadline_for_all_of_it) {
    struct fake_server fake = {.joined = SAM_KIND_REPLY};
    struct sam_secure_socket s;
    pthread_t thread;
    uint16_t port = 0;
    void *dawdled;
    ck_status(sam_listen(&fake.listener, "127.0.0.1", &port, NULL), SAM_OK);
    peer_open(&fake.peer, &sam_mode_asymmetric_symmetric, person("bob"), -1);
    ck_assert_int_eq(pthread_create(&thread, NULL, let_in, &fake), 0);
    ck_status(sam_secure_socket(&s, lab, "client", NULL), SAM_OK);
    s.timeout = DAWDLE;
    ck_status(sam_secure_connect(&s, "127.0.0.1", port, "server", NULL), SAM_OK);
    pthread_join(thread, NULL);
    ck_status(fake.status, SAM_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, dawdle, &fake.peer.connection), 0);
    int64_t started = sam_now();
    ck_status(sam_secure_close(&s), SAM_TIMEOUT);
    int64_t took = sam_now() - started;
    pthread_join(thread, &dawdled);
    ck_status((enum sam_status)(uintptr_t)dawdled, SAM_OK);
    ck_assert_int_ge(took, DAWDLE);
    ck_assert_int_lt(took, DAWDLE * 18 / 10); /* not from that record on once more */
    peer_close(&fake.peer);
    close(fake.listener);
}
END_TEST

/* Where the system does not even let us wait. */
START_TEST(who_cannot_wait_is_told_at_once) {
    struct secure_pair pair;
    struct rlimit before;
    struct pollfd polled = {.fd = -1};
    char got;
    size_t length;
    pair_open(&pair, PATIENT);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {0, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool fails = poll(&polled, 1, 0) < 0; /* on Linux; elsewhere there is nothing to see */
    enum sam_status status = SAM_NETWORK, again = SAM_NETWORK;
    if (fails) {
        status = sam_secure_recv(&pair.client, &got, 1, &length);
        again = sam_wait(pair.listener.listener, POLLIN, -1, INT64_MAX);
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_status(status, SAM_NETWORK);
    ck_status(again, SAM_NETWORK);
    if (fails) {
        ck_status(sam_secure_close(&pair.client), SAM_NETWORK);
        expect_end(&pair.server, SAM_CUT);
        ck_status(sam_secure_close(&pair.server), SAM_CUT);
        ck_status(sam_secure_close(&pair.listener), SAM_OK);
    } else {
        pair_close(&pair, SAM_OK);
    }
}
END_TEST

/* A client of another make that asks for what a session of sockets does not have. */
START_TEST(a_session_goes_on_after_what_is_refused_in_it) {
    struct sam_secure_socket listener;
    struct accepting accepting = {.listener = &listener};
    static const enum sam_kind kinds[] = {SAM_KIND_JOIN, SAM_KIND_JOIN, SAM_KIND_RECV,
                                          SAM_KIND_SEND};
    struct sam_incoming answer = {0};
    struct sam_envelope envelope;
    struct peer peer;
    listen_as(&listener, "server", PATIENT);
    start_accepting(&accepting);
    peer_join(&peer, &sam_mode_asymmetric_symmetric, person("alice"), listener.port, person("bob"));
    ck_status(sam_exchange_ask(&peer.connection, &answer), SAM_OK);
    sam_connection_drop(&peer.connection, &answer);
    for (int i = 0; i < 4; i++) {
        ck_status(sam_connection_start(&peer.connection, &envelope, &peer.other, 0), SAM_OK);
        ck_status(sam_connection_seal(&peer.connection, &envelope, kinds[i]), SAM_OK);
        ck_status(sam_connection_send(&peer.connection, &envelope), SAM_OK);
        sam_envelope_free(&envelope);
    }
    ck_status(end_accepting(&accepting), SAM_OK);
    expect_message(&accepting.accepted, ""); /* the send is all that there is to hand out */
    for (int i = 0; i < 4; i++) {
        ck_status(peer_take(&peer, &answer), SAM_OK);
        bool refused = answer.envelope.header.kind == SAM_KIND_REFUSE;
        ck_assert(refused == (i == 1 || i == 2));
        sam_connection_drop(&peer.connection, &answer);
    }
    peer_close(&peer);
    expect_end(&accepting.accepted, SAM_CUT);
    ck_status(sam_secure_close(&accepting.accepted), SAM_CUT);
    ck_status(sam_secure_close(&listener), SAM_OK);
}
END_TEST

TCase *secure_peers_case(void) {
    TCase *tcase = tcase_create("peers");
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_unchecked_fixture(tcase, make_lab, remove_lab);
    tcase_add_loop_test(tcase, a_client_that_wants_no_session_is_refused, 0, 2);
    tcase_add_test(tcase, a_client_that_is_refused_may_still_join);
    tcase_add_test(tcase, a_client_that_is_refused_and_stays_is_not_waited_for_long);
    tcase_add_test(tcase, who_says_nothing_is_not_waited_for_long);
    tcase_add_loop_test(tcase, an_answer_is_empty_and_to_what_was_sent, 0,
                        sizeof answers / sizeof answers[0]);
    tcase_add_loop_test(tcase, a_client_that_cannot_join_says_that_it_goes, 0, 2);
    tcase_add_test(tcase, a_close_has_one_deadline_for_all_of_it);
    tcase_add_test(tcase, who_cannot_wait_is_told_at_once);
    tcase_add_test(tcase, a_session_goes_on_after_what_is_refused_in_it);
    return tcase;
}
