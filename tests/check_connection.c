/* Floor 4, the greeting and one envelope after another, both roles in one process. What makes an
 * envelope stale or out of order is in check_order.c, sockets and memory are in check_net.c. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"
#include "suites.h"

/* What a client says to these bytes in the place of a greeting, after which the server ends when
 * it is told to; asserts that the client has sent nothing. */
static enum sam_status meet_bytes(const struct sam_mode *mode, const uint8_t *bytes, size_t length,
                                  bool ends) {
    int ends_of[2];
    struct peer client;
    socket_pair(ends_of);
    peer_open(&client, mode, person("alice"), ends_of[0]);
    client.other = *person("bob");
    client.addressed = (struct sam_ring){&client.other, 1};
    write_raw(ends_of[1], bytes, length);
    if (ends)
        shutdown(ends_of[1], SHUT_WR);
    enum sam_status status = sam_connection_meet(&client.connection, &client.addressed);
    uint8_t sent;
    ck_assert_msg(recv(ends_of[1], &sent, 1, 0) < 0, "the client has sent something");
    peer_close(&client);
    close(ends_of[1]);
    return status;
}

static void good_greeting(uint8_t bytes[SAM_GREETING_SIZE], const struct sam_mode *mode) {
    struct sam_greeting greeting = {.mode = mode->number, .max_message = mode->max_message};
    memset(greeting.challenge, 0xc5, sizeof greeting.challenge);
    memcpy(greeting.server, person("bob")->id, sizeof greeting.server);
    sam_greeting_write(bytes, &greeting);
}

/* The status due when a bit of the byte at offset is flipped. */
static enum sam_status greeting_status(size_t offset, const uint8_t *bytes) {
    static const enum sam_status prologue[SAM_PROLOGUE_SIZE] = {
        SAM_MAGIC, SAM_MAGIC, SAM_MAGIC, SAM_TYPE, SAM_VERSION, SAM_MODE, SAM_KIND, SAM_RESERVED};
    if (offset < SAM_PROLOGUE_SIZE)
        return prologue[offset];
    if (offset < 12)
        return sam_get32(bytes + 8) > SAM_MESSAGE_LIMIT ? SAM_LENGTH : SAM_OK;
    if (offset < 16)
        return SAM_RESERVED;
    return offset < 32 ? SAM_OK : SAM_OTHER_SERVER;
}

START_TEST(a_greeting_is_checked_to_the_bit) {
    uint8_t bytes[SAM_GREETING_SIZE];
    good_greeting(bytes, modes[_i]);
    ck_status(meet_bytes(modes[_i], bytes, sizeof bytes, false), SAM_OK);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum sam_status wanted = greeting_status(bit / 8, bytes);
        enum sam_status got = meet_bytes(modes[_i], bytes, sizeof bytes, false);
        ck_assert_msg(got == wanted, "bit %zu: expected %s, got %s", bit, sam_status_name(wanted),
                      sam_status_name(got));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

START_TEST(a_greeting_of_another_kind_of_server_is_refused) {
    uint8_t bytes[SAM_GREETING_SIZE];
    good_greeting(bytes, modes[1 - _i]);
    ck_status(meet_bytes(modes[_i], bytes, sizeof bytes, false), SAM_MODE);
    good_greeting(bytes, modes[_i]);
    memset(bytes + 16, 0, SAM_ID_SIZE);
    ck_status(meet_bytes(modes[_i], bytes, sizeof bytes, false), SAM_CHALLENGE);
    good_greeting(bytes, modes[_i]);
    memcpy(bytes + 32, person("carol")->id, SAM_KEY_ID_SIZE);
    ck_status(meet_bytes(modes[_i], bytes, sizeof bytes, false), SAM_OTHER_SERVER);
    good_greeting(bytes, modes[_i]);
    sam_put32(bytes + 8, SAM_MESSAGE_LIMIT);
    ck_status(meet_bytes(modes[_i], bytes, sizeof bytes, false), SAM_OK);
    sam_put32(bytes + 8, 0);
    ck_status(meet_bytes(modes[_i], bytes, sizeof bytes, false), SAM_OK);
}
END_TEST

START_TEST(a_greeting_cut_at_any_length_is_no_greeting) {
    uint8_t bytes[SAM_GREETING_SIZE];
    good_greeting(bytes, modes[_i]);
    ck_status(meet_bytes(modes[_i], bytes, 0, true), SAM_CLOSED);
    for (size_t length = 1; length < sizeof bytes; length++)
        ck_status(meet_bytes(modes[_i], bytes, length, true), SAM_TRUNCATED);
}
END_TEST

START_TEST(a_rejection_may_come_instead_of_a_greeting) {
    static const enum sam_status prologue[SAM_PROLOGUE_SIZE] = {
        SAM_MAGIC, SAM_MAGIC, SAM_MAGIC, SAM_TYPE, SAM_VERSION, SAM_MODE, SAM_KIND, SAM_RESERVED};
    uint8_t bytes[SAM_REJECTION_SIZE];
    sam_rejection_write(bytes, modes[_i]->number);
    ck_status(meet_bytes(modes[_i], bytes, sizeof bytes, false), SAM_REJECTED);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_status(meet_bytes(modes[_i], bytes, sizeof bytes, true),
                  bit / 8 < SAM_PROLOGUE_SIZE ? prologue[bit / 8] : SAM_RESERVED);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t length = 1; length < sizeof bytes; length++)
        ck_status(meet_bytes(modes[_i], bytes, length, true), SAM_TRUNCATED);
}
END_TEST

START_TEST(every_connection_has_another_challenge) {
    struct peer client[2], server[2];
    for (int i = 0; i < 2; i++)
        peers_meet(&client[i], &server[i], modes[_i]);
    ck_assert_mem_eq(client[0].connection.greeting.challenge,
                     server[0].connection.greeting.challenge, SAM_ID_SIZE);
    ck_assert_mem_ne(client[0].connection.greeting.challenge,
                     client[1].connection.greeting.challenge, SAM_ID_SIZE);
    for (int i = 0; i < 2; i++) {
        peer_close(&client[i]);
        peer_close(&server[i]);
    }
}
END_TEST

START_TEST(requests_and_answers_take_turns) {
    struct peer client, server;
    struct sam_incoming request;
    uint8_t message[256];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    peers_meet(&client, &server, modes[_i]);
    static const size_t lengths[] = {0, 1, sizeof message};
    for (size_t i = 0; i < 3; i++) {
        peer_request(&client, SAM_KIND_SEND, message, lengths[i]);
        ck_status(peer_take(&server, &request), SAM_OK);
        ck_assert_str_eq(request.sender->name, "alice");
        ck_assert_uint_eq(request.envelope.header.sequence, i);
        ck_assert_uint_eq(request.envelope.message_length, lengths[i]);
        ck_assert_mem_eq(request.envelope.message, message, lengths[i]);
        ck_status(sam_connection_answer(&server.connection, &request.envelope.header,
                                        request.sender, i == 1 ? SAM_KIND_REFUSE : SAM_KIND_REPLY,
                                        message, lengths[2 - i]),
                  SAM_OK);
        sam_connection_drop(&server.connection, &request);
        ck_assert_ptr_null(request.envelope.bytes.data);
        peer_expect(&client, i == 1 ? SAM_KIND_REFUSE : SAM_KIND_REPLY, message, lengths[2 - i]);
    }
    ck_assert_uint_eq(client.connection.bytes_sent, server.connection.bytes_received);
    ck_assert_uint_eq(server.connection.bytes_sent, client.connection.bytes_received);
    peer_close(&client);
    ck_status(peer_take(&server, &request), SAM_CLOSED);
    peer_close(&server);
}
END_TEST

/* Gives the server bytes on a socket of their own, then an end or silence. Receiving changes
 * nothing of a connection, so one server can be asked again and again. */
static enum sam_status receive_bytes(struct peer *server, const uint8_t *bytes, size_t length,
                                     bool ends, struct sam_incoming *incoming) {
    int sockets[2], before = server->connection.fd;
    socket_pair(sockets);
    server->connection.fd = sockets[1];
    write_raw(sockets[0], bytes, length);
    if (ends)
        shutdown(sockets[0], SHUT_WR);
    *incoming = (struct sam_incoming){0};
    enum sam_status status = sam_connection_receive(&server->connection, incoming);
    server->connection.fd = before;
    server->connection.ahead_from = server->connection.ahead_to = 0;
    close(sockets[0]);
    close(sockets[1]);
    return status;
}

START_TEST(an_envelope_cut_at_any_length_is_truncated) {
    struct peer client, server;
    struct sam_incoming incoming;
    peers_meet(&client, &server, modes[_i]);
    struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "cut", 3);
    for (size_t length = 0; length <= envelope.bytes.length; length++) {
        enum sam_status wanted = length == 0 ? SAM_CLOSED : SAM_TRUNCATED;
        ck_status(receive_bytes(&server, envelope.bytes.data, length, true, &incoming),
                  length == envelope.bytes.length ? SAM_OK : wanted);
        ck_assert(length == envelope.bytes.length || incoming.envelope.message == NULL);
        sam_connection_drop(&server.connection, &incoming);
    }
    sam_envelope_free(&envelope);
    peer_close(&client);
    peer_close(&server);
}
END_TEST

/* What is due when the byte at offset of a header is altered; SAM_OK where the header alone does
 * not tell, SAM_STATUS_COUNT for any status of step 1. */
static enum sam_status header_status(size_t offset) {
    static const struct {
        size_t end;
        enum sam_status status;
    } fields[] = {{3, SAM_MAGIC},         {4, SAM_TYPE},   {5, SAM_VERSION},
                  {6, SAM_MODE},          {7, SAM_KIND},   {8, SAM_RESERVED},
                  {16, SAM_STATUS_COUNT}, {20, SAM_ORDER}, {24, SAM_RESERVED},
                  {48, SAM_OK},           {64, SAM_STALE}, {96, SAM_STRANGER},
                  {128, SAM_RECIPIENT}};
    size_t i = 0;
    while (offset >= fields[i].end)
        i++;
    return fields[i].status;
}

START_TEST(a_bad_header_is_told_before_the_body_arrives) {
    struct peer client, server;
    struct sam_incoming incoming;
    peers_meet(&client, &server, modes[_i]);
    struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "header", 6);
    for (size_t offset = 0; offset < SAM_HEADER_SIZE; offset++) {
        uint8_t header[SAM_HEADER_SIZE];
        memcpy(header, envelope.bytes.data, sizeof header);
        header[offset] ^= 0x80;
        enum sam_status wanted = header_status(offset);
        if (wanted == SAM_OK || (offset >= 12 && offset < 16))
            continue; /* the body decides, or the length is a possible one */
        /* The other end stays open and silent: waiting for the body would fail by the time. */
        enum sam_status got = receive_bytes(&server, header, sizeof header, false, &incoming);
        if (wanted == SAM_STATUS_COUNT)
            ck_assert_int_eq(sam_status_step(got), 1);
        else
            ck_status(got, wanted);
        ck_assert_ptr_null(incoming.sender);
        sam_connection_drop(&server.connection, &incoming);
    }
    uint8_t *header = envelope.bytes.data;
    memset(header + 12, 0xff, 4);
    ck_status(receive_bytes(&server, header, SAM_HEADER_SIZE, false, &incoming), SAM_LENGTH);
    sam_connection_drop(&server.connection, &incoming);
    sam_envelope_free(&envelope);
    peer_close(&client);
    peer_close(&server);
}
END_TEST

START_TEST(memory_grows_with_what_arrives) {
    enum { MEBI = 1024 * 1024, LIMIT = 16 * MEBI, ARRIVES = 6000 };
    struct peer client, server;
    struct sam_incoming incoming;
    struct sam_memory memory;
    uint8_t bytes[ARRIVES] = {0};
    peers_meet(&client, &server, modes[_i]);
    server.connection.expected.max_message = LIMIT;
    ck_status(sam_memory_init(&memory, 2 * LIMIT), SAM_OK);
    server.connection.memory = &memory;
    struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "small", 5);
    memcpy(bytes, envelope.bytes.data, SAM_HEADER_SIZE);
    struct sam_layout layout = modes[_i]->layout(
        SAM_SALT_SIZE + LIMIT, envelope.header.signature_length, envelope.header.block_length);
    sam_put32(bytes + 12, (uint32_t)layout.length);
    for (size_t arrived = SAM_HEADER_SIZE + 1; arrived <= ARRIVES; arrived += 587) {
        ck_status(receive_bytes(&server, bytes, arrived, true, &incoming), SAM_TRUNCATED);
        size_t capacity = incoming.envelope.bytes.capacity;
        ck_assert_msg(capacity <= 4096 || capacity <= 2 * arrived, "%zu bytes for %zu", capacity,
                      arrived);
        ck_assert_uint_eq(memory.left, 2 * LIMIT - incoming.share);
        ck_assert_uint_eq(incoming.share, SAM_HEADER_SIZE + layout.length);
        sam_connection_drop(&server.connection, &incoming);
        ck_assert_uint_eq(memory.left, 2 * LIMIT);
    }
    /* A small one asks for no share, even when there is none. */
    memory.left = 0;
    ck_status(receive_bytes(&server, envelope.bytes.data, envelope.bytes.length, true, &incoming),
              SAM_OK);
    ck_assert_uint_eq(incoming.share, 0);
    sam_connection_drop(&server.connection, &incoming);
    sam_envelope_free(&envelope);
    sam_memory_destroy(&memory);
    peer_close(&client);
    peer_close(&server);
}
END_TEST

/* A greeting that offers more than the mode's own limit is not authenticated, so it does not make
 * the client take a longer answer. */
START_TEST(a_greeting_does_not_raise_the_limit_of_answers) {
    struct peer client, server;
    struct sam_incoming request, answer;
    uint8_t bytes[SAM_GREETING_SIZE], header[SAM_HEADER_SIZE];
    peers_meet(&client, &server, modes[_i]);
    client.connection.is_client = false; /* it meets the same server once more */
    server.connection.greeting.max_message = SAM_MESSAGE_LIMIT;
    sam_greeting_write(bytes, &server.connection.greeting);
    write_raw(server.connection.fd, bytes, sizeof bytes);
    ck_status(sam_connection_meet(&client.connection, &client.addressed), SAM_OK);
    ck_assert_uint_eq(client.connection.greeting.max_message, SAM_MESSAGE_LIMIT);
    peer_request(&client, SAM_KIND_RECV, "", 0);
    ck_status(peer_take(&server, &request), SAM_OK);
    struct sam_address address = {.kind = SAM_KIND_REPLY};
    memcpy(address.reference, request.envelope.header.message_id, SAM_ID_SIZE);
    sam_connection_drop(&server.connection, &request);
    struct sam_envelope reply = seal_at(&server.party, person("alice"), &address, "long", 4);
    memcpy(header, reply.bytes.data, sizeof header);
    size_t longest = modes[_i]
                         ->layout(SAM_SALT_SIZE + (size_t)modes[_i]->max_message,
                                  reply.header.signature_length, reply.header.block_length)
                         .length;
    sam_put32(header + 12,
              (uint32_t)longest + (modes[_i]->number == 1 ? reply.header.block_length : 1));
    write_raw(server.connection.fd, header, sizeof header);
    ck_status(peer_take(&client, &answer), SAM_LENGTH);
    sam_envelope_free(&reply);
    peer_close(&client);
    peer_close(&server);
}
END_TEST

START_TEST(a_connection_ends_before_its_sequence_wraps) {
    struct peer client, server;
    struct sam_incoming request;
    struct sam_envelope envelope;
    peers_meet(&client, &server, modes[_i]);
    client.connection.sequence = server.connection.expected.sequence = UINT32_MAX - 1;
    peer_request(&client, SAM_KIND_SEND, "last", 4);
    ck_status(peer_take(&server, &request), SAM_OK);
    sam_connection_drop(&server.connection, &request);
    ck_status(sam_envelope_start(&envelope, &client.party, &client.other, 0), SAM_OK);
    ck_status(sam_connection_seal(&client.connection, &envelope, SAM_KIND_SEND), SAM_LAST_SEQUENCE);
    ck_assert_ptr_null(envelope.bytes.data);
    ck_status(peer_take(&server, &request), SAM_LAST_SEQUENCE);
    peer_close(&client);
    peer_close(&server);
}
END_TEST

Suite *connection_suite(void) {
    Suite *suite = suite_create("connection");
    TCase *greeting = tcase_create("greeting and envelopes");
    tcase_set_timeout(greeting, TEST_SECONDS);
    tcase_add_unchecked_fixture(greeting, load_people, free_people);
    tcase_add_loop_test(greeting, a_greeting_is_checked_to_the_bit, 0, 2);
    tcase_add_loop_test(greeting, a_greeting_of_another_kind_of_server_is_refused, 0, 2);
    tcase_add_loop_test(greeting, a_greeting_cut_at_any_length_is_no_greeting, 0, 2);
    tcase_add_loop_test(greeting, a_rejection_may_come_instead_of_a_greeting, 0, 2);
    tcase_add_loop_test(greeting, every_connection_has_another_challenge, 0, 2);
    tcase_add_loop_test(greeting, requests_and_answers_take_turns, 0, 2);
    tcase_add_loop_test(greeting, an_envelope_cut_at_any_length_is_truncated, 0, 2);
    tcase_add_loop_test(greeting, a_bad_header_is_told_before_the_body_arrives, 0, 2);
    tcase_add_loop_test(greeting, memory_grows_with_what_arrives, 0, 2);
    tcase_add_loop_test(greeting, a_greeting_does_not_raise_the_limit_of_answers, 0, 2);
    tcase_add_loop_test(greeting, a_connection_ends_before_its_sequence_wraps, 0, 2);
    suite_add_tcase(suite, greeting);
    suite_add_tcase(suite, order_case());
    suite_add_tcase(suite, net_case());
    suite_add_tcase(suite, memory_case());
    return suite;
}
