/* Run under valgrind's memcheck (make constant-time): seals, opens and reads keys with all that is
 * secret marked (border.h). A branch or an index of ours that depends on a secret is an error that
 * memcheck shows with its place, and the case in which it came fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "border.h"
#include "sealing.h"
#include "session.h"
#include "vector_index.h"

static struct vector_index vectors;
static unsigned long reported; /* before the case at hand */
static unsigned cases;

/* Fails the case at hand where memcheck has reported something since the last. */
static void assert_nothing_reported(const char *what) {
    unsigned long now = VALGRIND_COUNT_ERRORS, before = reported;
    reported = now;
    cases++;
    ck_assert_msg(now == before, "%s: a branch or an index depends on a secret (%lu reports above)",
                  what, now - before);
}

/* What the two of an envelope do, in the hands of one process: seal, and open what was sealed. */
static void seal_and_open(const struct sam_mode *mode, const struct sam_key *from,
                          const struct sam_key *to, size_t length) {
    struct sam_party sealer = party(mode, from), opener = party(mode, to);
    struct sam_expectation expected = expectation();
    const struct sam_key *sender;
    keep_secret(text, sizeof text);
    struct sam_envelope envelope = seal_by(&sealer, to, length, SAM_KIND_SEND);
    make_public(envelope.bytes.data, envelope.bytes.length); /* now it travels */
    make_public(&envelope.header, sizeof envelope.header);
    ck_status(sam_envelope_accept(&envelope, &sender, &opener, &expected), SAM_OK);
    /* Otherwise nothing has been tried: the marks got lost on the way. */
    ck_assert(length == 0 || is_secret(envelope.message, 1));
    make_public(text, sizeof text);
    make_public(envelope.message, length);
    ck_assert_mem_eq(envelope.message, text, length);
    sam_envelope_free(&envelope);
}

START_TEST(sealing_and_opening) {
    static const size_t lengths[] = {0, 1, 100, 1000};
    block_is_secret = modes[_i]->number == 2;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        seal_and_open(modes[_i], &people.bob, &people.alice, lengths[i]);
        assert_nothing_reported(modes[_i]->name);
    }
}
END_TEST

/* Those that others have sealed, also with wrong parts that only a key holder can make: a wrapped
 * key of another length, a letter that is too short, a signature of something else. */
START_TEST(opening_and_refusing_what_others_sealed) {
    const struct vector *row = &vectors.rows[_i];
    const struct sam_party opener = party(modes[row->mode - 1], person(row->to));
    struct sam_envelope envelope = {.bytes = read_vector(row->file)};
    const struct sam_key *sender;
    struct sam_expectation expected = {.trusted = &people.trusted,
                                       .kinds = SAM_KINDS_ALL,
                                       .sequence = row->sequence,
                                       .max_message = SAM_MESSAGE_LIMIT};
    memcpy(expected.reference, row->reference, SAM_ID_SIZE);
    block_is_secret = row->mode == 2;
    enum sam_status status = sam_envelope_accept(&envelope, &sender, &opener, &expected);
    ck_assert_int_eq(status == SAM_OK, row->opens);
    sam_envelope_free(&envelope);
    assert_nothing_reported(row->file);
}
END_TEST

/* Every part of a body in turn. */
START_TEST(refusing_what_was_changed) {
    struct sam_party opener = party(modes[_i], &people.alice);
    struct sam_expectation expected = expectation();
    const struct sam_key *sender;
    struct sam_field part;
    block_is_secret = modes[_i]->number == 2;
    struct sam_envelope whole = seal(modes[_i], &people.bob, &people.alice, 300);
    make_public(whole.bytes.data, whole.bytes.length);
    make_public(&whole.header, sizeof whole.header);
    for (size_t n = 0; modes[_i]->part(&whole.header, n, &part); n++) {
        struct sam_envelope changed = copy_of(&whole);
        changed.bytes.data[part.offset + part.size / 2] ^= 1;
        enum sam_status status = sam_envelope_accept(&changed, &sender, &opener, &expected);
        ck_assert(status == SAM_DECRYPT || status == SAM_SIGNATURE);
        sam_envelope_free(&changed);
        assert_nothing_reported(part.name);
    }
    sam_envelope_free(&whole);
}
END_TEST

enum { RECORD_MESSAGE = 100 };

static enum sam_status take(struct sam_session *end, uint8_t *record) {
    uint32_t length;
    enum sam_status status = sam_record_check(end, record, &length);
    return status == SAM_OK ? sam_record_open(end, record, length) : status;
}

START_TEST(sessions_and_their_records) {
    struct sam_session client, server;
    struct sam_agreement agreement = {.transcript = {1}};
    uint8_t record[SAM_RECORD_OVERHEAD + RECORD_MESSAGE], changed[sizeof record];
    keep_secret(agreement.client_share, SAM_SHARE_SIZE);
    keep_secret(agreement.server_share, SAM_SHARE_SIZE);
    ck_status(sam_session_begin(&client, people.crypto, true, &agreement, MAX_MESSAGE), SAM_OK);
    ck_status(sam_session_begin(&server, people.crypto, false, &agreement, MAX_MESSAGE), SAM_OK);
    for (int i = 0; i < 3; i++) {
        memcpy(record + SAM_RECORD_SIZE, text, RECORD_MESSAGE);
        keep_secret(record + SAM_RECORD_SIZE, RECORD_MESSAGE);
        ck_status(sam_record_seal(&client, SAM_KIND_SEND, record, RECORD_MESSAGE), SAM_OK);
        memcpy(changed, record, sizeof record);
        changed[sizeof changed - 1 - 50 * (size_t)i] ^= 1;
        ck_status(take(&server, changed), SAM_DECRYPT);
        ck_status(take(&server, record), SAM_OK);
        ck_assert(is_secret(record + SAM_RECORD_SIZE, 1));
        assert_nothing_reported("records");
    }
    sam_session_end(&client);
    sam_session_end(&server);
    assert_nothing_reported("the end of a session");
}
END_TEST

START_TEST(comparing) {
    uint8_t a[64] = {0}, b[64] = {0};
    for (size_t i = 0; i <= sizeof a; i++) {
        if (i > 0)
            a[i - 1] = 1;
        keep_secret(a, sizeof a);
        keep_secret(b, sizeof b);
        bool equal = sam_equal(a, b, sizeof a), zero = sam_is_zero(a, sizeof a);
        make_public(&equal, sizeof equal);
        make_public(&zero, sizeof zero);
        make_public(a, sizeof a);
        make_public(b, sizeof b);
        ck_assert(equal == (i == 0) && zero == (i == 0));
    }
    assert_nothing_reported("sam_equal, sam_is_zero");
}
END_TEST

/* A private key read, written, and read again; the second time around under a passphrase. */
START_TEST(private_keys) {
    struct sam_passphrase passphrase = {.length = 30}, *under = _i == 0 ? NULL : &passphrase;
    struct sam_bytes pem = read_vector("alice.private.pem"), written = {0};
    struct sam_rsa *key, *again;
    memset(passphrase.text, 'p', passphrase.length);
    keep_secret(passphrase.text, sizeof passphrase.text);
    keep_secret(pem.data, pem.length);
    ck_status(sam_rsa_read_private(&key, pem.data, pem.length, NULL), SAM_OK);
    ck_status(sam_rsa_write_private(key, under, &written), SAM_OK);
    ck_assert(is_secret(written.data, written.length));
    ck_status(sam_rsa_read_private(&again, written.data, written.length, under), SAM_OK);
    sam_rsa_free(again);
    if (under != NULL) {
        passphrase.length--;
        ck_status(sam_rsa_read_private(&again, written.data, written.length, under),
                  SAM_KEY_PASSPHRASE);
    }
    sam_rsa_free(key);
    sam_bytes_free(&pem);
    sam_bytes_free(&written);
    sam_wipe(&passphrase, sizeof passphrase);
    assert_nothing_reported(_i == 0 ? "a private key" : "a private key under a passphrase");
}
END_TEST

static void load(void) {
    load_sealing();
    vector_index_load(&vectors);
    reported = VALGRIND_COUNT_ERRORS;
}

static void unload(void) {
    vector_index_free(&vectors);
    free_people();
}

static Suite *constant_time_suite(void) {
    Suite *suite = suite_create("constant time");
    TCase *tcase = tcase_create("constant time");
    tcase_add_unchecked_fixture(tcase, load, unload);
    tcase_add_loop_test(tcase, sealing_and_opening, 0, 2);
    tcase_add_loop_test(tcase, refusing_what_was_changed, 0, 2);
    tcase_add_loop_test(tcase, opening_and_refusing_what_others_sealed, 0, VECTOR_ROWS);
    tcase_add_test(tcase, sessions_and_their_records);
    tcase_add_test(tcase, comparing);
    tcase_add_loop_test(tcase, private_keys, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void) {
    if (!RUNNING_ON_VALGRIND) {
        fputs("constant_time says nothing but under valgrind: make constant-time\n", stderr);
        return EXIT_FAILURE;
    }
    SRunner *runner = srunner_create(constant_time_suite());
    srunner_set_fork_status(runner, CK_NOFORK); /* one count of reports for all */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    fprintf(stderr,
            "torture: constant time: %u cases, %zu bytes marked secret, %lu branches or indices "
            "of ours depend on them\n",
            cases, secret_bytes(), (unsigned long)VALGRIND_COUNT_ERRORS);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
