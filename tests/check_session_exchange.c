/* How a session begins, and what two honest ends then say to each other (docs/protocol.md, section
 * 9), both roles in one process. */
#include <string.h>
#include <sys/socket.h>

#include "sessions.h"

static const struct sam_mode *const mode = &sam_mode_asymmetric_symmetric;
static struct peer client, server;

static void begin(void) {
    begin_session(&client, &server);
}

static void part(void) {
    peer_close(&client);
    peer_close(&server);
}

/* Takes a request at the server, and answers it. */
static void answer(enum sam_kind wanted, const void *message, size_t length, enum sam_kind kind,
                   const void *text, size_t text_length) {
    struct sam_incoming request;
    ck_status(peer_take(&server, &request), SAM_OK);
    ck_assert_uint_eq(request.envelope.header.kind, wanted);
    ck_assert_str_eq(request.sender->name, "alice");
    ck_assert_uint_eq(request.envelope.message_length, length);
    if (length > 0)
        ck_assert_mem_eq(request.envelope.message, message, length);
    ck_status(sam_connection_answer(&server.connection, &request.envelope.header, request.sender,
                                    kind, text, text_length),
              SAM_OK);
    sam_connection_drop(&server.connection, &request);
}

/* Both ends could leave the same thing out: so the keys here are derived from what has travelled.
 */
START_TEST(both_ends_derive_the_keys_of_what_has_travelled) {
    struct sam_incoming request;
    struct asking asking;
    struct sam_agreement agreement;
    const uint8_t greeting[16] = {'S', 'A', 'M', 'G', 1, 2, 0, 0, 1, 0, 0, 0}; /* 16 MiB */
    start_asking(&asking, &client, &server, &request);
    memcpy(agreement.transcript, greeting, 16);
    memcpy(agreement.transcript + 16, request.envelope.header.reference, SAM_ID_SIZE);
    memcpy(agreement.transcript + 32, person("bob")->id, SAM_KEY_ID_SIZE);
    memcpy(agreement.transcript + 64, request.envelope.bytes.data, SAM_HEADER_SIZE);
    ck_assert_uint_eq(request.envelope.header.kind, SAM_KIND_SESSION);
    ck_assert_uint_eq(request.envelope.header.sequence, 0);
    ck_assert_uint_eq(request.envelope.message_length, SAM_SHARE_SIZE);
    memcpy(agreement.client_share, request.envelope.message, SAM_SHARE_SIZE);
    ck_status(sam_exchange_grant(&server.connection, &request), SAM_OK);
    sam_connection_drop(&server.connection, &request);
    ck_assert_int_eq(pthread_join(asking.thread, NULL), 0);
    ck_status(asking.status, SAM_OK);
    memcpy(agreement.transcript + 192, asking.answer.envelope.bytes.data, SAM_HEADER_SIZE);
    memcpy(agreement.server_share, asking.answer.envelope.message, SAM_SHARE_SIZE);
    sam_connection_drop(&client.connection, &asking.answer);
    for (int i = 0; i < 2; i++) {
        struct sam_session wanted;
        struct sam_session *other = &(i == 0 ? &server : &client)->connection.session;
        ck_status(sam_session_begin(&wanted, people.crypto, i == 0, &agreement, 9), SAM_OK);
        assert_passes(&wanted, other, i == 0 ? SAM_KIND_SEND : SAM_KIND_PUSH);
        assert_passes(other, &wanted, i == 0 ? SAM_KIND_PUSH : SAM_KIND_SEND);
        sam_session_end(&wanted);
    }
    part();
}
END_TEST

/* The same bytes in the same place: they differ under another key, and under no other one. */
START_TEST(every_session_has_other_keys) {
    struct sam_bytes sealed[4];
    for (int i = 0; i < 4; i += 2) {
        begin();
        sealed[i] = sealed_record(&client, SAM_KIND_SEND, "the same", 8);
        sealed[i + 1] = sealed_record(&server, SAM_KIND_REPLY, "the same", 8);
        part();
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            ck_assert_mem_ne(sealed[i].data + SAM_RECORD_SIZE, sealed[j].data + SAM_RECORD_SIZE, 8);
    for (int i = 0; i < 4; i++)
        sam_bytes_free(&sealed[i]);
}
END_TEST

START_TEST(each_side_draws_a_share_of_its_own) {
    struct asking asking[2];
    struct sam_incoming request[2];
    struct peer clients[2], servers[2];
    for (int i = 0; i < 2; i++)
        start_asking(&asking[i], &clients[i], &servers[i], &request[i]);
    ck_assert(!sam_equal(request[0].envelope.message, request[1].envelope.message, SAM_SHARE_SIZE));
    uint8_t shares[2][SAM_SHARE_SIZE];
    for (int i = 0; i < 2; i++) {
        ck_status(sam_exchange_grant(&servers[i].connection, &request[i]), SAM_OK);
        sam_connection_drop(&servers[i].connection, &request[i]);
        ck_assert_int_eq(pthread_join(asking[i].thread, NULL), 0);
        ck_status(asking[i].status, SAM_OK);
        ck_assert_uint_eq(asking[i].answer.envelope.message_length, SAM_SHARE_SIZE);
        memcpy(shares[i], asking[i].answer.envelope.message, SAM_SHARE_SIZE);
        sam_connection_drop(&clients[i].connection, &asking[i].answer);
        peer_close(&clients[i]);
        peer_close(&servers[i]);
    }
    ck_assert(!sam_equal(shares[0], shares[1], SAM_SHARE_SIZE));
}
END_TEST

START_TEST(a_server_share_of_another_length_begins_nothing) {
    static const size_t lengths[] = {0, 1, 31, 33, 64};
    static const uint8_t share[64] = {1};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct asking asking;
        struct sam_incoming request;
        start_asking(&asking, &client, &server, &request);
        ck_status(sam_connection_answer(&server.connection, &request.envelope.header,
                                        request.sender, SAM_KIND_REPLY, share, lengths[i]),
                  SAM_OK);
        sam_connection_drop(&server.connection, &request);
        ck_status(end_asking(&asking), SAM_LENGTH);
        ck_assert(!client.connection.session.begun);
        ck_assert(client.connection.session.out.key == NULL);
        part();
    }
}
END_TEST

START_TEST(envelopes_go_on_after_a_refuse) {
    struct asking asking;
    struct sam_incoming request;
    start_asking(&asking, &client, &server, &request);
    ck_status(sam_connection_answer(&server.connection, &request.envelope.header, request.sender,
                                    SAM_KIND_REFUSE, "not today, not for anybody at all", 33),
              SAM_OK);
    sam_connection_drop(&server.connection, &request);
    ck_status(end_asking(&asking), SAM_OK);
    ck_assert(!client.connection.session.begun && !server.connection.session.begun);
    ck_status(sam_connection_close(&client.connection), SAM_OK); /* there is none to close */
    ck_assert_uint_eq(client.connection.sequence, 1);
    peer_request(&client, SAM_KIND_SEND, "hello", 5);
    answer(SAM_KIND_SEND, "hello", 5, SAM_KIND_REPLY, "", 0);
    peer_expect(&client, SAM_KIND_REPLY, "", 0);
    part();
}
END_TEST

/* What stands between the two alters the answer, ends, or answers itself. */
START_TEST(no_session_begins_without_the_servers_own_answer) {
    enum { ALTERED, OTHER_SIGNER, OTHER_REFERENCE, RECORD, END, WAYS };
    static const enum sam_status wanted[WAYS] = {SAM_DECRYPT, SAM_STRANGER, SAM_STALE, SAM_TYPE,
                                                 SAM_CLOSED};
    static const uint8_t share[SAM_SHARE_SIZE] = {1};
    for (int way = 0; way < WAYS; way++) {
        struct asking asking;
        struct sam_incoming request;
        start_asking(&asking, &client, &server, &request);
        struct sam_address address = {.kind = SAM_KIND_REPLY};
        memcpy(address.reference, request.envelope.header.message_id, SAM_ID_SIZE);
        address.reference[0] ^= way == OTHER_REFERENCE;
        sam_connection_drop(&server.connection, &request);
        if (way == OTHER_SIGNER)
            server.own = *person("carol");
        struct sam_envelope reply =
            seal_at(&server.party, person("alice"), &address, share, sizeof share);
        reply.bytes.data[reply.bytes.length - 1] ^= way == ALTERED;
        if (way == RECORD)
            sam_record_write(reply.bytes.data, SAM_KIND_REPLY, 0, SAM_GCM_TAG_SIZE);
        if (way != END)
            write_raw(server.connection.fd, reply.bytes.data, reply.bytes.length);
        shutdown(server.connection.fd, SHUT_WR);
        ck_status(end_asking(&asking), wanted[way]);
        ck_assert(!client.connection.session.begun);
        sam_envelope_free(&reply);
        part();
    }
}
END_TEST

START_TEST(records_pass_both_ways) {
    uint8_t message[256];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    begin();
    for (size_t length = 0; length <= sizeof message; length += 64) {
        peer_request(&client, SAM_KIND_SEND, message, length);
        peer_request(&client, SAM_KIND_RECV, "", 0);
        answer(SAM_KIND_SEND, message, length, SAM_KIND_REPLY, "", 0);
        answer(SAM_KIND_RECV, "", 0, SAM_KIND_REPLY, message, length);
        peer_expect(&client, SAM_KIND_REPLY, "", 0);
        peer_expect(&client, SAM_KIND_REPLY, message, length);
    }
    peer_request(&client, SAM_KIND_JOIN, "", 0);
    answer(SAM_KIND_JOIN, "", 0, SAM_KIND_REPLY, "", 0);
    ck_status(sam_connection_push(&server.connection, "carol: hello", 12), SAM_OK);
    peer_request(&client, SAM_KIND_JOIN, "", 0);
    answer(SAM_KIND_JOIN, "", 0, SAM_KIND_REFUSE, "once is enough", 14);
    ck_status(sam_connection_push(&server.connection, "", 0), SAM_OK);
    peer_expect(&client, SAM_KIND_REPLY, "", 0);
    peer_expect(&client, SAM_KIND_PUSH, "carol: hello", 12);
    peer_expect(&client, SAM_KIND_REFUSE, "once is enough", 14);
    peer_expect(&client, SAM_KIND_PUSH, "", 0);
    ck_assert_uint_eq(client.connection.bytes_sent, server.connection.bytes_received);
    ck_assert_uint_eq(server.connection.bytes_sent, client.connection.bytes_received);
    part();
}
END_TEST

START_TEST(who_gets_a_close_answers_what_is_open) {
    struct sam_incoming incoming;
    begin();
    peer_request(&client, SAM_KIND_RECV, "", 0);
    for (int i = 0; i < 2; i++)
        ck_status(sam_connection_close(&client.connection), SAM_OK); /* once is said once */
    shutdown(client.connection.fd, SHUT_WR);
    answer(SAM_KIND_RECV, "", 0, SAM_KIND_REPLY, "last", 4);
    peer_expect(&server, SAM_KIND_CLOSE, "", 0);
    ck_status(peer_take(&server, &incoming), SAM_CLOSED);
    peer_expect(&client, SAM_KIND_REPLY, "last", 4);
    part();
    begin();
    ck_status(sam_connection_close(&server.connection), SAM_OK);
    ck_status(sam_connection_push(&server.connection, "more", 4), SAM_CLOSED);
    shutdown(server.connection.fd, SHUT_WR);
    peer_expect(&client, SAM_KIND_CLOSE, "", 0);
    ck_status(sam_connection_close(&client.connection), SAM_OK);
    peer_expect(&server, SAM_KIND_CLOSE, "", 0);
    ck_status(peer_take(&client, &incoming), SAM_CLOSED);
    part();
}
END_TEST

START_TEST(an_end_without_a_close_is_a_cut) {
    struct peer *to = _i == 0 ? &server : &client, *from = _i == 0 ? &client : &server;
    struct sam_incoming incoming;
    begin();
    peer_request(&client, SAM_KIND_SEND, "hello", 5);
    answer(SAM_KIND_SEND, "hello", 5, SAM_KIND_REPLY, "", 0);
    peer_expect(&client, SAM_KIND_REPLY, "", 0);
    /* That the other has heard our close does not make its end one. */
    ck_status(sam_connection_close(&to->connection), SAM_OK);
    peer_expect(from, SAM_KIND_CLOSE, "", 0);
    shutdown(from->connection.fd, SHUT_WR);
    ck_status(peer_take(to, &incoming), SAM_CUT);
    ck_assert(to->connection.session.in.key == NULL);
    part();
}
END_TEST

START_TEST(a_rejection_ends_the_servers_session) {
    struct sam_incoming incoming;
    begin();
    shutdown(client.connection.fd, SHUT_WR);
    sam_connection_reject(&server.connection);
    ck_assert(server.connection.session.out.key == NULL);
    ck_status(peer_take(&client, &incoming), SAM_REJECTED);
    ck_assert(client.connection.session.out.key == NULL);
    ck_status(sam_connection_push(&server.connection, "word", 4), SAM_CLOSED);
    part();
}
END_TEST

/* Sends a message of the longest length and one more byte. */
static void *send_long(void *argument) {
    struct peer *from = argument;
    static uint8_t message[16 * 1024 * 1024 + 1];
    size_t most = mode->max_message;
    enum sam_status status = most + 1 == sizeof message ? SAM_OK : SAM_LENGTH;
    for (size_t length = most; status == SAM_OK && length <= most + 1; length++) {
        struct sam_envelope envelope;
        const struct sam_header request = {.mode = 2, .kind = SAM_KIND_RECV};
        status = sam_connection_start(&from->connection, &envelope, &from->other, length);
        if (status != SAM_OK)
            break;
        memset(envelope.message, 'm', length);
        if (from->connection.is_client)
            status = sam_connection_seal(&from->connection, &envelope, SAM_KIND_SEND);
        else
            status = sam_connection_seal_answer(&from->connection, &envelope, &request,
                                                person("alice"), SAM_KIND_REPLY);
        if (status == SAM_OK)
            status = sam_connection_send(&from->connection, &envelope);
        sam_envelope_free(&envelope);
    }
    return status == SAM_OK || status == SAM_CLOSED ? NULL : argument;
}

START_TEST(the_longest_message_passes_and_none_longer) {
    struct peer *to = _i == 0 ? &server : &client, *from = _i == 0 ? &client : &server;
    struct sam_incoming incoming;
    pthread_t thread;
    void *failed;
    begin();
    if (_i == 1)
        for (int i = 0; i < 2; i++)
            peer_request(&client, SAM_KIND_RECV, "", 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, send_long, from), 0);
    ck_status(peer_take(to, &incoming), SAM_OK);
    ck_assert_uint_eq(incoming.envelope.message_length, mode->max_message);
    const uint8_t *message = incoming.envelope.message;
    ck_assert_uint_eq(message[0], 'm');
    ck_assert_int_eq(memcmp(message, message + 1, mode->max_message - 1), 0);
    sam_connection_drop(&to->connection, &incoming);
    ck_status(peer_take(to, &incoming), SAM_LENGTH);
    shutdown(to->connection.fd, SHUT_RDWR);
    ck_assert_int_eq(pthread_join(thread, &failed), 0);
    ck_assert_ptr_null(failed);
    part();
}
END_TEST

START_TEST(memory_grows_with_what_arrives) {
    enum { LIMIT = 16 * 1024 * 1024, ARRIVES = 20000 };
    static uint8_t bytes[ARRIVES];
    struct sam_incoming incoming;
    struct sam_memory memory;
    begin();
    restore_session(&client, client.connection.session);
    restore_session(&server, server.connection.session);
    const struct sam_session before = server.connection.session;
    ck_status(sam_memory_init(&memory, 2 * LIMIT), SAM_OK);
    server.connection.memory = &memory;
    sam_record_write(bytes, SAM_KIND_SEND, 0, SAM_GCM_TAG_SIZE + LIMIT);
    for (size_t arrived = SAM_RECORD_SIZE; arrived <= ARRIVES; arrived += 1249) {
        ck_status(give(&server, bytes, arrived, &incoming), SAM_TRUNCATED);
        size_t capacity = incoming.envelope.bytes.capacity;
        ck_assert_msg(capacity <= 4096 || capacity <= 2 * arrived, "%zu bytes for %zu", capacity,
                      arrived);
        ck_assert_uint_eq(incoming.share, SAM_RECORD_OVERHEAD + LIMIT);
        sam_connection_drop(&server.connection, &incoming);
        ck_assert_uint_eq(memory.left, 2 * LIMIT);
        restore_session(&server, before);
    }
    /* A small one asks for no share, even when there is none. */
    memory.left = 0;
    peer_request(&client, SAM_KIND_SEND, "small", 5);
    peer_expect(&server, SAM_KIND_SEND, "small", 5);
    sam_memory_destroy(&memory);
    part();
}
END_TEST

START_TEST(rsa_rests_after_the_exchange) {
    enum { ROUNDS = 200 };
    begin();
    struct sam_crypto *const both[] = {client.crypto, server.crypto};
    for (int round = 0; round < ROUNDS; round++) {
        peer_request(&client, SAM_KIND_SEND, "hello", 5);
        answer(SAM_KIND_SEND, "hello", 5, SAM_KIND_REPLY, "olleh", 5);
        peer_expect(&client, SAM_KIND_REPLY, "olleh", 5);
    }
    ck_status(sam_connection_close(&client.connection), SAM_OK);
    peer_expect(&server, SAM_KIND_CLOSE, "", 0);
    for (int i = 0; i < 2; i++) {
        /* Of the exchange: each end signs and opens once, and seals and verifies once. */
        ck_assert_uint_eq(sam_crypto_count(both[i]).private_operations, 2);
        ck_assert_uint_eq(sam_crypto_count(both[i]).public_operations, 2);
    }
    part();
}
END_TEST

START_TEST(a_close_still_fits_behind_the_last_record) {
    struct sam_envelope envelope;
    begin();
    /* The session's request was the first envelope: the lane is one behind. */
    client.connection.sequence = server.connection.expected.sequence = UINT32_MAX - 1;
    client.connection.session.out.sequence = UINT32_MAX - 2;
    server.connection.session.in.sequence = UINT32_MAX - 2;
    peer_request(&client, SAM_KIND_SEND, "last", 4);
    answer(SAM_KIND_SEND, "last", 4, SAM_KIND_REPLY, "", 0);
    ck_status(sam_connection_start(&client.connection, &envelope, &client.other, 4), SAM_OK);
    memcpy(envelope.message, "over", 4);
    ck_status(sam_connection_seal(&client.connection, &envelope, SAM_KIND_SEND), SAM_LAST_SEQUENCE);
    ck_assert_ptr_null(envelope.bytes.data);
    ck_status(sam_connection_close(&client.connection), SAM_OK);
    peer_expect(&server, SAM_KIND_CLOSE, "", 0);
    peer_expect(&client, SAM_KIND_REPLY, "", 0);
    part();
}
END_TEST

TCase *session_exchange_case(void) {
    TCase *exchange = tcase_create("the exchange, and what it is for");
    tcase_set_timeout(exchange, TEST_SECONDS);
    tcase_add_unchecked_fixture(exchange, load_people, free_people);
    tcase_add_test(exchange, a_server_share_of_another_length_begins_nothing);
    tcase_add_test(exchange, no_session_begins_without_the_servers_own_answer);
    tcase_add_test(exchange, envelopes_go_on_after_a_refuse);
    tcase_add_test(exchange, both_ends_derive_the_keys_of_what_has_travelled);
    tcase_add_test(exchange, every_session_has_other_keys);
    tcase_add_test(exchange, each_side_draws_a_share_of_its_own);
    tcase_add_test(exchange, records_pass_both_ways);
    tcase_add_test(exchange, who_gets_a_close_answers_what_is_open);
    tcase_add_loop_test(exchange, an_end_without_a_close_is_a_cut, 0, 2);
    tcase_add_test(exchange, a_rejection_ends_the_servers_session);
    tcase_add_loop_test(exchange, the_longest_message_passes_and_none_longer, 0, 2);
    tcase_add_test(exchange, memory_grows_with_what_arrives);
    tcase_add_test(exchange, rsa_rests_after_the_exchange);
    tcase_add_test(exchange, a_close_still_fits_behind_the_last_record);
    return exchange;
}
