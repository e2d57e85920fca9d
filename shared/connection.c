#include "connection.h"

#include <string.h>

enum {
    FIRST_READ = 4096, /* room for an envelope before its size has been earned by bytes */
    ANSWERS = 1 << SAM_KIND_REPLY | 1 << SAM_KIND_REFUSE
};

static int64_t deadline_of(const struct sam_connection *connection) {
    return sam_now() + connection->timeout;
}

static enum sam_status read_bytes(struct sam_connection *connection, int64_t deadline,
                                  uint8_t *data, size_t length) {
    enum sam_status status = sam_read_all(connection->fd, connection->stop, deadline, data, length);
    if (status == SAM_OK)
        connection->bytes_received += length;
    return status;
}

/* As read_bytes, where a unit has begun: an end is a cut. */
static enum sam_status read_rest(struct sam_connection *connection, int64_t deadline, uint8_t *data,
                                 size_t length) {
    enum sam_status status = read_bytes(connection, deadline, data, length);
    return status == SAM_CLOSED ? SAM_TRUNCATED : status;
}

static enum sam_status write_bytes(struct sam_connection *connection, const uint8_t *data,
                                   size_t length) {
    enum sam_status status =
        sam_write_all(connection->fd, connection->stop, deadline_of(connection), data, length);
    if (status == SAM_OK)
        connection->bytes_sent += length;
    return status;
}

/* Reads a unit's fixed part of size bytes. A rejection in its place is SAM_REJECTED, where types
 * allow one. */
static enum sam_status read_fixed(struct sam_connection *connection, int64_t deadline,
                                  const char *types, uint8_t *unit, size_t size) {
    struct sam_prologue prologue;
    enum sam_status status = read_bytes(connection, deadline, unit, SAM_PROLOGUE_SIZE);
    if (status == SAM_OK)
        status = sam_prologue_read(&prologue, unit, types, connection->party->mode->number,
                                   connection->expected.kinds);
    if (status != SAM_OK)
        return status;
    if (prologue.type != SAM_REJECTION)
        return read_rest(connection, deadline, unit + SAM_PROLOGUE_SIZE, size - SAM_PROLOGUE_SIZE);
    size_t rest = SAM_REJECTION_SIZE - SAM_PROLOGUE_SIZE;
    status = read_rest(connection, deadline, unit + SAM_PROLOGUE_SIZE, rest);
    if (status != SAM_OK)
        return status;
    return sam_is_zero(unit + SAM_PROLOGUE_SIZE, rest) ? SAM_REJECTED : SAM_RESERVED;
}

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
    return write_bytes(connection, bytes, sizeof bytes);
}

enum sam_status sam_connection_meet(struct sam_connection *connection,
                                    const struct sam_ring *server) {
    const struct sam_mode *mode = connection->party->mode;
    uint8_t bytes[SAM_GREETING_SIZE];
    enum sam_status status =
        read_fixed(connection, deadline_of(connection), "GR", bytes, sizeof bytes);
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
        read_fixed(connection, deadline_of(connection), "R", unit, sizeof unit);
    return status == SAM_REJECTED ? SAM_REJECTED : SAM_CLOSED;
}

enum sam_status sam_connection_seal(struct sam_connection *connection,
                                    struct sam_envelope *envelope, enum sam_kind kind) {
    if (connection->sequence == UINT32_MAX) {
        sam_envelope_free(envelope);
        return SAM_LAST_SEQUENCE;
    }
    struct sam_address address = {
        .kind = kind, .sequence = connection->sequence++, .sent_at = sam_unix_time()};
    memcpy(address.reference, connection->greeting.challenge, SAM_ID_SIZE);
    return sam_envelope_seal(envelope, connection->party, &connection->expected.trusted->keys[0],
                             &address);
}

enum sam_status sam_connection_send(struct sam_connection *connection,
                                    const struct sam_envelope *envelope) {
    connection->expected.kinds = ANSWERS;
    memcpy(connection->expected.reference, envelope->header.message_id, SAM_ID_SIZE);
    enum sam_status status = write_bytes(connection, envelope->bytes.data, envelope->bytes.length);
    return status == SAM_CLOSED ? reason_for_close(connection) : status;
}

enum sam_status sam_connection_answer(struct sam_connection *connection,
                                      const struct sam_header *request, const struct sam_key *to,
                                      enum sam_kind kind, const void *message, size_t length) {
    struct sam_address address = {.kind = kind, .sequence = 0, .sent_at = sam_unix_time()};
    memcpy(address.reference, request->message_id, SAM_ID_SIZE);
    struct sam_envelope envelope;
    enum sam_status status = sam_envelope_start(&envelope, connection->party, to, length);
    if (status != SAM_OK)
        return status;
    if (length > 0)
        memcpy(envelope.message, message, length);
    status = sam_envelope_seal(&envelope, connection->party, to, &address);
    if (status == SAM_OK)
        sam_envelope_trace(connection->party, "what leaves", &envelope);
    if (status == SAM_OK)
        status = write_bytes(connection, envelope.bytes.data, envelope.bytes.length);
    sam_envelope_free(&envelope);
    return status;
}

/* Reads the body behind a header that has passed. */
static enum sam_status read_body(struct sam_connection *connection, int64_t deadline,
                                 struct sam_incoming *incoming) {
    struct sam_bytes *bytes = &incoming->envelope.bytes;
    size_t whole = SAM_HEADER_SIZE + (size_t)incoming->envelope.header.body_length;
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
            status = read_rest(connection, deadline, bytes->data + bytes->length, room);
        if (status == SAM_OK)
            bytes->length += room;
    }
    return status;
}

enum sam_status sam_connection_receive(struct sam_connection *connection,
                                       struct sam_incoming *incoming) {
    const char *types = connection->is_client ? "ER" : "E";
    int64_t deadline = deadline_of(connection);
    struct sam_bytes *bytes = &incoming->envelope.bytes;
    if (connection->expected.sequence == UINT32_MAX)
        return SAM_LAST_SEQUENCE;
    enum sam_status status = sam_bytes_reserve(bytes, FIRST_READ);
    if (status == SAM_OK)
        status = read_fixed(connection, deadline, types, bytes->data, SAM_HEADER_SIZE);
    if (status != SAM_OK)
        return status;
    bytes->length = SAM_HEADER_SIZE;
    status = sam_envelope_check(&incoming->envelope.header, &incoming->sender, connection->party,
                                &connection->expected, bytes->data);
    if (status == SAM_OK)
        status = read_body(connection, deadline, incoming);
    return status;
}

enum sam_status sam_connection_open(struct sam_connection *connection,
                                    struct sam_incoming *incoming) {
    struct sam_expectation *expected = &connection->expected;
    enum sam_status status = sam_envelope_open(&incoming->envelope, connection->party,
                                               incoming->sender, expected->max_message);
    if (status != SAM_OK)
        return status;
    expected->sender = incoming->sender;
    if (connection->is_client)
        expected->kinds = 0; /* an answer is taken once: until the next request nothing may come */
    else
        expected->sequence++;
    return SAM_OK;
}

void sam_connection_drop(struct sam_connection *connection, struct sam_incoming *incoming) {
    sam_envelope_free(&incoming->envelope);
    if (incoming->share > 0)
        sam_memory_give(connection->memory, incoming->share);
    *incoming = (struct sam_incoming){0};
}

void sam_connection_reject(struct sam_connection *connection) {
    uint8_t bytes[SAM_REJECTION_SIZE];
    sam_rejection_write(bytes, connection->party->mode->number);
    if (write_bytes(connection, bytes, sizeof bytes) == SAM_OK)
        sam_linger(connection->fd, sam_now() + SAM_SECOND);
}
