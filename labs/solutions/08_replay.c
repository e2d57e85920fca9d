/* Lab 08: Replay. */
#include <string.h>

#include "replay.h"

enum { PATIENCE = 10 /* seconds */ };

enum sam_status replay(const uint8_t *recorded, size_t length, size_t number, int same,
                       int another) {
    int64_t deadline = sam_now() + PATIENCE * SAM_SECOND;
    for (; number > 0 && sam_unit_length(recorded, length) < length; number--) {
        size_t passed = (size_t)sam_unit_length(recorded, length);
        recorded += passed;
        length -= passed;
    }
    size_t one = (size_t)sam_unit_length(recorded, length);
    if (number > 0 || one > length)
        return SAM_TRUNCATED;
    enum sam_status status = sam_write_all(same, -1, deadline, recorded, one);
    if (status == SAM_OK)
        status = sam_write_all(another, -1, deadline, recorded, one);
    return status;
}

enum sam_status intrude(int fd, const struct sam_party *mallory, const struct sam_key *bob,
                        const uint8_t challenge[SAM_ID_SIZE], uint32_t sent, const char *order) {
    struct sam_address next = {.kind = SAM_KIND_SEND, .sequence = sent};
    struct sam_envelope envelope;
    enum sam_status status = sam_envelope_start(&envelope, mallory, bob, strlen(order));
    if (status != SAM_OK)
        return status;
    memcpy(next.reference, challenge, SAM_ID_SIZE);
    memcpy(envelope.message, order, strlen(order));
    status = sam_envelope_seal(&envelope, mallory, bob, &next);
    if (status == SAM_OK)
        status = sam_write_all(fd, -1, sam_now() + PATIENCE * SAM_SECOND, envelope.bytes.data,
                               envelope.bytes.length);
    sam_envelope_free(&envelope);
    return status;
}

enum sam_status fresh(const struct desk *desk, const struct sam_header *header) {
    if (sam_is_zero(desk->challenge, SAM_ID_SIZE))
        return SAM_CHALLENGE;
    if (desk->sequence == UINT32_MAX)
        return SAM_LAST_SEQUENCE;
    if (!sam_equal(header->reference, desk->challenge, SAM_ID_SIZE))
        return SAM_STALE;
    if (header->sequence != desk->sequence)
        return SAM_ORDER;
    if (desk->client != NULL && !sam_equal(header->sender, desk->client->id, SAM_KEY_ID_SIZE))
        return SAM_OTHER_SENDER;
    return SAM_OK;
}

enum sam_status take(struct desk *desk, struct sam_envelope *envelope) {
    const struct sam_key *sender;
    enum sam_status status = replay_header(envelope, &sender, desk);
    if (status == SAM_OK)
        status = fresh(desk, &envelope->header);
    if (status == SAM_OK)
        status = sam_envelope_open(envelope, desk->bob, sender, ORDER_MAX);
    if (status == SAM_OK)
        status = replay_book(desk->ledger, sender->name, envelope);
    if (status == SAM_OK) {
        desk->client = sender;
        desk->sequence++;
    }
    return status;
}

enum next decide(bool left, enum sam_status answer) {
    if (answer == SAM_OK)
        return DONE;
    return left ? STOP_AND_TELL : SEND_AGAIN;
}
