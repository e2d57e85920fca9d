/* Sessions over a connection (docs/protocol.md, section 9), both roles in one process: whatever
 * somebody between the two does to a record ends the session, and hands nothing out. */
#include <string.h>

#include "sessions.h"

static const struct sam_mode *const mode = &sam_mode_asymmetric_symmetric;
static struct peer client, server;

/* With fixed keys, so that a session that has failed can be restored. */
static void begin(void) {
    begin_session(&client, &server);
    restore_session(&client, client.connection.session);
    restore_session(&server, server.connection.session);
}

static void part(void) {
    peer_close(&client);
    peer_close(&server);
}

static void taken(struct peer *to, const struct sam_bytes *record) {
    struct sam_incoming incoming;
    ck_status(give(to, record->data, record->length, &incoming), SAM_OK);
    sam_connection_drop(&to->connection, &incoming);
}

/* Asserts that these bytes end the session with that status, that nothing of them is handed out,
 * and that not even honest, the record that was due, passes any more. Then all is as before. */
static void refused(struct peer *to, const void *bytes, size_t length,
                    const struct sam_bytes *honest, enum sam_status wanted) {
    struct sam_incoming incoming;
    uint8_t word[SAM_RECORD_OVERHEAD + 4] = {0};
    const struct sam_session before = to->connection.session;
    struct sam_session *session = &to->connection.session;
    enum sam_status got = give(to, bytes, length, &incoming);
    const struct sam_bytes *body = &incoming.envelope.bytes;
    if (got != wanted || incoming.envelope.message != NULL || incoming.envelope.message_length > 0)
        ck_abort_msg("expected %s, got %s", sam_status_name(wanted), sam_status_name(got));
    if (got == SAM_DECRYPT && body->length > SAM_RECORD_OVERHEAD)
        ck_assert(sam_is_zero(body->data + SAM_RECORD_SIZE, body->length - SAM_RECORD_OVERHEAD));
    sam_connection_drop(&to->connection, &incoming);
    ck_assert(session->begun && session->in.key == NULL && session->out.key == NULL);
    ck_status(give(to, honest->data, honest->length, &incoming), SAM_KIND);
    sam_connection_drop(&to->connection, &incoming);
    ck_status(sam_record_seal(session, SAM_KIND_SEND, word, 4), SAM_CLOSED);
    ck_status(sam_connection_close(&to->connection), SAM_OK); /* it has nothing to say */
    ck_assert(!to->connection.closing);
    restore_session(to, before);
}

static void refused_record(struct peer *to, const struct sam_bytes *record,
                           const struct sam_bytes *honest, enum sam_status wanted) {
    refused(to, record->data, record->length, honest, wanted);
}

/* One record that is due, for the loops below: 0 a send to the server, 1 a reply to the client. */
static struct sam_bytes due_record(int direction, struct peer **from, struct peer **to) {
    begin();
    *from = direction == 0 ? &client : &server;
    *to = direction == 0 ? &server : &client;
    if (direction == 1)
        peer_request(&client, SAM_KIND_RECV, "", 0);
    return sealed_record(*from, direction == 0 ? SAM_KIND_SEND : SAM_KIND_REPLY, "hello", 5);
}

/* What section 9 says of a record of 5 bytes whose kind or whose length has been altered. */
static enum sam_status kind_status(int direction, unsigned kind) {
    bool may = direction == 0 ? kind >= 1 && kind <= 3 : kind == 4 || kind == 6;
    return may ? SAM_DECRYPT : SAM_KIND;
}

static enum sam_status length_status(uint32_t length) {
    if (length < 16 || length > 16 + mode->max_message)
        return SAM_LENGTH;
    return length > 16 + 5 ? SAM_TRUNCATED : SAM_DECRYPT;
}

static enum sam_status flipped_status(int direction, size_t bit, const uint8_t *record) {
    static const enum sam_status prologue[] = {SAM_MAGIC,   SAM_MAGIC, SAM_MAGIC, SAM_TYPE,
                                               SAM_VERSION, SAM_MODE,  SAM_KIND,  SAM_RESERVED};
    size_t offset = bit / 8;
    if (offset == 3 && record[3] == 'R' && direction == 1)
        return SAM_KIND; /* a rejection, which has none */
    if (offset == 6)
        return kind_status(direction, record[6]);
    if (offset < sizeof prologue / sizeof prologue[0])
        return prologue[offset];
    if (offset < 12)
        return SAM_ORDER;
    return offset < 16 ? length_status(sam_get32(record + 12)) : SAM_DECRYPT;
}

START_TEST(a_record_is_checked_to_the_bit) {
    struct peer *from, *to;
    struct sam_bytes record = due_record(_i, &from, &to), honest = {0};
    ck_status(sam_bytes_append(&honest, record.data, record.length), SAM_OK);
    for (size_t bit = 0; bit < 8 * record.length; bit++) {
        record.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refused_record(to, &record, &honest, flipped_status(_i, bit, record.data));
        record.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    taken(to, &record);
    sam_bytes_free(&record);
    sam_bytes_free(&honest);
    part();
}
END_TEST

START_TEST(a_record_cut_at_any_length_ends_the_session) {
    struct peer *from, *to;
    struct sam_bytes record = due_record(_i, &from, &to);
    refused(to, "", 0, &record, SAM_CUT);
    for (size_t length = 1; length < record.length; length++)
        refused(to, record.data, length, &record, SAM_TRUNCATED);
    taken(to, &record);
    sam_bytes_free(&record);
    part();
}
END_TEST

START_TEST(surplus_is_another_record_or_none) {
    struct peer *from, *to;
    struct sam_bytes record = due_record(_i, &from, &to), longer = {0};
    ck_status(sam_bytes_append(&longer, record.data, record.length), SAM_OK);
    ck_status(sam_bytes_append(&longer, "+", 1), SAM_OK);
    sam_put32(longer.data + 12, 16 + 5 + 1);
    refused_record(to, &longer, &record, SAM_DECRYPT);
    write_raw(from->connection.fd, record.data, record.length);
    write_raw(from->connection.fd, "surplus!", 8);
    peer_expect(to, _i == 0 ? SAM_KIND_SEND : SAM_KIND_REPLY, "hello", 5);
    struct sam_incoming incoming;
    ck_status(peer_take(to, &incoming), SAM_MAGIC);
    ck_assert(to->connection.session.in.key == NULL);
    sam_bytes_free(&record);
    sam_bytes_free(&longer);
    part();
}
END_TEST

START_TEST(a_record_out_of_its_place_ends_the_session) {
    struct peer *from, *to;
    struct sam_bytes first = due_record(_i, &from, &to);
    if (_i == 1)
        peer_request(&client, SAM_KIND_RECV, "", 0);
    struct sam_bytes second = sealed_record(from, (enum sam_kind)first.data[6], "world", 5);
    refused_record(to, &second, &first, SAM_ORDER); /* the first dropped, or both swapped */
    second.data[11] = 0;                            /* and renumbered */
    refused_record(to, &second, &first, SAM_DECRYPT);
    second.data[11] = 1;
    taken(to, &first);
    refused_record(to, &first, &second, SAM_ORDER); /* repeated */
    first.data[11] = 1;
    refused_record(to, &first, &second, SAM_DECRYPT);
    taken(to, &second);
    sam_bytes_free(&first);
    sam_bytes_free(&second);
    part();
}
END_TEST

START_TEST(a_record_of_another_session_does_not_pass) {
    struct peer other_client, other_server, *from, *to;
    begin_session(&other_client, &other_server);
    struct sam_bytes record = due_record(_i, &from, &to);
    struct sam_bytes other = sealed_record(_i == 0 ? &other_client : &other_server,
                                           (enum sam_kind)record.data[6], "hello", 5);
    ck_assert_mem_eq(other.data, record.data, SAM_RECORD_SIZE);
    refused_record(to, &other, &record, SAM_DECRYPT);
    memcpy(other.data, record.data, SAM_RECORD_SIZE + 5); /* the other's tag alone */
    refused_record(to, &other, &record, SAM_DECRYPT);
    struct sam_bytes close =
        sealed_record(_i == 0 ? &other_client : &other_server, SAM_KIND_CLOSE, "", 0);
    taken(to, &record);
    struct sam_bytes due = sealed_record(from, SAM_KIND_CLOSE, "", 0);
    refused_record(to, &close, &due, SAM_DECRYPT);
    taken(to, &due);
    struct sam_bytes *all[] = {&record, &other, &close, &due};
    for (size_t i = 0; i < 4; i++)
        sam_bytes_free(all[i]);
    peer_close(&other_client);
    peer_close(&other_server);
    part();
}
END_TEST

START_TEST(a_side_does_not_take_its_own_records) {
    struct peer *from, *to;
    struct sam_bytes due = due_record(_i, &from, &to);
    to->connection.session.out.sequence = 0; /* the client has asked already */
    struct sam_bytes own = sealed_record(to, _i == 0 ? SAM_KIND_REPLY : SAM_KIND_SEND, "hello", 5);
    refused_record(to, &own, &due, SAM_KIND);
    own.data[6] = due.data[6];
    refused_record(to, &own, &due, SAM_DECRYPT);
    sam_bytes_free(&due);
    sam_bytes_free(&own);
    part();
}
END_TEST

START_TEST(only_kinds_that_are_due_pass) {
    struct peer *from, *to;
    struct sam_bytes due = due_record(_i, &from, &to);
    for (unsigned kind = 0; kind < 256; kind++) {
        bool may = kind == SAM_KIND_CLOSE || kind_status(_i, kind) == SAM_DECRYPT;
        from->connection.session.out = (struct sam_lane){.key = from->connection.session.out.key};
        struct sam_bytes record = sealed_record(from, (enum sam_kind)kind, "", 0);
        if (!may)
            refused_record(to, &record, &due, SAM_KIND);
        sam_bytes_free(&record);
    }
    sam_bytes_free(&due);
    part();
}
END_TEST

START_TEST(no_other_unit_passes_in_a_session) {
    uint8_t unit[SAM_GREETING_SIZE];
    struct peer *from, *to;
    struct sam_bytes due = due_record(_i, &from, &to);
    struct sam_address address = {.kind = _i == 0 ? SAM_KIND_SEND : SAM_KIND_REPLY, .sequence = 1};
    memcpy(address.reference, client.connection.greeting.challenge, SAM_ID_SIZE);
    struct sam_envelope envelope =
        seal_at(&from->party, person(_i == 0 ? "bob" : "alice"), &address, "hello", 5);
    refused_record(to, &envelope.bytes, &due, SAM_TYPE);
    sam_greeting_write(unit, &server.connection.greeting);
    refused(to, unit, sizeof unit, &due, SAM_TYPE);
    sam_rejection_write(unit, mode->number);
    refused(to, unit, SAM_REJECTION_SIZE, &due, _i == 0 ? SAM_TYPE : SAM_REJECTED);
    /* An envelope is no way out of a session that has failed either. */
    sam_session_end(&to->connection.session);
    struct sam_incoming incoming;
    ck_status(give(to, envelope.bytes.data, envelope.bytes.length, &incoming), SAM_TYPE);
    sam_connection_drop(&to->connection, &incoming);
    sam_envelope_free(&envelope);
    sam_bytes_free(&due);
    part();
}
END_TEST

START_TEST(no_record_passes_before_a_session) {
    struct sam_incoming incoming;
    struct sam_bytes record;
    struct peer *from, *to;
    record = due_record(_i, &from, &to);
    part();
    peers_meet(&client, &server, mode);
    if (_i == 1)
        peer_request(&client, SAM_KIND_RECV, "", 0);
    ck_status(give(to, record.data, record.length, &incoming), SAM_TYPE);
    sam_connection_drop(&to->connection, &incoming);
    sam_bytes_free(&record);
    part();
}
END_TEST

/* Section 4, with the order in the place of the reference. */
static enum sam_status at_client(enum sam_kind kind, const char *message) {
    struct sam_incoming incoming;
    struct sam_bytes record = sealed_record(&server, kind, message, strlen(message));
    enum sam_status status = give(&client, record.data, record.length, &incoming);
    sam_connection_drop(&client.connection, &incoming);
    sam_bytes_free(&record);
    return status;
}

START_TEST(every_request_gets_one_answer) {
    begin();
    ck_status(at_client(SAM_KIND_REPLY, "nobody asked"), SAM_KIND);
    part();
    begin();
    peer_request(&client, SAM_KIND_SEND, "one", 3);
    peer_request(&client, SAM_KIND_RECV, "", 0);
    ck_status(at_client(SAM_KIND_REFUSE, "first"), SAM_OK);
    ck_assert_uint_eq(client.connection.unanswered_count, 1);
    ck_assert_uint_eq(client.connection.unanswered[0].kind, SAM_KIND_RECV);
    ck_status(at_client(SAM_KIND_REPLY, "second"), SAM_OK);
    ck_status(at_client(SAM_KIND_REPLY, "third"), SAM_KIND);
    part();
}
END_TEST

START_TEST(pushes_follow_the_reply_to_a_join) {
    static const enum sam_kind before[][2] = {
        {SAM_KIND_JOIN, SAM_KIND_CLOSE},  /* the join has no answer yet */
        {SAM_KIND_JOIN, SAM_KIND_REFUSE}, /* it was refused */
        {SAM_KIND_SEND, SAM_KIND_REPLY},  /* the answer is another's, the join behind it waits */
    };
    for (size_t i = 0; i < 3; i++) {
        begin();
        peer_request(&client, before[i][0], "", 0);
        peer_request(&client, SAM_KIND_JOIN, "", 0);
        if (before[i][1] != SAM_KIND_CLOSE)
            ck_status(at_client(before[i][1], ""), SAM_OK);
        ck_status(at_client(SAM_KIND_PUSH, "too soon"), SAM_KIND);
        part();
    }
    begin();
    peer_request(&client, SAM_KIND_JOIN, "", 0);
    peer_request(&client, SAM_KIND_SEND, "words", 5);
    ck_status(at_client(SAM_KIND_REPLY, ""), SAM_OK);
    ck_status(at_client(SAM_KIND_PUSH, "bob: between answers"), SAM_OK);
    ck_status(at_client(SAM_KIND_REPLY, ""), SAM_OK);
    ck_status(at_client(SAM_KIND_PUSH, "bob: behind them"), SAM_OK);
    ck_status(at_client(SAM_KIND_REPLY, "nobody asked"), SAM_KIND);
    part();
}
END_TEST

TCase *session_network_case(void) {
    TCase *network = tcase_create("over a connection");
    tcase_set_timeout(network, TEST_SECONDS);
    tcase_add_unchecked_fixture(network, load_people, free_people);
    tcase_add_loop_test(network, a_record_is_checked_to_the_bit, 0, 2);
    tcase_add_loop_test(network, a_record_cut_at_any_length_ends_the_session, 0, 2);
    tcase_add_loop_test(network, surplus_is_another_record_or_none, 0, 2);
    tcase_add_loop_test(network, a_record_out_of_its_place_ends_the_session, 0, 2);
    tcase_add_loop_test(network, a_record_of_another_session_does_not_pass, 0, 2);
    tcase_add_loop_test(network, a_side_does_not_take_its_own_records, 0, 2);
    tcase_add_loop_test(network, only_kinds_that_are_due_pass, 0, 2);
    tcase_add_loop_test(network, no_other_unit_passes_in_a_session, 0, 2);
    tcase_add_loop_test(network, no_record_passes_before_a_session, 0, 2);
    tcase_add_test(network, every_request_gets_one_answer);
    tcase_add_test(network, pushes_follow_the_reply_to_a_join);
    return network;
}
