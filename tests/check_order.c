/* Freshness and order (docs/protocol.md, section 4), both roles in one process: what was made for
 * another connection, another place or by another sender does not pass. */
#include <string.h>
#include <unistd.h>

#include "peer.h"

static struct peer client, server;

static void meet(int mode) {
    peers_meet(&client, &server, modes[mode]);
}

static void part(void) {
    peer_close(&client);
    peer_close(&server);
}

/* Writes an envelope as it is and says what the server finds. */
static enum sam_status at_server(const struct sam_envelope *envelope) {
    struct sam_incoming incoming;
    write_raw(client.connection.fd, envelope->bytes.data, envelope->bytes.length);
    enum sam_status status = peer_take(&server, &incoming);
    if (status == SAM_OK)
        sam_connection_drop(&server.connection, &incoming);
    return status;
}

/* A request that the server takes; its header is what an answer refers to. */
static struct sam_header asked(void) {
    struct sam_incoming request;
    peer_request(&client, SAM_KIND_RECV, "", 0);
    ck_status(peer_take(&server, &request), SAM_OK);
    struct sam_header header = request.envelope.header;
    sam_connection_drop(&server.connection, &request);
    return header;
}

static void answer(const struct sam_header *request, enum sam_kind kind) {
    ck_status(sam_connection_answer(&server.connection, request, person("alice"), kind, "yes", 3),
              SAM_OK);
}

static enum sam_status at_client(void) {
    struct sam_incoming incoming;
    enum sam_status status = peer_take(&client, &incoming);
    if (status == SAM_OK)
        sam_connection_drop(&client.connection, &incoming);
    return status;
}

START_TEST(an_envelope_of_another_challenge_is_stale) {
    meet(_i);
    client.connection.greeting.challenge[SAM_ID_SIZE - 1] ^= 1;
    struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "old", 3);
    ck_status(at_server(&envelope), SAM_STALE);
    sam_envelope_free(&envelope);
    part();
}
END_TEST

START_TEST(an_envelope_out_of_its_place_is_out_of_order) {
    static const uint32_t sequences[] = {1, 2, 256, UINT32_MAX - 1};
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
        meet(_i);
        client.connection.sequence = sequences[i];
        struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "later", 5);
        ck_status(at_server(&envelope), SAM_ORDER);
        sam_envelope_free(&envelope);
        part();
    }
}
END_TEST

START_TEST(two_envelopes_in_the_wrong_order_do_not_pass) {
    meet(_i);
    struct sam_envelope first = peer_seal(&client, SAM_KIND_SEND, "first", 5);
    struct sam_envelope second = peer_seal(&client, SAM_KIND_SEND, "second", 6);
    ck_status(at_server(&second), SAM_ORDER);
    sam_envelope_free(&first);
    sam_envelope_free(&second);
    part();
}
END_TEST

START_TEST(a_replay_on_the_same_connection_is_out_of_order) {
    meet(_i);
    struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "once", 4);
    ck_status(at_server(&envelope), SAM_OK);
    ck_status(at_server(&envelope), SAM_ORDER);
    sam_envelope_free(&envelope);
    part();
}
END_TEST

START_TEST(a_replay_on_another_connection_is_stale) {
    meet(_i);
    struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "once", 4);
    ck_status(at_server(&envelope), SAM_OK);
    part();
    meet(_i);
    ck_status(at_server(&envelope), SAM_STALE);
    sam_envelope_free(&envelope);
    part();
}
END_TEST

/* Mallory's trick of section 4: Alice's envelopes first, then her own on the same connection. Here
 * Carol, whom the server trusts, goes on after Alice. */
START_TEST(a_second_sender_on_one_connection_is_rejected) {
    meet(_i);
    struct sam_envelope first = peer_seal(&client, SAM_KIND_SEND, "alice", 5);
    ck_status(at_server(&first), SAM_OK);
    client.own = *person("carol");
    struct sam_envelope second = peer_seal(&client, SAM_KIND_SEND, "carol", 5);
    ck_status(at_server(&second), SAM_OTHER_SENDER);
    sam_envelope_free(&first);
    sam_envelope_free(&second);
    part();
}
END_TEST

START_TEST(a_sender_that_failed_to_open_binds_nobody) {
    meet(_i);
    struct sam_envelope altered = peer_seal(&client, SAM_KIND_SEND, "alice", 5);
    altered.bytes.data[altered.bytes.length - 1] ^= 1;
    enum sam_status wanted = modes[_i]->number == 1 ? SAM_SIGNATURE : SAM_DECRYPT;
    ck_status(at_server(&altered), wanted);
    ck_assert_ptr_null(server.connection.expected.sender);
    ck_assert_uint_eq(server.connection.expected.sequence, 0);
    sam_envelope_free(&altered);
    part();
}
END_TEST

START_TEST(only_trusted_senders_pass) {
    struct sam_key impostor = *person("mallory");
    memcpy(impostor.id, person("alice")->id, sizeof impostor.id);
    struct sam_key self = *person("bob");
    const struct {
        const struct sam_key *own;
        enum sam_status wanted;
    } senders[] = {{person("mallory"), SAM_STRANGER},
                   {&impostor, SAM_SIGNATURE},
                   {&self, SAM_STRANGER}, /* the server's own key is trusted for nothing */
                   {person("carol"), SAM_OK}};
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        meet(_i);
        client.own = *senders[i].own;
        struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "me", 2);
        ck_status(at_server(&envelope), senders[i].wanted);
        sam_envelope_free(&envelope);
        part();
    }
}
END_TEST

START_TEST(a_server_takes_only_what_clients_send) {
    for (unsigned kind = 0; kind < 256; kind++) {
        bool may = kind < 32 && ((unsigned)SAM_KINDS_OF_CLIENT >> kind & 1) != 0;
        if (kind > 16 && kind % 32 != 1)
            continue; /* a few of the large ones, such as those that differ by 32 from a good one */
        meet(_i);
        struct sam_envelope envelope = peer_seal(&client, (enum sam_kind)kind, "", 0);
        ck_status(at_server(&envelope), may ? SAM_OK : SAM_KIND);
        sam_envelope_free(&envelope);
        part();
    }
}
END_TEST

START_TEST(a_client_takes_only_answers) {
    for (unsigned kind = 0; kind < 10; kind++) {
        meet(_i);
        struct sam_header request = asked();
        answer(&request, (enum sam_kind)kind);
        bool may = kind == SAM_KIND_REPLY || kind == SAM_KIND_REFUSE;
        ck_status(at_client(), may ? SAM_OK : SAM_KIND);
        part();
    }
}
END_TEST

START_TEST(an_answer_to_another_request_is_stale) {
    meet(_i);
    struct sam_header first = asked();
    answer(&first, SAM_KIND_REPLY);
    ck_status(at_client(), SAM_OK);
    asked();
    answer(&first, SAM_KIND_REPLY);
    ck_status(at_client(), SAM_STALE);
    part();
    meet(_i);
    asked();
    answer(&first, SAM_KIND_REPLY); /* not even of this connection */
    ck_status(at_client(), SAM_STALE);
    part();
}
END_TEST

START_TEST(a_second_answer_is_refused) {
    meet(_i);
    struct sam_header request = asked();
    answer(&request, SAM_KIND_REPLY);
    answer(&request, SAM_KIND_REPLY);
    ck_status(at_client(), SAM_OK);
    ck_assert_int_ne(sam_status_step(at_client()), 0);
    part();
}
END_TEST

START_TEST(a_second_answer_does_not_answer_the_next_request) {
    meet(_i);
    struct sam_header request = asked();
    answer(&request, SAM_KIND_REPLY);
    answer(&request, SAM_KIND_REPLY);
    ck_status(at_client(), SAM_OK);
    asked();
    ck_status(at_client(), SAM_STALE);
    part();
}
END_TEST

START_TEST(nothing_answers_before_a_request) {
    meet(_i);
    const struct sam_header none = {0};
    answer(&none, SAM_KIND_REPLY);
    ck_assert_int_ne(sam_status_step(at_client()), 0);
    part();
}
END_TEST

START_TEST(an_answer_has_sequence_zero) {
    meet(_i);
    struct sam_header request = asked();
    struct sam_address address = {.kind = SAM_KIND_REPLY, .sequence = 1};
    memcpy(address.reference, request.message_id, SAM_ID_SIZE);
    struct sam_envelope envelope = seal_at(&server.party, person("alice"), &address, "push", 4);
    write_raw(server.connection.fd, envelope.bytes.data, envelope.bytes.length);
    ck_status(at_client(), SAM_ORDER);
    sam_envelope_free(&envelope);
    part();
}
END_TEST

START_TEST(only_the_addressed_server_answers) {
    struct sam_key impostor = *person("carol");
    memcpy(impostor.id, person("bob")->id, sizeof impostor.id);
    const struct {
        const struct sam_key *own;
        enum sam_status wanted;
    } servers[] = {
        {person("carol"), SAM_STRANGER}, /* whom the server trusts, the client did not address */
        {&impostor, SAM_KEY_MISMATCH},
        {person("alice"), SAM_STRANGER}, /* the client's own words come back */
    };
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        meet(_i);
        struct sam_header request = asked();
        server.own = *servers[i].own;
        answer(&request, SAM_KIND_REPLY);
        ck_status(at_client(), servers[i].wanted);
        part();
    }
}
END_TEST

START_TEST(an_impostor_with_a_key_of_the_same_size_does_not_answer) {
    meet(_i);
    /* Alice is the server here and mallory, of the same size, signs in her name. */
    client.own = *person("bob");
    client.other = *person("alice");
    server.own = *person("alice");
    struct sam_header request = asked();
    server.own = *person("mallory");
    memcpy(server.own.id, person("alice")->id, sizeof server.own.id);
    ck_status(
        sam_connection_answer(&server.connection, &request, person("bob"), SAM_KIND_REPLY, "no", 2),
        SAM_OK);
    ck_status(at_client(), SAM_SIGNATURE);
    part();
}
END_TEST

START_TEST(a_rejection_may_come_instead_of_an_answer) {
    uint8_t bytes[SAM_REJECTION_SIZE];
    meet(_i);
    asked();
    sam_rejection_write(bytes, modes[_i]->number);
    write_raw(server.connection.fd, bytes, sizeof bytes);
    ck_status(at_client(), SAM_REJECTED);
    part();
    for (size_t offset = 0; offset < sizeof bytes; offset++) {
        meet(_i);
        asked();
        sam_rejection_write(bytes, modes[_i]->number);
        bytes[offset] ^= 0x81;
        write_raw(server.connection.fd, bytes, sizeof bytes);
        shutdown(server.connection.fd, SHUT_WR);
        ck_assert_int_eq(sam_status_step(at_client()), 1);
        part();
    }
}
END_TEST

START_TEST(a_server_takes_no_rejection) {
    uint8_t bytes[SAM_REJECTION_SIZE];
    meet(_i);
    sam_rejection_write(bytes, modes[_i]->number);
    write_raw(client.connection.fd, bytes, sizeof bytes);
    struct sam_incoming incoming;
    ck_status(peer_take(&server, &incoming), SAM_TYPE);
    part();
}
END_TEST

START_TEST(a_rejection_is_found_when_the_server_has_gone) {
    uint8_t bytes[SAM_REJECTION_SIZE];
    sam_rejection_write(bytes, modes[_i]->number);
    for (int said = 0; said < 2; said++) {
        meet(_i);
        struct sam_envelope envelope = peer_seal(&client, SAM_KIND_SEND, "too late", 8);
        if (said)
            write_raw(server.connection.fd, bytes, sizeof bytes);
        close(server.connection.fd);
        server.connection.fd = -1;
        ck_status(sam_connection_send(&client.connection, &envelope),
                  said ? SAM_REJECTED : SAM_CLOSED);
        sam_envelope_free(&envelope);
        part();
    }
}
END_TEST

TCase *order_case(void) {
    TCase *order = tcase_create("freshness and order");
    tcase_set_timeout(order, TEST_SECONDS);
    tcase_add_unchecked_fixture(order, load_people, free_people);
    tcase_add_loop_test(order, an_envelope_of_another_challenge_is_stale, 0, 2);
    tcase_add_loop_test(order, an_envelope_out_of_its_place_is_out_of_order, 0, 2);
    tcase_add_loop_test(order, two_envelopes_in_the_wrong_order_do_not_pass, 0, 2);
    tcase_add_loop_test(order, a_replay_on_the_same_connection_is_out_of_order, 0, 2);
    tcase_add_loop_test(order, a_replay_on_another_connection_is_stale, 0, 2);
    tcase_add_loop_test(order, a_second_sender_on_one_connection_is_rejected, 0, 2);
    tcase_add_loop_test(order, a_sender_that_failed_to_open_binds_nobody, 0, 2);
    tcase_add_loop_test(order, only_trusted_senders_pass, 0, 2);
    tcase_add_loop_test(order, a_server_takes_only_what_clients_send, 0, 2);
    tcase_add_loop_test(order, a_client_takes_only_answers, 0, 2);
    tcase_add_loop_test(order, an_answer_to_another_request_is_stale, 0, 2);
    tcase_add_loop_test(order, a_second_answer_is_refused, 0, 2);
    tcase_add_loop_test(order, a_second_answer_does_not_answer_the_next_request, 0, 2);
    tcase_add_loop_test(order, nothing_answers_before_a_request, 0, 2);
    tcase_add_loop_test(order, an_answer_has_sequence_zero, 0, 2);
    tcase_add_loop_test(order, only_the_addressed_server_answers, 0, 2);
    tcase_add_loop_test(order, an_impostor_with_a_key_of_the_same_size_does_not_answer, 0, 2);
    tcase_add_loop_test(order, a_rejection_may_come_instead_of_an_answer, 0, 2);
    tcase_add_loop_test(order, a_server_takes_no_rejection, 0, 2);
    tcase_add_loop_test(order, a_rejection_is_found_when_the_server_has_gone, 0, 2);
    return order;
}
