#include "sealing.h"

#include <string.h>

const uint8_t challenge[SAM_ID_SIZE] = {0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
                                        0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf};
const uint64_t sent_at = 0x0102030405060708;
uint8_t text[MAX_MESSAGE];

/* The people's own keys, borrowed: this ring is never freed. */
static struct sam_key everyone_keys[4];
const struct sam_ring everyone = {everyone_keys, 4};

void load_sealing(void) {
    load_people();
    const struct sam_key all[] = {people.alice, people.bob, people.carol, people.mallory};
    memcpy(everyone_keys, all, sizeof all);
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof text; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        text[i] = (uint8_t)(state >> 56);
    }
}

struct sam_party party(const struct sam_mode *mode, const struct sam_key *own) {
    return (struct sam_party){.mode = mode, .crypto = people.crypto, .own = own};
}

struct sam_expectation expectation(void) {
    struct sam_expectation expected = {.trusted = &everyone,
                                       .kinds = SAM_KINDS_ALL,
                                       .sequence = SEQUENCE,
                                       .max_message = MAX_MESSAGE};
    memcpy(expected.reference, challenge, sizeof challenge);
    return expected;
}

struct sam_envelope seal_by(const struct sam_party *sealer, const struct sam_key *to, size_t length,
                            unsigned kind) {
    struct sam_envelope envelope;
    struct sam_address address = {
        .kind = (enum sam_kind)kind, .sequence = SEQUENCE, .sent_at = sent_at};
    memcpy(address.reference, challenge, sizeof challenge);
    ck_status(sam_envelope_start(&envelope, sealer, to, length), SAM_OK);
    ck_assert_uint_eq(envelope.message_length, length);
    memcpy(envelope.message, text, length);
    ck_status(sam_envelope_seal(&envelope, sealer, to, &address), SAM_OK);
    ck_assert_ptr_null(envelope.message);
    ck_assert_uint_eq(envelope.message_length, 0);
    return envelope;
}

struct sam_envelope seal(const struct sam_mode *mode, const struct sam_key *from,
                         const struct sam_key *to, size_t length) {
    struct sam_party sealer = party(mode, from);
    return seal_by(&sealer, to, length, SAM_KIND_SEND);
}

struct sam_envelope copy_of(const struct sam_envelope *envelope) {
    struct sam_envelope copy = {.header = envelope->header};
    ck_status(sam_bytes_append(&copy.bytes, envelope->bytes.data, envelope->bytes.length), SAM_OK);
    return copy;
}

void assert_opens(struct sam_envelope *envelope, const struct sam_party *opener,
                  const struct sam_expectation *expected, const struct sam_key *from,
                  size_t length) {
    const struct sam_key *sender = NULL;
    ck_status(sam_envelope_accept(envelope, &sender, opener, expected), SAM_OK);
    ck_assert_ptr_eq(sender, sam_ring_find(expected->trusted, from->id));
    ck_assert_uint_eq(envelope->message_length, length);
    ck_assert_mem_eq(envelope->message, text, length);
    ck_assert_msg(sam_is_zero(envelope->message - SAM_SALT_SIZE, SAM_SALT_SIZE), "the salt stays");
    sam_envelope_free(envelope);
}

void assert_refused(struct sam_envelope *envelope, const struct sam_party *opener,
                    const struct sam_expectation *expected, enum sam_status status) {
    const struct sam_key *sender = opener->own;
    envelope->message = envelope->bytes.data;
    envelope->message_length = 1;
    ck_status(sam_envelope_accept(envelope, &sender, opener, expected), status);
    ck_assert_ptr_null(envelope->message);
    ck_assert_uint_eq(envelope->message_length, 0);
    ck_assert_ptr_null(sender);
    ck_assert(sam_is_zero(envelope->bytes.data + SAM_HEADER_SIZE,
                          envelope->bytes.length - SAM_HEADER_SIZE));
    sam_envelope_free(envelope);
    ck_assert_ptr_null(envelope->bytes.data);
}

struct secrets secrets_of(const struct sam_mode *mode, const struct sam_key *own,
                          const struct sam_envelope *envelope) {
    struct secrets secrets = {0};
    struct sam_envelope copy = copy_of(envelope);
    uint8_t *header = copy.bytes.data, *body = header + SAM_HEADER_SIZE, label[SAM_LABEL_SIZE];
    size_t length = 0;
    if (mode->number == 2) {
        ck_status(sam_label(people.crypto, label, header, NULL, 0), SAM_OK);
        ck_status(sam_oaep_decrypt(people.crypto, own->rsa, secrets.key, &length, label,
                                   sizeof label, body),
                  SAM_OK);
        ck_assert_uint_eq(length, SAM_GCM_KEY_SIZE);
    }
    struct sam_layout at = {.length = copy.header.body_length};
    ck_status(mode->open(people.crypto, own->rsa, header, &copy.header, body, &at, NULL), SAM_OK);
    ck_status(sam_bytes_append(&secrets.letter, body + at.letter, at.letter_length), SAM_OK);
    memcpy(secrets.signature, body + at.signature, copy.header.signature_length);
    sam_envelope_free(&copy);
    return secrets;
}

bool contains(const void *where, size_t length, const void *what, size_t size) {
    for (size_t i = 0; i + size <= length; i++)
        if (memcmp((const uint8_t *)where + i, what, size) == 0)
            return true;
    return false;
}
