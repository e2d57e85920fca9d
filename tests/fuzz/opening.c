#include <string.h>

#include "sealing.h"

static struct sam_expectation expectation(void) {
    struct sam_expectation expected = {.trusted = &people.ring,
                                       .kinds = SAM_KINDS_ALL,
                                       .sequence = SEQUENCE,
                                       .max_message = MOST_MESSAGE};
    memset(expected.reference, REFERENCE_BYTE, SAM_ID_SIZE);
    return expected;
}

static enum sam_status accept(struct sam_envelope *envelope, const struct sam_key **sender,
                              const struct sam_mode *mode, const uint8_t *data, size_t size) {
    struct told told;
    begin_told(&told);
    const struct sam_trace trace = {told.out, false};
    const struct sam_party alice = {mode, people.crypto, &people.alice, &trace};
    const struct sam_expectation expected = expectation();
    *envelope = (struct sam_envelope){0};
    require(sam_bytes_append(&envelope->bytes, data, size) == SAM_OK);
    /* What a careless caller might have left there. */
    envelope->message = envelope->bytes.data;
    envelope->message_length = size;
    *sender = &people.carol;
    enum sam_status status = sam_envelope_accept(envelope, sender, &alice, &expected);
    finish_told(&told);
    free_told(&told);
    return status;
}

static void check_opened(const struct sam_envelope *envelope, const struct sam_key *sender,
                         const struct sam_mode *mode, const uint8_t *data, size_t size) {
    const struct sam_header *header = &envelope->header;
    const uint8_t *message = envelope->message;
    require(sender == sam_ring_find(&people.ring, header->sender));
    require(memcmp(sender->id, people.mallory.id, SAM_KEY_ID_SIZE) == 0);
    require(memcmp(header->recipient, people.alice.id, SAM_KEY_ID_SIZE) == 0);
    require(header->mode == mode->number && header->sequence == SEQUENCE);
    require(header->kind >= SAM_KIND_SEND && header->kind <= SAM_KIND_SESSION);
    require(SAM_HEADER_SIZE + (size_t)header->body_length == size);
    require(memcmp(envelope->bytes.data, data, SAM_HEADER_SIZE) == 0 && checksum_fits(data));
    require(envelope->message_length <= MOST_MESSAGE);
    require(message >= envelope->bytes.data + SAM_HEADER_SIZE + SAM_SALT_SIZE &&
            message + envelope->message_length <= envelope->bytes.data + size);
    require(memcmp(message, text(), envelope->message_length) == 0);
    require(sam_is_zero(message - SAM_SALT_SIZE, SAM_SALT_SIZE));
}

/* Refused with a status of opening, and nothing of it is left. */
static void check_refused(const struct sam_envelope *envelope, const struct sam_key *sender,
                          enum sam_status status, size_t size) {
    require(sam_status_step(status) >= 1 && sam_status_step(status) <= 4);
    require(envelope->message == NULL && envelope->message_length == 0 && sender == NULL);
    require(envelope->bytes.length == size);
    if (size > SAM_HEADER_SIZE)
        require(sam_is_zero(envelope->bytes.data + SAM_HEADER_SIZE, size - SAM_HEADER_SIZE));
}

/* An envelope that opens does not with a byte less, nor with a byte more. */
static void check_ends(const struct sam_mode *mode, const uint8_t *data, size_t size) {
    uint8_t *longer = calloc(1, size + 1);
    require(longer != NULL);
    memcpy(longer, data, size);
    for (size_t length = size - 1; length <= size + 1; length += 2) {
        const struct sam_key *sender;
        struct sam_envelope envelope;
        enum sam_status status = accept(&envelope, &sender, mode, longer, length);
        require(status == (length < size ? SAM_TRUNCATED : SAM_LENGTH));
        check_refused(&envelope, sender, status, length);
        sam_envelope_free(&envelope);
    }
    free(longer);
}

void open_any(const struct sam_mode *mode, const uint8_t *data, size_t size) {
    const struct sam_key *sender;
    struct sam_envelope envelope;
    enum sam_status status = accept(&envelope, &sender, mode, data, size);
    if (status == SAM_OK) {
        check_opened(&envelope, sender, mode, data, size);
        check_ends(mode, data, size);
    } else {
        check_refused(&envelope, sender, status, size);
    }
    sam_envelope_free(&envelope);
}
