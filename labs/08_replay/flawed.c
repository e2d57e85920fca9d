/* A server that carries out whatever is sealed for it and signed by somebody whom it trusts. Every
 * line of it checks something. Which line is not there? */
#include <string.h>

#include "replay.h"

enum { ENVELOPE_MAX = 4096, PATIENCE = 10 /* seconds */ };

enum sam_status replay_header(struct sam_envelope *envelope, const struct sam_key **sender,
                              const struct desk *desk) {
    const struct sam_bytes *bytes = &envelope->bytes;
    struct sam_expectation expected = {
        .trusted = desk->trusted, .kinds = 1 << SAM_KIND_SEND, .max_message = ORDER_MAX};
    struct sam_header header;
    *sender = NULL;
    if (bytes->length < SAM_HEADER_SIZE)
        return SAM_TRUNCATED;
    enum sam_status status =
        sam_header_read(&header, bytes->data, desk->bob->mode->number, expected.kinds);
    if (status != SAM_OK)
        return status;
    /* sam_envelope_check would do step 2 as well: it is told to expect what is there. */
    expected.sequence = header.sequence;
    memcpy(expected.reference, header.reference, SAM_ID_SIZE);
    status = sam_envelope_check(&envelope->header, sender, desk->bob, &expected, bytes->data);
    if (status == SAM_OK && bytes->length != SAM_HEADER_SIZE + (size_t)header.body_length) {
        *sender = NULL;
        status = SAM_LENGTH;
    }
    return status;
}

enum sam_status replay_book(struct ledger *ledger, const char *account,
                            const struct sam_envelope *envelope) {
    if (ledger->count >= LEDGER_MAX)
        return SAM_MEMORY;
    char *order = ledger->paid[ledger->count].order;
    memcpy(order, envelope->message, envelope->message_length); /* ORDER_MAX at most */
    order[envelope->message_length] = '\0';
    memcpy(ledger->paid[ledger->count].account, account, strlen(account) + 1);
    ledger->count++;
    return SAM_OK;
}

enum sam_status replay_take(struct desk *desk, struct sam_envelope *envelope) {
    const struct sam_key *sender;
    enum sam_status status = replay_header(envelope, &sender, desk);
    if (status == SAM_OK)
        status = sam_envelope_open(envelope, desk->bob, sender, ORDER_MAX);
    if (status != SAM_OK)
        return status;
    if (desk->client == NULL)
        desk->client = sender; /* from now on we know whom we talk to */
    return replay_book(desk->ledger, desk->client->name, envelope);
}

/* The next envelope of a connection, into bytes that have room for ENVELOPE_MAX. */
static enum sam_status read_envelope(int fd, struct sam_bytes *bytes) {
    int64_t deadline = sam_now() + PATIENCE * SAM_SECOND;
    enum sam_status status = sam_read_all(fd, -1, deadline, bytes->data, SAM_HEADER_SIZE);
    if (status != SAM_OK)
        return status;
    uint64_t length = sam_unit_length(bytes->data, SAM_HEADER_SIZE);
    if (length < SAM_HEADER_SIZE || length > ENVELOPE_MAX)
        return SAM_LENGTH;
    bytes->length = (size_t)length;
    status = sam_read_all(fd, -1, deadline, bytes->data + SAM_HEADER_SIZE,
                          bytes->length - SAM_HEADER_SIZE);
    return status == SAM_CLOSED ? SAM_TRUNCATED : status;
}

enum sam_status replay_serve(struct desk *desk, int fd) {
    struct sam_envelope envelope = {0};
    enum sam_status status = sam_bytes_reserve(&envelope.bytes, ENVELOPE_MAX);
    while (status == SAM_OK) {
        status = read_envelope(fd, &envelope.bytes);
        if (status == SAM_OK)
            status = replay_take(desk, &envelope);
    }
    sam_envelope_free(&envelope);
    return status;
}
