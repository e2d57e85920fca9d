/* What sam explain says of every part: that nothing is left without an explanation, and that a
 * receiver really answers to a change what the page says. The page itself: check_explain_page.c. */
#include "explain.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "instruments.h"
#include "peer.h"
#include "sealing.h"

static const uint8_t types[] = {SAM_GREETING, SAM_ENVELOPE, SAM_REJECTION, SAM_RECORD};
enum { TYPES = sizeof types };

/* A record sealed under a key of zeros, with a message of length bytes. The caller frees it. */
static struct sam_bytes sealed_record(enum sam_kind kind, size_t length) {
    static const uint8_t key[SAM_GCM_KEY_SIZE];
    uint8_t header[SAM_RECORD_SIZE] = {'S', 'A', 'M', 'S', 1, 2, (uint8_t)kind};
    uint8_t nonce[SAM_GCM_NONCE_SIZE] = {0}, tag[SAM_GCM_TAG_SIZE];
    struct sam_bytes record = {0};
    sam_put32(header + 8, SEQUENCE);
    sam_put32(header + 12, (uint32_t)(length + sizeof tag));
    memcpy(nonce + 8, header + 8, 4);
    ck_status(sam_bytes_append(&record, header, sizeof header), SAM_OK);
    ck_status(sam_bytes_append(&record, text, length), SAM_OK);
    ck_status(sam_gcm_encrypt(people.crypto, key, nonce, record.data, sizeof header,
                              record.data + sizeof header, length, tag),
              SAM_OK);
    ck_status(sam_bytes_append(&record, tag, sizeof tag), SAM_OK);
    return record;
}

static enum sam_status open_record(struct sam_bytes *record) {
    static const uint8_t key[SAM_GCM_KEY_SIZE];
    uint8_t nonce[SAM_GCM_NONCE_SIZE] = {0};
    memcpy(nonce + 8, record->data + 8, 4);
    size_t length = record->length - SAM_RECORD_SIZE - SAM_GCM_TAG_SIZE;
    uint8_t *body = record->data + SAM_RECORD_SIZE;
    return sam_gcm_decrypt(people.crypto, key, nonce, record->data, SAM_RECORD_SIZE, body, length,
                           body + length);
}

static void flip_last_bit(uint8_t *bytes, const struct sam_field *part) {
    bytes[part->offset + part->size - 1] ^= 1;
}

/* Whether the row is one of those of that type, and of that name. */
static bool is_row_of(uint8_t type, const struct sam_explanation *row, const char *name) {
    size_t count;
    const struct sam_explanation *rows = sam_explanations(type, &count);
    return row >= rows && row < rows + count && strcmp(row->name, name) == 0;
}

START_TEST(no_field_of_a_unit_is_without_an_explanation_of_its_own) {
    size_t count;
    const struct sam_field *fields = sam_unit_fields(types[_i], &count);
    ck_assert_uint_gt(count, 0);
    for (size_t i = 0; i < count; i++) {
        const struct sam_explanation *row = sam_explanation_find(types[_i], &fields[i]);
        ck_assert_msg(is_row_of(types[_i], row, fields[i].name), "%s of %s", fields[i].name,
                      sam_unit_name(types[_i]));
        for (size_t k = 0; k < i; k++)
            ck_assert_ptr_ne(row, sam_explanation_find(types[_i], &fields[k]));
    }
}
END_TEST

START_TEST(no_part_of_a_body_is_without_an_explanation_of_its_own) {
    struct sam_envelope envelope = seal(modes[_i], &people.bob, &people.alice, 1000);
    struct sam_field part;
    size_t i = 0;
    for (; modes[_i]->part(&envelope.header, i, &part); i++)
        ck_assert(is_row_of(SAM_ENVELOPE, sam_explanation_find(SAM_ENVELOPE, &part), part.name));
    ck_assert_uint_ge(i, 4);
    sam_envelope_free(&envelope);
    static const char *const others[] = {"body", "surplus", "unknown"};
    for (size_t k = 0; k < 3; k++) {
        part = (struct sam_field){others[k], 128, 1, "", SAM_AS_BYTES};
        for (size_t t = 0; t < TYPES; t++)
            ck_assert(is_row_of(0, sam_explanation_find(types[t], &part), others[k]));
    }
    part = (struct sam_field){"tag", SAM_RECORD_SIZE, SAM_GCM_TAG_SIZE, "", SAM_AS_BYTES};
    ck_assert(is_row_of(SAM_RECORD, sam_explanation_find(SAM_RECORD, &part), "tag"));
    part.name = "ciphertext";
    ck_assert(is_row_of(SAM_RECORD, sam_explanation_find(SAM_RECORD, &part), "ciphertext"));
}
END_TEST

START_TEST(no_explanation_is_empty_and_none_is_for_a_field_that_does_not_exist) {
    uint8_t type = _i < TYPES ? types[_i] : 0;
    size_t rows, count;
    const struct sam_explanation *row = sam_explanations(type, &rows);
    const struct sam_field *fields = sam_unit_fields(type, &count);
    for (size_t i = 0; i < rows; i++) {
        ck_assert_uint_gt(strlen(row[i].what), 20);
        ck_assert_uint_gt(strlen(row[i].changed), 20);
        ck_assert(row[i].group < SAM_GROUPS && row[i].status <= SAM_NO_CLAIM);
        bool found = row[i].offset == SAM_ANYWHERE || row[i].offset >= SAM_HEADER_SIZE;
        for (size_t k = 0; k < count && !found; k++)
            found = (size_t)row[i].offset == fields[k].offset &&
                    strcmp(row[i].name, fields[k].name) == 0;
        ck_assert_msg(found, "%s at %d", row[i].name, row[i].offset);
    }
}
END_TEST

static unsigned kinds_beside(unsigned kind) {
    return SAM_KINDS_OF_CLIENT >> kind & 1 ? SAM_KINDS_OF_CLIENT : SAM_KINDS_OF_SERVER;
}

/* Turns over the lowest bit of the part's last byte and asserts that the receiver answers as the
 * page of the intact envelope says. */
static int assert_verdict(const struct sam_mode *mode, const struct sam_envelope *envelope,
                          const struct sam_key *to, const struct sam_field *part) {
    struct sam_anatomy anatomy;
    sam_anatomy_start(&anatomy, envelope->bytes.data, envelope->bytes.length);
    ck_status(anatomy.status, SAM_OK);
    int verdict = sam_explanation_verdict(&anatomy, part);
    struct sam_party opener = party(mode, to);
    struct sam_expectation expected = expectation();
    expected.kinds = kinds_beside(envelope->header.kind);
    struct sam_envelope altered = copy_of(envelope);
    const struct sam_key *sender;
    flip_last_bit(altered.bytes.data, part);
    enum sam_status status = sam_envelope_accept(&altered, &sender, &opener, &expected);
    ck_assert_msg((int)status == verdict, "mode %d, %s at %zu: told %s, found %s", mode->number,
                  part->name, part->offset, sam_status_name((enum sam_status)verdict),
                  sam_status_name(status));
    sam_envelope_free(&altered);
    return verdict;
}

/* Every part, keys of all sizes (with S and B at both ends of what is allowed), short and long. */
START_TEST(receiver_answers_to_each_changed_part_as_the_page_says) {
    const struct sam_key *const pairs[][2] = {
        {&people.bob, &people.alice}, {&people.carol, &people.bob}, {&people.alice, &people.carol}};
    static const size_t lengths[] = {0, 5, 700};
    const struct sam_mode *mode = modes[_i / 3];
    const struct sam_key *const *pair = pairs[_i % 3];
    for (size_t k = 0; k < 3; k++) {
        struct sam_envelope envelope = seal(mode, pair[0], pair[1], lengths[k]);
        struct sam_anatomy anatomy;
        struct sam_field part;
        size_t i = 0;
        sam_anatomy_start(&anatomy, envelope.bytes.data, envelope.bytes.length);
        for (; sam_anatomy_part(&anatomy, i, &part); i++)
            assert_verdict(mode, &envelope, pair[1], &part);
        ck_assert_uint_ge(i, 18);
        sam_envelope_free(&envelope);
    }
}
END_TEST

START_TEST(receiver_answers_to_each_changed_kind_as_the_page_says) {
    const struct sam_field kind = {"kind", 6, 1, "", SAM_AS_KIND};
    bool opened = false, failed = false;
    for (unsigned k = SAM_KIND_SEND; k <= SAM_KIND_SESSION; k++) {
        struct sam_party sealer = party(modes[_i], &people.bob);
        struct sam_envelope envelope = seal_by(&sealer, &people.alice, 3, k);
        int verdict = assert_verdict(modes[_i], &envelope, &people.alice, &kind);
        opened = opened || verdict == SAM_DECRYPT;
        failed = failed || verdict == SAM_KIND;
        sam_envelope_free(&envelope);
    }
    ck_assert(opened && failed);
}
END_TEST

/* Whoever opens a file expects what its header says of its place. */
START_TEST(changed_place_of_a_file_is_found_by_its_seal) {
    struct sam_party opener = party(modes[_i], &people.alice);
    struct sam_envelope sealed = seal(modes[_i], &people.bob, &people.alice, 5);
    for (size_t at = 16; at <= 48; at += 32) {
        struct sam_envelope altered = copy_of(&sealed);
        struct sam_expectation expected = expectation();
        altered.bytes.data[at] ^= 1;
        expected.sequence = sam_get32(altered.bytes.data + 16);
        memcpy(expected.reference, altered.bytes.data + 48, SAM_ID_SIZE);
        assert_refused(&altered, &opener, &expected, SAM_DECRYPT);
    }
    sam_envelope_free(&sealed);
}
END_TEST

/* A length that is one too small: on a connection nothing is left over where it ends. */
START_TEST(envelope_that_is_told_to_be_shorter_does_not_open) {
    struct sam_party opener = party(modes[1], &people.alice);
    struct sam_expectation expected = expectation();
    struct sam_envelope altered = seal(modes[1], &people.bob, &people.alice, 5);
    sam_put32(altered.bytes.data + 12, altered.header.body_length - 1);
    altered.bytes.length--;
    assert_refused(&altered, &opener, &expected, SAM_DECRYPT);
}
END_TEST

/* A client that reads these bytes when it has connected, and the status of that. */
static enum sam_status meet(struct peer *client, const struct sam_mode *mode, const uint8_t *bytes,
                            size_t length) {
    int ends[2];
    socket_pair(ends);
    peer_open(client, mode, &people.alice, ends[0]);
    client->other = people.bob;
    client->addressed = (struct sam_ring){&client->other, 1};
    write_raw(ends[1], bytes, length);
    shutdown(ends[1], SHUT_WR);
    enum sam_status status = sam_connection_meet(&client->connection, &client->addressed);
    close(ends[1]);
    return status;
}

/* What comes of a greeting with a challenge that the server has not given. */
static enum sam_status answer_to_challenge(struct peer *client, const uint8_t *given) {
    struct sam_envelope envelope = peer_seal(client, SAM_KIND_SEND, "x", 1);
    struct sam_party server = party(client->party.mode, &people.bob);
    struct sam_expectation expected = expectation();
    const struct sam_key *sender;
    expected.sequence = 0;
    memcpy(expected.reference, given, SAM_ID_SIZE);
    enum sam_status status = sam_envelope_accept(&envelope, &sender, &server, &expected);
    sam_envelope_free(&envelope);
    return status;
}

static void assert_greeting_verdicts(const struct sam_mode *mode, struct sam_greeting greeting) {
    uint8_t bytes[SAM_GREETING_SIZE], altered[SAM_GREETING_SIZE];
    struct sam_anatomy anatomy;
    struct sam_field part;
    struct peer client;
    memcpy(greeting.server, people.bob.id, SAM_KEY_ID_SIZE);
    greeting.mode = mode->number;
    sam_greeting_write(bytes, &greeting);
    ck_status(meet(&client, mode, bytes, sizeof bytes), SAM_OK);
    peer_close(&client);
    sam_anatomy_start(&anatomy, bytes, sizeof bytes);
    ck_status(anatomy.status, SAM_OK);
    for (size_t i = 0; sam_anatomy_part(&anatomy, i, &part); i++) {
        memcpy(altered, bytes, sizeof bytes);
        flip_last_bit(altered, &part);
        enum sam_status status = meet(&client, mode, altered, sizeof altered);
        if (status == SAM_OK)
            status = answer_to_challenge(&client, greeting.challenge);
        peer_close(&client);
        ck_status(status, (enum sam_status)sam_explanation_verdict(&anatomy, &part));
    }
}

START_TEST(both_ends_answer_to_each_changed_field_of_a_greeting_as_the_page_says) {
    struct sam_greeting greeting = {.max_message = 1000, .challenge = {1, 2, 3}};
    assert_greeting_verdicts(modes[_i], greeting);
    greeting.max_message = SAM_MESSAGE_LIMIT; /* a bit more is over the limit */
    assert_greeting_verdicts(modes[_i], greeting);
    memset(greeting.challenge, 0, SAM_ID_SIZE);
    greeting.challenge[SAM_ID_SIZE - 1] = 1; /* a bit less is all zero */
    assert_greeting_verdicts(modes[_i], greeting);
}
END_TEST

START_TEST(client_answers_to_each_changed_field_of_a_rejection_as_the_page_says) {
    uint8_t bytes[SAM_REJECTION_SIZE], altered[SAM_REJECTION_SIZE];
    struct sam_anatomy anatomy;
    struct sam_field part;
    struct peer client;
    size_t i = 0;
    sam_rejection_write(bytes, modes[_i]->number);
    ck_status(meet(&client, modes[_i], bytes, sizeof bytes), SAM_REJECTED);
    peer_close(&client);
    sam_anatomy_start(&anatomy, bytes, sizeof bytes);
    for (; sam_anatomy_part(&anatomy, i, &part); i++) {
        memcpy(altered, bytes, sizeof bytes);
        flip_last_bit(altered, &part);
        ck_status(meet(&client, modes[_i], altered, sizeof altered),
                  (enum sam_status)sam_explanation_verdict(&anatomy, &part));
        peer_close(&client);
    }
    ck_assert_uint_eq(i, 7);
}
END_TEST

/* Step by step: the prologue, then what of the header can be found without a key, the sequence that
 * is due, the tag. */
static enum sam_status receive_record(struct sam_bytes *record, unsigned kinds) {
    struct sam_prologue prologue;
    enum sam_status status = sam_prologue_read(&prologue, record->data, "S", 2, 0);
    if (status != SAM_OK && status != SAM_KIND)
        return status;
    struct sam_anatomy anatomy;
    sam_anatomy_start(&anatomy, record->data, record->length);
    if (anatomy.status != SAM_OK)
        return anatomy.status;
    if (!(kinds >> prologue.kind & 1))
        return SAM_KIND;
    if (sam_get32(record->data + 8) != SEQUENCE)
        return SAM_ORDER;
    return open_record(record);
}

START_TEST(each_changed_part_of_a_record_is_found_as_the_page_says) {
    static const size_t lengths[] = {0, 1, 100};
    enum sam_kind kind = (enum sam_kind)_i;
    unsigned kinds = (kind == SAM_KIND_CLOSE ? 0 : kinds_beside(kind)) | 1 << SAM_KIND_CLOSE;
    for (size_t k = 0; k < 3 && kind != SAM_KIND_SESSION; k++) {
        struct sam_bytes record = sealed_record(kind, lengths[k]);
        struct sam_anatomy anatomy;
        struct sam_field part;
        sam_anatomy_start(&anatomy, record.data, record.length);
        ck_status(anatomy.status, SAM_OK);
        for (size_t i = 0; sam_anatomy_part(&anatomy, i, &part); i++) {
            struct sam_bytes altered = {0};
            ck_status(sam_bytes_append(&altered, record.data, record.length), SAM_OK);
            flip_last_bit(altered.data, &part);
            ck_status(receive_record(&altered, kinds),
                      (enum sam_status)sam_explanation_verdict(&anatomy, &part));
            sam_bytes_free(&altered);
        }
        ck_status(receive_record(&record, kinds), SAM_OK);
        sam_bytes_free(&record);
    }
}
END_TEST

TCase *explain_case(void) {
    TCase *tcase = tcase_create("explain");
    tcase_add_unchecked_fixture(tcase, load_sealing, free_people);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_loop_test(tcase, no_field_of_a_unit_is_without_an_explanation_of_its_own, 0, TYPES);
    tcase_add_loop_test(tcase, no_part_of_a_body_is_without_an_explanation_of_its_own, 0, 2);
    tcase_add_loop_test(tcase, no_explanation_is_empty_and_none_is_for_a_field_that_does_not_exist,
                        0, TYPES + 1);
    tcase_add_loop_test(tcase, receiver_answers_to_each_changed_part_as_the_page_says, 0, 6);
    tcase_add_loop_test(tcase, receiver_answers_to_each_changed_kind_as_the_page_says, 0, 2);
    tcase_add_loop_test(tcase, changed_place_of_a_file_is_found_by_its_seal, 0, 2);
    tcase_add_test(tcase, envelope_that_is_told_to_be_shorter_does_not_open);
    tcase_add_loop_test(
        tcase, both_ends_answer_to_each_changed_field_of_a_greeting_as_the_page_says, 0, 2);
    tcase_add_loop_test(tcase, client_answers_to_each_changed_field_of_a_rejection_as_the_page_says,
                        0, 2);
    tcase_add_loop_test(tcase, each_changed_part_of_a_record_is_found_as_the_page_says, 1,
                        SAM_KIND_CLOSE + 1);
    return tcase;
}
