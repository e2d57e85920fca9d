/* Envelopes as bytes: those that an independent implementation sealed, and our own.
 *
 * Our own lie in tests/vectors/own and are sealed anew, byte for byte, from a generator whose
 * output is known. Where the format changes on purpose, SAM_WRITE_VECTORS=1 check_sam vectors
 * writes them again. */
#include <dirent.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "support.h"
#include "vector_index.h"

static struct vector_index all;

static void load_all(void) {
    load_people();
    vector_index_load(&all);
}

static void free_all(void) {
    vector_index_free(&all);
    free_people();
}

/* Opens bytes, which it takes over, as the key of to, without a limit on the message. */
static enum sam_status accept(struct sam_envelope *envelope, const struct sam_key **sender,
                              struct sam_bytes bytes, const struct vector *row) {
    const struct sam_party opener = {
        .mode = modes[row->mode - 1], .crypto = people.crypto, .own = person(row->to)};
    struct sam_expectation expected = {.trusted = &people.trusted,
                                       .kinds = SAM_KINDS_ALL,
                                       .sequence = row->sequence,
                                       .max_message = SAM_MESSAGE_LIMIT};
    memcpy(expected.reference, row->reference, SAM_ID_SIZE);
    /* What must not survive a failure is there before. */
    static uint8_t leftover;
    *envelope = (struct sam_envelope){.bytes = bytes, .message = &leftover, .message_length = 1};
    *sender = &people.mallory;
    return sam_envelope_accept(envelope, sender, &opener, &expected);
}

/* Takes bytes over and asserts that they are refused with nothing left of them. */
static enum sam_status refuse(struct sam_bytes bytes, const struct vector *row) {
    struct sam_envelope envelope;
    const struct sam_key *sender;
    enum sam_status status = accept(&envelope, &sender, bytes, row);
    ck_assert_msg(status != SAM_OK, "%s opened: %s", row->file, row->why);
    ck_assert_ptr_null(envelope.message);
    ck_assert_uint_eq(envelope.message_length, 0);
    ck_assert_ptr_null(sender);
    if (envelope.bytes.length > SAM_HEADER_SIZE)
        ck_assert(sam_is_zero(envelope.bytes.data + SAM_HEADER_SIZE,
                              envelope.bytes.length - SAM_HEADER_SIZE));
    sam_envelope_free(&envelope);
    return status;
}

static void open_row(struct sam_bytes bytes, const struct vector *row) {
    struct sam_envelope envelope;
    const struct sam_key *sender;
    ck_status(accept(&envelope, &sender, bytes, row), SAM_OK);
    ck_assert_ptr_eq(sender, sam_ring_find(&people.trusted, person(row->from)->id));
    ck_assert_uint_eq(envelope.header.kind, row->kind);
    ck_assert_uint_eq(envelope.header.sequence, row->sequence);
    ck_assert_uint_eq(envelope.message_length, row->message.length);
    if (row->message.length > 0)
        ck_assert_mem_eq(envelope.message, row->message.data, row->message.length);
    sam_envelope_free(&envelope);
}

START_TEST(foreign_envelope_opens_or_is_refused_at_its_step) {
    ck_assert_uint_eq(all.count, VECTOR_ROWS);
    const struct vector *row = &all.rows[_i];
    struct sam_bytes bytes = read_vector(row->file);
    if (row->opens) {
        open_row(bytes, row);
    } else {
        enum sam_status status = refuse(bytes, row);
        ck_assert_msg(sam_status_step(status) == row->step, "%s (%s) is %s of step %d, not %d",
                      row->file, row->why, sam_status_name(status), sam_status_step(status),
                      row->step);
    }
}
END_TEST

/* Otherwise a row that is left out by mistake passes. */
START_TEST(every_foreign_envelope_has_one_row) {
    ck_assert_uint_eq(all.count, VECTOR_ROWS);
    size_t open = 0, files = 0;
    for (size_t i = 0; i < all.count; i++) {
        open += all.rows[i].opens;
        ck_assert(i == 0 || strcmp(all.rows[i - 1].file, all.rows[i].file) < 0);
    }
    ck_assert_uint_eq(open, VECTOR_ROWS_OPEN);
    ck_assert_uint_eq(all.count - open, VECTOR_ROWS_REFUSED);
    DIR *folder = opendir(vectors_folder());
    ck_assert_ptr_nonnull(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        files += dot != NULL && strcmp(dot, ".sam") == 0;
    }
    closedir(folder);
    ck_assert_uint_eq(files, VECTOR_ROWS);
}
END_TEST

static const struct vector *row_named(const char *file) {
    for (size_t i = 0; i < all.count; i++)
        if (strcmp(all.rows[i].file, file) == 0)
            return &all.rows[i];
    ck_abort_msg("index.json has no %s", file);
    return NULL;
}

static const char *const shortest[] = {"001_mode1_alice_bob_0.sam", "100_mode2_alice_bob_0.sam"};

/* Each prefix in an allocation of its own size, so that a sanitizer sees a read past its end. */
START_TEST(no_prefix_of_an_envelope_opens) {
    const struct vector *row = row_named(shortest[_i]);
    struct sam_bytes whole = read_vector(row->file);
    for (size_t length = 0; length < whole.length; length++) {
        struct sam_bytes prefix = {0};
        ck_status(sam_bytes_reserve(&prefix, length), SAM_OK);
        ck_status(sam_bytes_append(&prefix, whole.data, length), SAM_OK);
        ck_assert_uint_eq(prefix.capacity, length);
        ck_status(refuse(prefix, row), SAM_TRUNCATED);
    }
    ck_assert_int_eq(sam_status_step(SAM_TRUNCATED), 1);
    open_row(whole, row);
}
END_TEST

START_TEST(no_envelope_with_a_byte_more_opens) {
    const struct vector *row = row_named(shortest[_i]);
    for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
        struct sam_bytes longer = read_vector(row->file);
        ck_status(sam_bytes_append(&longer, &(uint8_t){(uint8_t)byte}, 1), SAM_OK);
        ck_status(refuse(longer, row), SAM_LENGTH);
    }
}
END_TEST

/* Our own vectors: 2 modes, 3 pairs of parties, 5 messages. */

enum { OWN_MESSAGES = 5, OWN_PAIRS = 3, OWN_ROWS = 2 * OWN_PAIRS * OWN_MESSAGES };
static const uint64_t own_sent_at = 1767225600000; /* 2026-01-01 00:00 UTC */
static const uint8_t own_reference[SAM_ID_SIZE] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                                   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

/* What row number i seals. The caller frees the message. */
static struct vector own_row(int i) {
    static const char *const pairs[OWN_PAIRS][2] = {
        {"alice", "bob"}, {"bob", "carol"}, {"carol", "alice"}};
    static const char *const messages[OWN_MESSAGES] = {"empty", "1_byte", "1_block", "2_blocks",
                                                       "all_values"};
    const char *const *pair = pairs[i / OWN_MESSAGES % OWN_PAIRS];
    struct vector row = {.mode = (uint8_t)(1 + i / (OWN_PAIRS * OWN_MESSAGES)),
                         .opens = true,
                         .kind = SAM_KIND_SEND};
    snprintf(row.from, sizeof row.from, "%s", pair[0]);
    snprintf(row.to, sizeof row.to, "%s", pair[1]);
    snprintf(row.file, sizeof row.file, "own/mode%u_%s_%s_%s.sam", row.mode, row.from, row.to,
             messages[i % OWN_MESSAGES]);
    memcpy(row.reference, own_reference, sizeof row.reference);
    size_t block = sam_rsa_size(person(row.to)->rsa) - SAM_OAEP_OVERHEAD - SAM_SALT_SIZE;
    const size_t lengths[OWN_MESSAGES] = {0, 1, block, block + 1, 256};
    for (size_t k = 0; k < lengths[i % OWN_MESSAGES]; k++)
        ck_status(sam_bytes_append(&row.message, &(uint8_t){(uint8_t)k}, 1), SAM_OK);
    return row;
}

/* A libcrypto of its own, with OpenSSL's TEST-RAND in the place of its generator, is the thread's
 * default from enter_sandbox to leave_sandbox. The process's own generator is never touched, so
 * other tests are not either, with CK_FORK=no too. Keys belong to the libcrypto that read them. */
static struct {
    OSSL_LIB_CTX *inside, *outside;
    struct sam_crypto *crypto;
    struct sam_key keys[3];
} sandbox;

static void feed(EVP_RAND_CTX *stream, uint8_t *bytes, size_t length) {
    unsigned strength = 256;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(OSSL_RAND_PARAM_STRENGTH, &strength),
        OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_ENTROPY, bytes, length),
        OSSL_PARAM_construct_end()};
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(EVP_RAND_instantiate(stream, strength, 0, NULL, 0, params), 1);
}

/* Two streams, for each of the two in which libcrypto draws: byte k of the private one (message id,
 * salt of the letter, key, nonce) is 16 * number + k, of the public one (PSS salt, OAEP seeds) 255
 * less that. Draws fail when a stream is used up. */
static void feed_both(unsigned number, size_t private_length, size_t public_length) {
    static uint8_t bytes[4096];
    ck_assert(private_length <= sizeof bytes && public_length <= sizeof bytes);
    for (size_t k = 0; k < private_length; k++)
        bytes[k] = (uint8_t)(16 * number + k);
    feed(RAND_get0_private(NULL), bytes, private_length);
    for (size_t k = 0; k < public_length; k++)
        bytes[k] = (uint8_t)(255 - (16 * number + k));
    feed(RAND_get0_public(NULL), bytes, public_length);
}

static void enter_sandbox(void) {
    static const char *const names[] = {"alice", "bob", "carol"};
    sandbox.inside = OSSL_LIB_CTX_new();
    ck_assert_ptr_nonnull(sandbox.inside);
    ck_assert_int_eq(RAND_set_DRBG_type(sandbox.inside, "TEST-RAND", NULL, NULL, NULL), 1);
    sandbox.outside = OSSL_LIB_CTX_set0_default(sandbox.inside);
    ck_status(sam_crypto_new(&sandbox.crypto), SAM_OK);
    for (size_t i = 0; i < 3; i++) {
        struct sam_key *key = &sandbox.keys[i];
        char file[32];
        snprintf(file, sizeof file, "%s.private.pem", names[i]);
        struct sam_bytes pem = read_vector(file);
        ck_status(sam_rsa_read_private(&key->rsa, pem.data, pem.length, NULL), SAM_OK);
        ck_status(sam_rsa_id(key->rsa, sandbox.crypto, key->id), SAM_OK);
        snprintf(key->name, sizeof key->name, "%s", names[i]);
        sam_bytes_free(&pem);
        /* A key's first private operation draws what blinds this one and the next 31. */
        uint8_t signature[SAM_RSA_SIZE_MAX];
        feed_both(0, 4096, 4096);
        ck_status(sam_pss_sign(sandbox.crypto, key->rsa, signature, "", 0, "", 0), SAM_OK);
    }
}

static void leave_sandbox(void) {
    for (size_t i = 0; i < 3; i++)
        sam_key_free(&sandbox.keys[i]);
    sam_crypto_free(sandbox.crypto);
    OSSL_LIB_CTX_set0_default(sandbox.outside);
    OSSL_LIB_CTX_free(sandbox.inside);
    memset(&sandbox, 0, sizeof sandbox);
}

static const struct sam_key *inmate(const char *name) {
    size_t i = 0;
    while (strcmp(sandbox.keys[i].name, name) != 0)
        ck_assert_uint_lt(++i, 3);
    return &sandbox.keys[i];
}

static enum sam_status seal_row(struct sam_envelope *envelope, const struct vector *row) {
    const struct sam_party sealer = {
        .mode = modes[row->mode - 1], .crypto = sandbox.crypto, .own = inmate(row->from)};
    const struct sam_key *recipient = inmate(row->to);
    struct sam_address address = {.kind = SAM_KIND_SEND, .sent_at = own_sent_at};
    memcpy(address.reference, row->reference, SAM_ID_SIZE);
    ck_status(sam_envelope_start(envelope, &sealer, recipient, row->message.length), SAM_OK);
    if (row->message.length > 0)
        memcpy(envelope->message, row->message.data, row->message.length);
    return sam_envelope_seal(envelope, &sealer, recipient, &address);
}

/* Another OpenSSL may draw in another order inside of RSA. The header and the letter's salt are
 * drawn before that, so the header is compared whatever libcrypto this is. */
static void assert_same(const struct sam_bytes *sealed, const struct sam_bytes *kept,
                        const char *file) {
    ck_assert_uint_eq(sealed->length, kept->length);
    ck_assert_mem_eq(sealed->data, kept->data, SAM_HEADER_SIZE);
    bool same = memcmp(sealed->data, kept->data, kept->length) == 0;
    bool makers_own = OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0;
    ck_assert_msg(same || !makers_own, "%s is sealed into other bytes than before", file);
    if (!same)
        fprintf(stderr, "%s: made with OpenSSL 3.0; %s draws in another order: header compared\n",
                file, OpenSSL_version(OPENSSL_VERSION));
}

START_TEST(sealing_from_known_randomness_gives_the_bytes_on_record) {
    struct vector row = own_row(_i);
    struct sam_envelope envelope;
    feed_both((unsigned)_i, 2048, 2048);
    ck_status(seal_row(&envelope, &row), SAM_OK);
    if (getenv("SAM_WRITE_VECTORS") != NULL) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", vectors_folder(), row.file);
        write_file(path, 0644, envelope.bytes.data, envelope.bytes.length);
    }
    struct sam_bytes kept = read_vector(row.file);
    assert_same(&envelope.bytes, &kept, row.file);
    sam_bytes_free(&kept);
    sam_bytes_free(&row.message);
    sam_envelope_free(&envelope);
}
END_TEST

START_TEST(own_envelope_on_record_opens) {
    struct vector row = own_row(_i);
    open_row(read_vector(row.file), &row);
    sam_bytes_free(&row.message);
}
END_TEST

static void assert_sealing_fails(unsigned number, size_t private_length, size_t public_length) {
    struct vector row = own_row((int)number);
    struct sam_envelope envelope;
    feed_both(number, private_length, public_length);
    ck_status(seal_row(&envelope, &row), SAM_CRYPTO);
    ck_assert_ptr_null(envelope.message);
    ck_assert_uint_eq(envelope.message_length, 0);
    ck_assert_ptr_null(envelope.bytes.data);
    ck_assert_uint_eq(envelope.bytes.length, 0);
    sam_bytes_free(&row.message);
}

/* The randomness runs out before each draw, and in the middle of one. */
START_TEST(sealing_without_randomness_fails_and_leaves_nothing) {
    unsigned two_blocks = (unsigned)_i * OWN_PAIRS * OWN_MESSAGES + 3;
    static const size_t private_ends[] = {0, 15, 16, 31, 32, 63, 64, 75};
    static const size_t public_ends[] = {0, 31, 32, 63, 64, 95};
    const size_t private_draws[] = {32, 76}, public_draws[] = {96, 64};
    for (size_t k = 0; k < sizeof private_ends / sizeof private_ends[0]; k++)
        if (private_ends[k] < private_draws[_i])
            assert_sealing_fails(two_blocks, private_ends[k], 2048);
    for (size_t k = 0; k < sizeof public_ends / sizeof public_ends[0]; k++)
        if (public_ends[k] < public_draws[_i])
            assert_sealing_fails(two_blocks, 2048, public_ends[k]);
}
END_TEST

static TCase *new_case(Suite *suite, const char *name) {
    TCase *tcase = tcase_create(name);
    tcase_add_unchecked_fixture(tcase, load_all, free_all);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *vectors_suite(void) {
    Suite *suite = suite_create("vectors");
    TCase *foreign = new_case(suite, "foreign");
    tcase_add_test(foreign, every_foreign_envelope_has_one_row);
    tcase_add_loop_test(foreign, foreign_envelope_opens_or_is_refused_at_its_step, 0, VECTOR_ROWS);
    tcase_add_loop_test(foreign, no_prefix_of_an_envelope_opens, 0, 2);
    tcase_add_loop_test(foreign, no_envelope_with_a_byte_more_opens, 0, 2);
    TCase *sealing = new_case(suite, "own sealing");
    tcase_add_checked_fixture(sealing, enter_sandbox, leave_sandbox);
    tcase_add_loop_test(sealing, sealing_from_known_randomness_gives_the_bytes_on_record, 0,
                        OWN_ROWS);
    tcase_add_loop_test(sealing, sealing_without_randomness_fails_and_leaves_nothing, 0, 2);
    /* After sealing, which may have written them just now. */
    TCase *own = new_case(suite, "own");
    tcase_add_loop_test(own, own_envelope_on_record_opens, 0, OWN_ROWS);
    return suite;
}
