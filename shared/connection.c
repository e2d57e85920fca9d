#include "connection.h"

#include <string.h>

#include "transfer.h"

enum {
    FIRST_READ = 512, /* room for a unit before more has been earned by bytes */
    ANSWERS = 1 << SAM_KIND_REPLY | 1 << SAM_KIND_REFUSE
};

static void trace_greeting(const struct sam_party *party, const uint8_t bytes[SAM_GREETING_SIZE]) {
    if (party->trace == NULL)
        return;
    sam_trace_step(party->trace, "the server greets",
                   "%d bytes; nothing in them is authenticated, and the challenge makes this\n"
                   "    connection unlike any other",
                   SAM_GREETING_SIZE);
    sam_show_unit(party->trace->out, SAM_GREETING, bytes);
}

enum sam_status sam_connection_greet(struct sam_connection *connection,
                                     const struct sam_ring *trusted, uint32_t max_message) {
    struct sam_greeting *greeting = &connection->greeting;
    greeting->mode = connection->party->mode->number;
    greeting->max_message = max_message;
    memcpy(greeting->server, connection->party->own->id, SAM_KEY_ID_SIZE);
    enum sam_status status = sam_random(greeting->challenge, SAM_ID_SIZE);
    if (status != SAM_OK)
        return status;
    connection->expected = (struct sam_expectation){
        .trusted = trusted,
        .kinds = SAM_KINDS_OF_CLIENT,
        .max_message = max_message,
    };
    memcpy(connection->expected.reference, greeting->challenge, SAM_ID_SIZE);
    uint8_t bytes[SAM_GREETING_SIZE];
    sam_greeting_write(bytes, greeting);
    trace_greeting(connection->party, bytes);
    return sam_write_unit(connection, bytes, sizeof bytes);
}

enum sam_status sam_connection_meet(struct sam_connection *connection,
                                    const struct sam_ring *server) {
    const struct sam_mode *mode = connection->party->mode;
    uint8_t bytes[SAM_GREETING_SIZE];
    enum sam_status status =
        sam_read_fixed(connection, sam_deadline_of(connection), "GR", 0, bytes, sizeof bytes);
    if (status == SAM_MAGIC && sam_unit_is_tls(bytes))
        status = SAM_TLS_SPOKEN;
    if (status == SAM_OK)
        status = sam_greeting_read(&connection->greeting, bytes, mode->number);
    if (status == SAM_OK &&
        !sam_equal(connection->greeting.server, server->keys[0].id, SAM_KEY_ID_SIZE))
        status = SAM_OTHER_SERVER;
    if (status != SAM_OK)
        return status;
    trace_greeting(connection->party, bytes);
    connection->is_client = true;
    connection->expected = (struct sam_expectation){
        .trusted = server,
        /* Our own limit: what the greeting says is not authenticated. */
        .max_message = mode->max_message,
    };
    return SAM_OK;
}

/* A server that closes while we still write has said why before: read it once more. */
static enum sam_status reason_for_close(struct sam_connection *connection) {
    uint8_t unit[SAM_REJECTION_SIZE];
    enum sam_status status =
        sam_read_fixed(connection, sam_deadline_of(connection), "R", 0, unit, sizeof unit);
    return status == SAM_REJECTED ? SAM_REJECTED : SAM_CLOSED;
}

enum sam_status sam_connection_start(const struct sam_connection *connection,
                                     struct sam_envelope *envelope, const struct sam_key *to,
                                     size_t length) {
    if (!connection->session.begun)
        return sam_envelope_start(envelope, connection->party, to, length);
    *envelope = (struct sam_envelope){0};
    if (length > SAM_MESSAGE_LIMIT)
        return SAM_TOO_LONG;
    enum sam_status status = sam_bytes_reserve(&envelope->bytes, SAM_RECORD_OVERHEAD + length);
    if (status != SAM_OK)
        return status;
    envelope->bytes.length = SAM_RECORD_OVERHEAD + length;
    envelope->message = envelope->bytes.data + SAM_RECORD_SIZE;
    envelope->message_length = length;
    return SAM_OK;
}

/* Seals what sam_connection_start began: for that address, or, in a session, as the next record. On
 * failure the envelope is freed. */
static enum sam_status seal(struct sam_connection *connection, struct sam_envelope *envelope,
                            const struct sam_key *to, const struct sam_address *address) {
    const struct sam_party *party = connection->party;
    if (!connection->session.begun)
        return sam_envelope_seal(envelope, party, to, address);
    enum sam_status status = sam_record_seal(&connection->session, address->kind,
                                             envelope->bytes.data, envelope->message_length);
    envelope->header = (struct sam_header){.mode = 2, .kind = (uint8_t)address->kind};
    envelope->message = NULL;
    envelope->message_length = 0;
    if (status != SAM_OK)
        sam_envelope_free(envelope);
    return status;
}

enum sam_status sam_connection_seal(struct sam_connection *connection,
                                    struct sam_envelope *envelope, enum sam_kind kind) {
    enum sam_status status = SAM_OK;
    if (connection->unanswered_count == SAM_UNANSWERED_MAX)
        status = SAM_UNANSWERED;
    else if (connection->sequence == UINT32_MAX)
        status = SAM_LAST_SEQUENCE;
    if (status != SAM_OK) {
        sam_envelope_free(envelope);
        return status;
    }
    struct sam_address address = {
        .kind = kind, .sequence = connection->sequence++, .sent_at = sam_unix_time()};
    memcpy(address.reference, connection->greeting.challenge, SAM_ID_SIZE);
    status = seal(connection, envelope, &connection->expected.trusted->keys[0], &address);
    if (status == SAM_OK) {
        struct sam_request *request = &connection->unanswered[connection->unanswered_count++];
        request->kind = kind;
        memcpy(request->id, envelope->header.message_id, SAM_ID_SIZE);
    }
    return status;
}

enum sam_status sam_connection_send(struct sam_connection *connection,
                                    const struct sam_envelope *envelope) {
    enum sam_status status =
        sam_write_unit(connection, envelope->bytes.data, envelope->bytes.length);
    bool has_reason = status == SAM_CLOSED && connection->is_client;
    return has_reason ? reason_for_close(connection) : status;
}

enum sam_status sam_connection_seal_answer(struct sam_connection *connection,
                                           struct sam_envelope *envelope,
                                           const struct sam_header *request,
                                           const struct sam_key *to, enum sam_kind kind) {
    struct sam_address address = {.kind = kind, .sequence = 0, .sent_at = sam_unix_time()};
    memcpy(address.reference, request->message_id, SAM_ID_SIZE);
    if (request->kind == SAM_KIND_JOIN && kind == SAM_KIND_REPLY) {
        memcpy(connection->join, request->message_id, SAM_ID_SIZE);
        connection->push = 1;
    }
    return seal(connection, envelope, to, &address);
}

/* Makes room for a message and copies it there. */
static enum sam_status start_with(const struct sam_connection *connection,
                                  struct sam_envelope *envelope, const struct sam_key *to,
                                  const void *message, size_t length) {
    enum sam_status status = sam_connection_start(connection, envelope, to, length);
    if (status == SAM_OK && length > 0)
        memcpy(envelope->message, message, length);
    return status;
}

/* Sends what was sealed, unless that failed, and frees it. */
static enum sam_status send_off(struct sam_connection *connection, struct sam_envelope *envelope,
                                enum sam_status status) {
    if (status == SAM_OK) {
        sam_envelope_trace(connection->party, "what leaves", envelope);
        status = sam_connection_send(connection, envelope);
    }
    sam_envelope_free(envelope);
    return status;
}

enum sam_status sam_connection_ask(struct sam_connection *connection, enum sam_kind kind,
                                   const void *message, size_t length) {
    const struct sam_key *to = &connection->expected.trusted->keys[0];
    struct sam_envelope envelope;
    enum sam_status status = start_with(connection, &envelope, to, message, length);
    if (status == SAM_OK)
        status = sam_connection_seal(connection, &envelope, kind);
    return send_off(connection, &envelope, status);
}

enum sam_status sam_connection_answer(struct sam_connection *connection,
                                      const struct sam_header *request, const struct sam_key *to,
                                      enum sam_kind kind, const void *message, size_t length) {
    struct sam_envelope envelope;
    enum sam_status status = start_with(connection, &envelope, to, message, length);
    if (status == SAM_OK)
        status = sam_connection_seal_answer(connection, &envelope, request, to, kind);
    return send_off(connection, &envelope, status);
}

enum sam_status sam_connection_push(struct sam_connection *connection, const void *message,
                                    size_t length) {
    const struct sam_key *to = connection->expected.sender;
    struct sam_envelope envelope;
    struct sam_address address = {.kind = SAM_KIND_PUSH, .sent_at = sam_unix_time()};
    if (connection->push == UINT32_MAX)
        return SAM_LAST_SEQUENCE;
    address.sequence = connection->push++;
    memcpy(address.reference, connection->join, SAM_ID_SIZE);
    enum sam_status status = start_with(connection, &envelope, to, message, length);
    if (status == SAM_OK)
        status = seal(connection, &envelope, to, &address);
    return send_off(connection, &envelope, status);
}

/* Reads what is behind a fixed part of so many bytes that has passed. */
static enum sam_status read_body(struct sam_connection *connection, int64_t deadline,
                                 struct sam_incoming *incoming) {
    struct sam_bytes *bytes = &incoming->envelope.bytes;
    size_t whole = bytes->length + (size_t)incoming->envelope.header.body_length;
    enum sam_status status = SAM_OK;
    if (connection->memory != NULL && whole > SAM_OWN_MEMORY) {
        status = sam_memory_take(connection->memory, whole, deadline);
        incoming->share = status == SAM_OK ? whole : 0;
    }
    while (status == SAM_OK && bytes->length < whole) {
        if (bytes->length == bytes->capacity) {
            size_t doubled = 2 * bytes->capacity;
            status = sam_bytes_reserve(bytes, doubled < whole ? doubled : whole);
        }
        size_t room = (bytes->capacity < whole ? bytes->capacity : whole) - bytes->length;
        if (status == SAM_OK)
            status = sam_read_rest(connection, deadline, bytes->data + bytes->length, room);
        if (status == SAM_OK)
            bytes->length += room;
    }
    return status;
}

/* What a server may send to a client now: an answer while a request has none, pushes once it has
 * joined. */
static unsigned kinds_due(const struct sam_connection *connection) {
    unsigned kinds = connection->unanswered_count > 0 ? ANSWERS : 0;
    return connection->push > 0 ? kinds | 1 << SAM_KIND_PUSH : kinds;
}

/* The reference and the sequence that a client expects of an envelope of that kind. */
static void expect_kind(struct sam_connection *connection, unsigned kind) {
    struct sam_expectation *expected = &connection->expected;
    bool is_push = kind == SAM_KIND_PUSH;
    expected->sequence = is_push ? connection->push : 0;
    memcpy(expected->reference, is_push ? connection->join : connection->unanswered[0].id,
           SAM_ID_SIZE);
}

static enum sam_status receive_envelope(struct sam_connection *connection, int64_t deadline,
                                        struct sam_incoming *incoming) {
    struct sam_bytes *bytes = &incoming->envelope.bytes;
    struct sam_expectation *expected = &connection->expected;
    if (connection->is_client)
        expected->kinds = kinds_due(connection);
    enum sam_status status =
        sam_read_fixed(connection, deadline, connection->is_client ? "ER" : "E", expected->kinds,
                       bytes->data, SAM_HEADER_SIZE);
    if (status != SAM_OK)
        return status;
    bytes->length = SAM_HEADER_SIZE;
    if (connection->is_client)
        expect_kind(connection, bytes->data[SAM_AT_KIND]);
    return sam_envelope_check(&incoming->envelope.header, &incoming->sender, connection->party,
                              expected, bytes->data);
}

static enum sam_status receive_record(struct sam_connection *connection, int64_t deadline,
                                      struct sam_incoming *incoming) {
    struct sam_bytes *bytes = &incoming->envelope.bytes;
    struct sam_header *header = &incoming->envelope.header;
    struct sam_session *session = &connection->session;
    if (connection->is_client)
        session->kinds = kinds_due(connection) | 1 << SAM_KIND_CLOSE;
    enum sam_status status =
        sam_read_fixed(connection, deadline, connection->is_client ? "SR" : "S", session->kinds,
                       bytes->data, SAM_RECORD_SIZE);
    if (status == SAM_CLOSED && !session->in.closed)
        status = SAM_CUT; /* who closes says so */
    if (status == SAM_OK)
        status = sam_record_check(session, bytes->data, &header->body_length);
    if (status != SAM_OK)
        return status;
    bytes->length = SAM_RECORD_SIZE;
    header->mode = 2;
    header->kind = bytes->data[SAM_AT_KIND];
    header->sequence = session->in.sequence;
    incoming->sender = connection->is_client ? &connection->expected.trusted->keys[0]
                                             : connection->expected.sender;
    return SAM_OK;
}

bool sam_connection_is_ahead(const struct sam_connection *connection) {
    return connection->ahead_from < connection->ahead_to;
}

enum sam_status sam_connection_receive(struct sam_connection *connection,
                                       struct sam_incoming *incoming) {
    int64_t deadline = sam_deadline_of(connection);
    bool begun = connection->session.begun;
    if (!begun && !connection->is_client && connection->expected.sequence == UINT32_MAX)
        return SAM_LAST_SEQUENCE;
    enum sam_status status = sam_bytes_reserve(&incoming->envelope.bytes, FIRST_READ);
    if (status == SAM_OK)
        status = begun ? receive_record(connection, deadline, incoming)
                       : receive_envelope(connection, deadline, incoming);
    if (status == SAM_OK)
        status = read_body(connection, deadline, incoming);
    /* Who has only waited may still say that it goes. */
    if (status != SAM_OK && status != SAM_TIMEOUT && status != SAM_STOPPED)
        sam_session_end(&connection->session);
    return status;
}

/* What has come and verified is behind us: the next is due. */
static void settle(struct sam_connection *connection, unsigned kind) {
    if (!connection->is_client) {
        connection->expected.sequence++;
        return;
    }
    if (kind == SAM_KIND_PUSH) {
        connection->push++;
        return;
    }
    if (kind == SAM_KIND_CLOSE)
        return;
    if (connection->unanswered[0].kind == SAM_KIND_JOIN && kind == SAM_KIND_REPLY) {
        memcpy(connection->join, connection->unanswered[0].id, SAM_ID_SIZE);
        connection->push = 1;
    }
    connection->unanswered_count--;
    memmove(connection->unanswered, connection->unanswered + 1,
            connection->unanswered_count * sizeof connection->unanswered[0]);
}

static enum sam_status open_record(struct sam_connection *connection,
                                   struct sam_envelope *envelope) {
    enum sam_status status =
        sam_record_open(&connection->session, envelope->bytes.data, envelope->header.body_length);
    if (status != SAM_OK)
        return status;
    envelope->message = envelope->bytes.data + SAM_RECORD_SIZE;
    envelope->message_length = envelope->header.body_length - SAM_GCM_TAG_SIZE;
    return SAM_OK;
}

enum sam_status sam_connection_open(struct sam_connection *connection,
                                    struct sam_incoming *incoming) {
    struct sam_envelope *envelope = &incoming->envelope;
    enum sam_status status = connection->session.begun
                                 ? open_record(connection, envelope)
                                 : sam_envelope_open(envelope, connection->party, incoming->sender,
                                                     connection->expected.max_message);
    if (status != SAM_OK) {
        sam_session_end(&connection->session);
        return status;
    }
    connection->expected.sender = incoming->sender;
    settle(connection, envelope->header.kind);
    return SAM_OK;
}

void sam_connection_drop(struct sam_connection *connection, struct sam_incoming *incoming) {
    sam_envelope_free(&incoming->envelope);
    if (incoming->share > 0)
        sam_memory_give(connection->memory, incoming->share);
    *incoming = (struct sam_incoming){0};
}

enum sam_status sam_connection_close(struct sam_connection *connection) {
    uint8_t record[SAM_RECORD_OVERHEAD];
    const struct sam_session *session = &connection->session;
    if (!session->begun || session->out.closed || connection->closing)
        return SAM_OK;
    connection->closing = true;
    enum sam_status status = sam_record_seal(&connection->session, SAM_KIND_CLOSE, record, 0);
    return status == SAM_OK ? sam_write_unit(connection, record, sizeof record) : status;
}

void sam_connection_reject(struct sam_connection *connection) {
    sam_session_end(&connection->session);
    uint8_t bytes[SAM_REJECTION_SIZE];
    sam_rejection_write(bytes, connection->party->mode->number);
    if (sam_write_unit(connection, bytes, sizeof bytes) == SAM_OK)
        sam_linger(connection->fd, sam_now() + SAM_SECOND);
}
