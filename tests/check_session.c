/* Floor 3, session records without a socket (docs/protocol.md, section 9): the keys, the bytes of a
 * record, and the limits. What passes over a connection is in
 * check_session_exchange.c and check_session_network.c. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "sessions.h"
#include "suites.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

enum { MOST = 256 }; /* bytes: of a message here */

/* Both ends of one session, and a record between them. */
static struct sam_agreement agreement;
static struct sam_session client, server;
static uint8_t record[SAM_RECORD_OVERHEAD + MOST];

static void end_both(void) {
    sam_session_end(&client);
    sam_session_end(&server);
}

/* Keys that depend on nothing but number. */
static void begin(uint8_t number) {
    end_both();
    memset(&agreement, number, sizeof agreement);
    ck_status(sam_session_begin(&client, people.crypto, true, &agreement, MOST), SAM_OK);
    ck_status(sam_session_begin(&server, people.crypto, false, &agreement, MOST), SAM_OK);
}

static enum sam_status seal(struct sam_session *end, enum sam_kind kind, const char *message) {
    size_t length = strlen(message);
    memcpy(record + SAM_RECORD_SIZE, message, length);
    return sam_record_seal(end, kind, record, length);
}

/* Checks and opens the record. */
static enum sam_status take(struct sam_session *end) {
    uint32_t length;
    enum sam_status status = sam_record_check(end, record, &length);
    ck_assert(status == SAM_OK || length == 0);
    return status == SAM_OK ? sam_record_open(end, record, length) : status;
}

/* The bytes of a hexadecimal text; their number is returned. */
static size_t from_hex(uint8_t *out, const char *hex) {
    size_t length = strlen(hex) / 2;
    for (size_t i = 0; i < length; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return length;
}

/* RFC 5869, appendix A: the cases with SHA-256. */
static const struct {
    size_t material; /* bytes: all of them material_byte, or 0, 1, 2, ... */
    uint8_t material_byte;
    uint8_t salt, info; /* the first byte of each, which count up */
    size_t salt_length, info_length;
    const char *out;
} hkdf_cases[] = {
    {22, 0x0b, 0x00, 0xf0, 13, 10,
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {80, 0x00, 0x60, 0xb0, 80, 80,
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e59"
     "0e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {22, 0x0b, 0x00, 0x00, 0, 0,
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

START_TEST(hkdf_gives_the_known_answers) {
    uint8_t material[80], salt[80], wanted[82], got[82];
    char info[81] = "";
    for (size_t i = 0; i < 80; i++) {
        uint8_t byte = hkdf_cases[_i].material_byte;
        material[i] = byte == 0 ? (uint8_t)i : byte;
        salt[i] = (uint8_t)(hkdf_cases[_i].salt + i);
        info[i] = i < hkdf_cases[_i].info_length ? (char)(hkdf_cases[_i].info + i) : '\0';
    }
    size_t length = from_hex(wanted, hkdf_cases[_i].out);
    ck_status(sam_hkdf(people.crypto, got, length, material, hkdf_cases[_i].material, salt,
                       hkdf_cases[_i].salt_length, info),
              SAM_OK);
    ck_assert_mem_eq(got, wanted, length);
}
END_TEST

START_TEST(hkdf_gives_no_more_than_it_can) {
    enum { HKDF_MOST = 255 * SAM_SHA256_SIZE };
    static uint8_t out[HKDF_MOST + 1];
    const uint8_t material[32] = {1};
    memset(out, 0xa5, sizeof out);
    ck_status(sam_hkdf(people.crypto, out, HKDF_MOST, material, 32, material, 32, "info"), SAM_OK);
    ck_assert(!sam_is_zero(out + HKDF_MOST - 32, 32));
    ck_assert_uint_eq(out[HKDF_MOST], 0xa5);
    ck_status(sam_hkdf(people.crypto, out, sizeof out, material, 32, material, 32, "info"),
              SAM_CRYPTO);
    ck_assert(sam_is_zero(out, sizeof out));
}
END_TEST

/* The vector of the protocol, field by field. */
static struct vector {
    uint8_t client_key[SAM_GCM_KEY_SIZE], server_key[SAM_GCM_KEY_SIZE];
    uint8_t client_record_0[SAM_RECORD_OVERHEAD + 5], client_close_2[SAM_RECORD_OVERHEAD];
} vector;

static void take_member(void *context, const char *key, const char *value, size_t length) {
    const struct {
        const char *key;
        uint8_t *out;
        size_t size;
    } fields[] = {
        {"greeting", agreement.transcript, SAM_GREETING_SIZE},
        {"request_header", agreement.transcript + 64, SAM_HEADER_SIZE},
        {"reply_header", agreement.transcript + 192, SAM_HEADER_SIZE},
        {"client_share", agreement.client_share, SAM_SHARE_SIZE},
        {"server_share", agreement.server_share, SAM_SHARE_SIZE},
        {"client_key", vector.client_key, sizeof vector.client_key},
        {"server_key", vector.server_key, sizeof vector.server_key},
        {"client_record_0", vector.client_record_0, sizeof vector.client_record_0},
        {"client_close_2", vector.client_close_2, sizeof vector.client_close_2},
    };
    int *found = context;
    for (int i = 0; i < COUNT(fields); i++) {
        if (strcmp(key, fields[i].key) != 0)
            continue;
        ck_assert_uint_eq(length, 2 * fields[i].size);
        from_hex(fields[i].out, value);
        (*found)++;
    }
}

static void begin_vector(void) {
    int found = 0;
    struct sam_bytes json = read_vector("session.json");
    ck_assert(json_read((const char *)json.data, json.length, take_member, &found));
    ck_assert_int_eq(found, 9);
    sam_bytes_free(&json);
    ck_status(sam_session_begin(&client, people.crypto, true, &agreement, MOST), SAM_OK);
    ck_status(sam_session_begin(&server, people.crypto, false, &agreement, MOST), SAM_OK);
}

/* Whether the first record that an end seals is under that key. */
static bool is_under(struct sam_session *end, const uint8_t key[SAM_GCM_KEY_SIZE]) {
    static const uint8_t first[SAM_GCM_NONCE_SIZE];
    ck_status(seal(end, SAM_KIND_CLOSE, ""), SAM_OK);
    return sam_gcm_decrypt(people.crypto, key, first, record, SAM_RECORD_SIZE, NULL, 0,
                           record + SAM_RECORD_SIZE) == SAM_OK;
}

START_TEST(the_vector_has_these_keys) {
    begin_vector();
    ck_assert(is_under(&client, vector.client_key));
    ck_status(take(&server), SAM_OK);
    ck_assert(is_under(&server, vector.server_key));
    ck_status(take(&client), SAM_OK);
}
END_TEST

START_TEST(the_vector_has_these_records) {
    begin_vector();
    ck_status(seal(&client, SAM_KIND_SEND, "hello"), SAM_OK);
    ck_assert_mem_eq(record, vector.client_record_0, sizeof vector.client_record_0);
    ck_status(seal(&client, SAM_KIND_SEND, "not in the vector"), SAM_OK);
    ck_status(seal(&client, SAM_KIND_CLOSE, ""), SAM_OK);
    ck_assert_mem_eq(record, vector.client_close_2, sizeof vector.client_close_2);
}
END_TEST

START_TEST(the_vectors_records_open) {
    begin_vector();
    memcpy(record, vector.client_record_0, sizeof vector.client_record_0);
    ck_status(take(&server), SAM_OK);
    ck_assert_mem_eq(record + SAM_RECORD_SIZE, "hello", 5);
    server.in.sequence = 2;
    memcpy(record, vector.client_close_2, sizeof vector.client_close_2);
    ck_status(take(&server), SAM_OK);
}
END_TEST

START_TEST(every_byte_agreed_on_changes_both_keys) {
    begin(1);
    uint8_t *bytes = (uint8_t *)&agreement; /* three arrays of bytes, so nothing else */
    for (size_t i = 0; i < sizeof agreement; i++) {
        struct sam_session other;
        bytes[i] ^= 1;
        ck_status(sam_session_begin(&other, people.crypto, true, &agreement, MOST), SAM_OK);
        ck_status(seal(&other, SAM_KIND_SEND, "word"), SAM_OK);
        ck_status(take(&server), SAM_DECRYPT);
        server.out.sequence = 0;
        ck_status(seal(&server, SAM_KIND_PUSH, "word"), SAM_OK);
        ck_status(take(&other), SAM_DECRYPT);
        sam_session_end(&other);
        bytes[i] ^= 1;
    }
}
END_TEST

START_TEST(records_carry_any_length_up_to_the_limit) {
    char message[MOST + 2];
    memset(message, 'm', sizeof message);
    begin(2);
    for (size_t length = 0; length <= MOST; length++) {
        message[length] = '\0';
        ck_status(seal(&client, SAM_KIND_SEND, message), SAM_OK);
        ck_status(take(&server), SAM_OK);
        ck_assert_mem_eq(record + SAM_RECORD_SIZE, message, length);
        ck_status(seal(&server, SAM_KIND_REPLY, message), SAM_OK);
        ck_status(take(&client), SAM_OK);
        ck_assert_mem_eq(record + SAM_RECORD_SIZE, message, length);
        message[length] = 'm';
    }
    server.max_message = client.max_message = MOST - 1;
    message[MOST] = '\0';
    ck_status(seal(&client, SAM_KIND_SEND, message), SAM_OK);
    ck_status(take(&server), SAM_LENGTH);
    ck_status(seal(&server, SAM_KIND_REPLY, message), SAM_OK);
    ck_status(take(&client), SAM_LENGTH);
}
END_TEST

/* What each side may send in a session, as sections 3 and 9 have it. */
static bool may_come(bool from_client, unsigned kind) {
    return kind == 8 || (from_client ? kind >= 1 && kind <= 3 : kind >= 4 && kind <= 6);
}

START_TEST(only_the_kinds_of_the_other_side_pass) {
    for (unsigned kind = 0; kind < 256; kind++) {
        begin(3);
        struct sam_session *from = _i == 0 ? &client : &server, *to = _i == 0 ? &server : &client;
        ck_status(seal(from, (enum sam_kind)kind, ""), SAM_OK);
        enum sam_status got = take(to);
        ck_assert_msg(got == (may_come(_i == 0, kind) ? SAM_OK : SAM_KIND), "kind %u: %s", kind,
                      sam_status_name(got));
    }
}
END_TEST

START_TEST(a_reflected_record_does_not_pass) {
    begin(4);
    ck_status(seal(&client, SAM_KIND_SEND, "mine"), SAM_OK);
    ck_status(take(&client), SAM_KIND);
    record[SAM_AT_KIND] = SAM_KIND_REPLY;
    ck_status(take(&client), SAM_DECRYPT);
    begin(4);
    ck_status(seal(&client, SAM_KIND_CLOSE, ""), SAM_OK); /* both sides may send it */
    ck_status(take(&client), SAM_DECRYPT);
    begin(4);
    ck_status(seal(&server, SAM_KIND_CLOSE, ""), SAM_OK);
    ck_status(take(&server), SAM_DECRYPT);
    ck_status(take(&client), SAM_OK);
}
END_TEST

START_TEST(a_close_is_empty_and_the_last) {
    begin(5);
    ck_status(seal(&client, SAM_KIND_CLOSE, "words"), SAM_OK);
    ck_status(take(&server), SAM_LENGTH);
    begin(5);
    ck_status(seal(&client, SAM_KIND_CLOSE, ""), SAM_OK);
    ck_status(take(&server), SAM_OK);
    for (int i = 0; i < 2; i++) {
        ck_status(seal(&client, i == 0 ? SAM_KIND_SEND : SAM_KIND_CLOSE, "no"), SAM_CLOSED);
        ck_assert(sam_is_zero(record + SAM_RECORD_SIZE, 2));
    }
    client.out.closed = false; /* a client that does not care */
    ck_status(seal(&client, SAM_KIND_SEND, "more"), SAM_OK);
    ck_status(take(&server), SAM_KIND);
    ck_status(seal(&server, SAM_KIND_REPLY, "what was open"), SAM_OK);
    ck_status(take(&client), SAM_OK);
}
END_TEST

START_TEST(nothing_passes_after_the_end) {
    static const struct sam_session none;
    begin(6);
    ck_status(seal(&client, SAM_KIND_SEND, "last"), SAM_OK);
    sam_session_end(&server);
    ck_assert(server.in.key == NULL && server.out.key == NULL);
    ck_status(take(&server), SAM_KIND);
    /* Nor what is past the check. */
    ck_status(sam_record_open(&server, record, 4 + SAM_GCM_TAG_SIZE), SAM_CLOSED);
    ck_assert(sam_is_zero(record + SAM_RECORD_SIZE, 4));
    ck_status(seal(&server, SAM_KIND_REPLY, "word"), SAM_CLOSED);
    ck_assert(sam_is_zero(record + SAM_RECORD_SIZE, 4));
    server = none;
    ck_status(seal(&server, SAM_KIND_REPLY, "word"), SAM_CLOSED);
    sam_session_end(&server);
    ck_assert(!server.begun);
}
END_TEST

/* The last record that a side may send has the number 2^32 - 2, and it is a close. */
START_TEST(a_side_closes_before_its_last_sequence) {
    begin(7);
    struct sam_session *from = _i == 0 ? &client : &server, *to = _i == 0 ? &server : &client;
    enum sam_kind kind = _i == 0 ? SAM_KIND_SEND : SAM_KIND_REPLY;
    from->out.sequence = to->in.sequence = UINT32_MAX - 2;
    ck_status(seal(from, kind, "last"), SAM_OK);
    ck_status(take(to), SAM_OK);
    ck_status(seal(from, kind, "over"), SAM_LAST_SEQUENCE);
    ck_assert(sam_is_zero(record + SAM_RECORD_SIZE, 4));
    ck_status(seal(from, SAM_KIND_CLOSE, ""), SAM_OK);
    ck_assert_mem_eq(record + 8, "\xff\xff\xff\xfe", 4);
    ck_status(take(to), SAM_OK);
    begin(7);
    from->out.sequence = to->in.sequence = UINT32_MAX; /* then the nonce would come again */
    ck_status(seal(from, SAM_KIND_CLOSE, ""), SAM_OK);
    ck_status(take(to), SAM_ORDER);
}
END_TEST

START_TEST(a_side_closes_before_its_last_byte) {
    const uint64_t limit = (uint64_t)1 << 38;
    begin(8);
    client.out.bytes = limit - 6;
    ck_status(seal(&client, SAM_KIND_SEND, "sixsix"), SAM_LAST_SEQUENCE);
    ck_assert(sam_is_zero(record + SAM_RECORD_SIZE, 6));
    ck_status(seal(&client, SAM_KIND_SEND, "five5"), SAM_OK);
    ck_assert_uint_eq(client.out.bytes, limit - 1);
    ck_status(take(&server), SAM_OK);
    ck_status(seal(&client, SAM_KIND_SEND, "1"), SAM_LAST_SEQUENCE);
    ck_status(seal(&client, SAM_KIND_CLOSE, ""), SAM_OK);
    ck_status(take(&server), SAM_OK);
    ck_status(sam_record_seal(&server, SAM_KIND_REPLY, record, 0), SAM_OK);
    ck_assert_uint_eq(server.out.bytes, 0); /* each direction counts for itself */
}
END_TEST

Suite *session_suite(void) {
    Suite *suite = suite_create("session");
    TCase *records = tcase_create("keys and records");
    tcase_set_timeout(records, TEST_SECONDS);
    tcase_add_unchecked_fixture(records, load_people, free_people);
    tcase_add_loop_test(records, hkdf_gives_the_known_answers, 0, COUNT(hkdf_cases));
    tcase_add_test(records, hkdf_gives_no_more_than_it_can);
    tcase_add_test(records, the_vector_has_these_keys);
    tcase_add_test(records, the_vector_has_these_records);
    tcase_add_test(records, the_vectors_records_open);
    tcase_add_test(records, every_byte_agreed_on_changes_both_keys);
    tcase_add_test(records, records_carry_any_length_up_to_the_limit);
    tcase_add_loop_test(records, only_the_kinds_of_the_other_side_pass, 0, 2);
    tcase_add_test(records, a_reflected_record_does_not_pass);
    tcase_add_test(records, a_close_is_empty_and_the_last);
    tcase_add_test(records, nothing_passes_after_the_end);
    tcase_add_loop_test(records, a_side_closes_before_its_last_sequence, 0, 2);
    tcase_add_test(records, a_side_closes_before_its_last_byte);
    suite_add_tcase(suite, records);
    suite_add_tcase(suite, session_exchange_case());
    suite_add_tcase(suite, session_network_case());
    return suite;
}
