/* What comes over a connection, up to its end: a greeting, envelopes, the records of a session.
 *
 * The first byte of an input says who is who, the second what a client has asked for; the rest
 * comes from the other side. */
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "fuzzing.h"

enum { MOST_MESSAGE = 600, HEAD = 2, RECORDS = 5, LONGEST = MOST_MESSAGE + 2 };
enum { SERVER_IN_SESSION, CLIENT_IN_SESSION, CLIENT_MEETS, SERVER_OF_ENVELOPES, ROLES };

/* The client holds mallory's key and addresses alice. */
static struct sam_ring server_alone;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    load_people();
    server_alone = (struct sam_ring){&people.alice, 1};
    return 0;
}

/* Both ends of a session that is always the same. */
static void begin_session(struct sam_session *session, bool is_client) {
    struct sam_agreement agreement;
    memset(&agreement, 0x5e, sizeof agreement);
    require(sam_session_begin(session, people.crypto, is_client, &agreement, MOST_MESSAGE) ==
            SAM_OK);
}

static struct sam_connection begin(int fd, const struct sam_party *party, unsigned role,
                                   unsigned asked) {
    struct sam_connection connection = {.fd = fd, .stop = -1, .timeout = SAM_SECOND};
    bool is_client = role == CLIENT_IN_SESSION || role == CLIENT_MEETS;
    connection.party = party;
    connection.is_client = is_client;
    connection.expected = (struct sam_expectation){
        .trusted = is_client ? &server_alone : &people.ring,
        .sender = role == SERVER_IN_SESSION ? &people.mallory : NULL,
        .kinds = SAM_KINDS_OF_CLIENT,
        .max_message = MOST_MESSAGE,
    };
    connection.unanswered_count = asked % 8;
    connection.unanswered[0].kind = asked & 8 ? SAM_KIND_JOIN : SAM_KIND_SEND;
    connection.push = asked >> 4;
    if (role == SERVER_IN_SESSION || role == CLIENT_IN_SESSION)
        begin_session(&connection.session, is_client);
    return connection;
}

/* A record that opens is the one that is due, of a kind that may come, and says what was sealed. */
static void check_opened(const struct sam_connection *connection,
                         const struct sam_incoming *incoming, size_t index, size_t asked) {
    const struct sam_envelope *envelope = &incoming->envelope;
    const struct sam_key *other = connection->is_client ? &people.alice : &people.mallory;
    require(memcmp(incoming->sender->id, other->id, SAM_KEY_ID_SIZE) == 0);
    require(envelope->message_length <= MOST_MESSAGE);
    require(envelope->message + envelope->message_length <=
            envelope->bytes.data + envelope->bytes.length);
    if (!connection->session.begun)
        return;
    require(envelope->header.sequence == index && connection->session.in.sequence == index + 1);
    require(memcmp(envelope->message, text() + index, envelope->message_length) == 0);
    if (connection->is_client)
        require(asked - connection->unanswered_count <= index + 1);
    require((envelope->header.kind == SAM_KIND_CLOSE) == connection->session.in.closed);
}

/* A session that has failed is over: its keys are gone, and so is what did not open. */
static void check_failed(const struct sam_connection *connection,
                         const struct sam_incoming *incoming, bool came) {
    const struct sam_bytes *bytes = &incoming->envelope.bytes;
    require(incoming->envelope.message == NULL);
    if (!connection->session.begun)
        return;
    require(connection->session.in.closed && connection->session.out.closed);
    require(connection->session.in.key == NULL);
    require(connection->session.out.key == NULL);
    if (came)
        require(sam_is_zero(bytes->data + SAM_RECORD_SIZE,
                            bytes->length - SAM_RECORD_SIZE - SAM_GCM_TAG_SIZE));
}

static void take_all(struct sam_connection *connection) {
    const size_t asked = connection->unanswered_count;
    enum sam_status status = SAM_OK;
    for (size_t index = 0; status == SAM_OK; index++) {
        struct sam_incoming incoming = {0};
        status = sam_connection_receive(connection, &incoming);
        bool came = status == SAM_OK;
        if (came)
            status = sam_connection_open(connection, &incoming);
        if (status == SAM_OK)
            check_opened(connection, &incoming, index, asked);
        else
            check_failed(connection, &incoming, came);
        sam_connection_drop(connection, &incoming);
    }
    require(status < SAM_STATUS_COUNT && status != SAM_TIMEOUT && status != SAM_CRYPTO &&
            status != SAM_NETWORK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int ends[2];
    unsigned role = take_byte(&data, &size) % ROLES, asked = take_byte(&data, &size);
    const struct sam_party party = {
        .mode = &sam_mode_asymmetric_symmetric,
        .crypto = people.crypto,
        .own = role == CLIENT_IN_SESSION || role == CLIENT_MEETS ? &people.mallory : &people.alice};
    struct sam_connection connection;
    open_pair(ends, SOCK_STREAM);
    give(ends[1], data, size, size);
    connection = begin(ends[0], &party, role, asked);
    if (role != CLIENT_MEETS || sam_connection_meet(&connection, &server_alone) == SAM_OK)
        take_all(&connection);
    require(connection.bytes_received <= size);
    sam_session_end(&connection.session);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* The next record of the other side, with one thing wrong at times. */
static size_t seal_record(struct sam_session *session, uint8_t *out, uint64_t *state) {
    enum { SEQUENCE, LENGTH, KEY, BIT, SENT_TWICE, FAULTS = 12 };
    const size_t length =
        chance_below(state, 8) > 0 ? chance_below(state, 40) : LONGEST - chance_below(state, 4);
    const size_t size = SAM_RECORD_OVERHEAD + length;
    const size_t fault = chance_below(state, FAULTS);
    struct sam_session other = *session;
    if (fault == KEY)
        other.out = other.in;
    if (fault == SEQUENCE)
        other.out.sequence ^= 1u << chance_below(state, 3);
    enum sam_kind kind = (enum sam_kind)(SAM_KIND_SEND + chance_below(state, SAM_KIND_CLOSE));
    memcpy(out + SAM_RECORD_SIZE, text() + other.out.sequence, length);
    require(sam_record_seal(&other, kind, out, kind == SAM_KIND_CLOSE ? 0 : length) == SAM_OK);
    if (fault == LENGTH)
        sam_put32(out + 12, (uint32_t)(SAM_GCM_TAG_SIZE + chance_below(state, 2 * MOST_MESSAGE)));
    if (fault == BIT)
        out[chance_below(state, size)] ^= (uint8_t)(1u << chance_below(state, 8));
    if (fault != SENT_TWICE)
        session->out.sequence++;
    return kind == SAM_KIND_CLOSE ? SAM_RECORD_OVERHEAD : size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    uint64_t state = seed;
    struct sam_session session;
    uint8_t record[SAM_RECORD_OVERHEAD + LONGEST];
    if (chance_below(&state, 3) > 0)
        return LLVMFuzzerMutate(data, size, max_size);
    bool for_client = chance_below(&state, 2);
    begin_session(&session, !for_client);
    size_t written = HEAD;
    data[0] = for_client ? CLIENT_IN_SESSION : SERVER_IN_SESSION;
    data[1] = (uint8_t)chance_below(&state, 256);
    for (size_t left = 1 + chance_below(&state, RECORDS); left > 0; left--) {
        size_t length = seal_record(&session, record, &state);
        if (length > max_size - written)
            break;
        memcpy(data + written, record, length);
        written += length;
    }
    sam_session_end(&session);
    return written;
}
