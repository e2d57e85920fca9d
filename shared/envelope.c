#include "envelope.h"

#include <string.h>

static uint8_t *body_of(struct sam_envelope *envelope) {
    return envelope->bytes.data + SAM_HEADER_SIZE;
}

/* The body is not worth keeping: neither what failed to be sealed nor what failed to open. */
static void wipe_body(struct sam_envelope *envelope) {
    if (envelope->bytes.length > SAM_HEADER_SIZE)
        sam_wipe(body_of(envelope), envelope->bytes.length - SAM_HEADER_SIZE);
    envelope->message = NULL;
    envelope->message_length = 0;
}

enum sam_status sam_envelope_start(struct sam_envelope *envelope, const struct sam_party *party,
                                   const struct sam_key *recipient, size_t length) {
    *envelope = (struct sam_envelope){0};
    if (length > SAM_MESSAGE_LIMIT)
        return SAM_TOO_LONG;
    size_t signature_length = sam_rsa_size(party->own->rsa);
    size_t block_length = sam_rsa_size(recipient->rsa);
    struct sam_layout at =
        party->mode->layout(SAM_SALT_SIZE + length, signature_length, block_length);
    enum sam_status status = sam_bytes_reserve(&envelope->bytes, SAM_HEADER_SIZE + at.length);
    if (status != SAM_OK)
        return status;
    envelope->bytes.length = SAM_HEADER_SIZE + at.length;
    envelope->message = body_of(envelope) + at.letter + SAM_SALT_SIZE;
    envelope->message_length = length;
    envelope->header = (struct sam_header){
        .mode = party->mode->number,
        .signature_length = (uint16_t)signature_length,
        .block_length = (uint16_t)block_length,
        .body_length = (uint32_t)at.length,
    };
    return SAM_OK;
}

static enum sam_status fill_header(struct sam_envelope *envelope, const struct sam_party *party,
                                   const struct sam_key *recipient,
                                   const struct sam_address *address) {
    struct sam_header *header = &envelope->header;
    header->kind = (uint8_t)address->kind;
    header->sequence = address->sequence;
    header->sent_at = address->sent_at;
    memcpy(header->reference, address->reference, SAM_ID_SIZE);
    memcpy(header->sender, party->own->id, SAM_KEY_ID_SIZE);
    memcpy(header->recipient, recipient->id, SAM_KEY_ID_SIZE);
    enum sam_status status = sam_random(header->message_id, SAM_ID_SIZE);
    sam_header_write(envelope->bytes.data, header);
    return status;
}

enum sam_status sam_envelope_seal(struct sam_envelope *envelope, const struct sam_party *party,
                                  const struct sam_key *recipient,
                                  const struct sam_address *address) {
    uint8_t *header = envelope->bytes.data, *body = body_of(envelope);
    struct sam_layout at =
        party->mode->layout(SAM_SALT_SIZE + envelope->message_length,
                            envelope->header.signature_length, envelope->header.block_length);
    uint8_t *letter = body + at.letter;
    enum sam_status status = fill_header(envelope, party, recipient, address);
    if (status == SAM_OK)
        status = sam_random(letter, SAM_SALT_SIZE);
    sam_trace_step(party->trace, "write the letter", "letter = salt || message");
    sam_trace_secret(party->trace, "salt", SAM_SALT_SIZE);
    sam_trace_secret(party->trace, "message", envelope->message_length);
    if (status == SAM_OK)
        status = sam_pss_sign(party->crypto, party->own->rsa, body + at.signature, header,
                              SAM_HEADER_SIZE, letter, at.letter_length);
    sam_trace_step(party->trace, "sign header and letter",
                   "RSASSA-PSS, SHA-256, MGF1 with SHA-256, salt of %d bytes; private key of\n"
                   "    %s: %zu bytes are signed, the signature has %u",
                   SAM_PSS_SALT_SIZE, party->own->name, SAM_HEADER_SIZE + at.letter_length,
                   envelope->header.signature_length);
    if (status == SAM_OK)
        status = party->mode->seal(party->crypto, recipient->rsa, header, body, &at, party->trace);
    if (status != SAM_OK)
        sam_envelope_free(envelope);
    envelope->message = NULL;
    envelope->message_length = 0;
    return status;
}

/* Whom it is for, whom it is from, and whether their keys have the sizes that it names. */
static enum sam_status check_keys(const struct sam_header *header, const struct sam_key **sender,
                                  const struct sam_party *party,
                                  const struct sam_expectation *expected) {
    if (!sam_equal(header->recipient, party->own->id, SAM_KEY_ID_SIZE))
        return SAM_RECIPIENT;
    const struct sam_key *known = sam_ring_find(expected->trusted, header->sender);
    if (known == NULL || sam_equal(known->id, party->own->id, SAM_KEY_ID_SIZE))
        return SAM_STRANGER;
    if (header->signature_length != sam_rsa_size(known->rsa) ||
        header->block_length != sam_rsa_size(party->own->rsa))
        return SAM_KEY_MISMATCH;
    *sender = known;
    return SAM_OK;
}

static enum sam_status check_freshness(const struct sam_header *header,
                                       const struct sam_key *sender,
                                       const struct sam_expectation *expected) {
    if (!sam_equal(header->reference, expected->reference, SAM_ID_SIZE))
        return SAM_STALE;
    if (header->sequence != expected->sequence)
        return SAM_ORDER;
    return expected->sender == NULL || expected->sender == sender ? SAM_OK : SAM_OTHER_SENDER;
}

enum sam_status sam_envelope_check(struct sam_header *header, const struct sam_key **sender,
                                   const struct sam_party *party,
                                   const struct sam_expectation *expected,
                                   const uint8_t bytes[SAM_HEADER_SIZE]) {
    *sender = NULL;
    enum sam_status status = sam_header_read(header, bytes, party->mode->number, expected->kinds);
    if (status == SAM_OK && !party->mode->fits(header, expected->max_message))
        status = SAM_LENGTH;
    if (status == SAM_OK)
        status = check_keys(header, sender, party, expected);
    if (status == SAM_OK)
        status = check_freshness(header, *sender, expected);
    if (status != SAM_OK) {
        *header = (struct sam_header){0};
        *sender = NULL;
    }
    return status;
}

enum sam_status sam_envelope_open(struct sam_envelope *envelope, const struct sam_party *party,
                                  const struct sam_key *sender, uint32_t max_message) {
    const uint8_t *header = envelope->bytes.data;
    uint8_t *body = body_of(envelope);
    struct sam_layout at = {.length = envelope->header.body_length};
    enum sam_status status = party->mode->open(party->crypto, party->own->rsa, header,
                                               &envelope->header, body, &at, party->trace);
    if (status == SAM_OK && at.letter_length > SAM_SALT_SIZE + (size_t)max_message)
        status = SAM_TOO_LONG;
    if (status == SAM_OK) {
        status = sam_pss_verify(party->crypto, sender->rsa, body + at.signature, header,
                                SAM_HEADER_SIZE, body + at.letter, at.letter_length);
        sam_trace_step(party->trace, "verify the signature of header and letter",
                       "RSASSA-PSS, SHA-256, MGF1 with SHA-256, salt of %d bytes; public key of\n"
                       "    %s: %s",
                       SAM_PSS_SALT_SIZE, sender->name,
                       status == SAM_OK ? "it verifies" : "it does not verify");
    }
    if (status != SAM_OK) {
        wipe_body(envelope);
        return status;
    }
    envelope->message = body + at.letter + SAM_SALT_SIZE;
    envelope->message_length = at.letter_length - SAM_SALT_SIZE;
    /* The salt stays a secret of this envelope: nobody but the two ends may test guesses with it.
     */
    sam_wipe(body + at.letter, SAM_SALT_SIZE);
    return SAM_OK;
}

enum sam_status sam_envelope_accept(struct sam_envelope *envelope, const struct sam_key **sender,
                                    const struct sam_party *party,
                                    const struct sam_expectation *expected) {
    *sender = NULL;
    envelope->message = NULL;
    envelope->message_length = 0;
    enum sam_status status = SAM_TRUNCATED;
    if (envelope->bytes.length >= SAM_HEADER_SIZE)
        status =
            sam_envelope_check(&envelope->header, sender, party, expected, envelope->bytes.data);
    if (status == SAM_OK) {
        size_t whole = SAM_HEADER_SIZE + (size_t)envelope->header.body_length;
        if (envelope->bytes.length != whole)
            status = envelope->bytes.length < whole ? SAM_TRUNCATED : SAM_LENGTH;
    }
    if (status == SAM_OK)
        status = sam_envelope_open(envelope, party, *sender, expected->max_message);
    if (status != SAM_OK) {
        wipe_body(envelope);
        *sender = NULL;
    }
    return status;
}

/* What is behind a record's header. */
static void show_record(FILE *out, const struct sam_bytes *record) {
    const struct sam_field sealed = {.name = "ciphertext and tag",
                                     .offset = SAM_RECORD_SIZE,
                                     .size = record->length - SAM_RECORD_SIZE,
                                     .meaning = "the message under the session's key"};
    sam_show_unit(out, SAM_RECORD, record->data);
    sam_show_field(out, &sealed, record->data + SAM_RECORD_SIZE);
}

void sam_envelope_show(FILE *out, const struct sam_mode *mode,
                       const struct sam_envelope *envelope) {
    if (envelope->bytes.data[SAM_AT_TYPE] == SAM_RECORD) {
        show_record(out, &envelope->bytes);
        return;
    }
    sam_show_unit(out, SAM_ENVELOPE, envelope->bytes.data);
    struct sam_field part;
    for (size_t i = 0; mode->part(&envelope->header, i, &part); i++)
        sam_show_field(out, &part, envelope->bytes.data + part.offset);
}

void sam_envelope_trace(const struct sam_party *party, const char *what,
                        const struct sam_envelope *envelope) {
    if (party->trace == NULL)
        return;
    sam_trace_step(party->trace, what, "%zu bytes: all that an eavesdropper has",
                   envelope->bytes.length);
    sam_envelope_show(party->trace->out, party->mode, envelope);
}

void sam_envelope_free(struct sam_envelope *envelope) {
    sam_bytes_free(&envelope->bytes);
    *envelope = (struct sam_envelope){0};
}
