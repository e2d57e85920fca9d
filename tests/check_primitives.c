/* Tests of primitives: known answers, no parameter but the pinned ones, and nothing left of what
 * fails. */
#include "primitives.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "support.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

enum { ALICE_SIZE = 256, ALICE_MAX = ALICE_SIZE - SAM_OAEP_OVERHEAD };

/* Alice's public half alone, as others have it. */
static struct sam_rsa *public_alice;
static struct sam_crypto *crypto;

static void set_up(void) {
    load_people();
    struct sam_bytes pem = read_vector("alice.public.pem");
    ck_status(sam_rsa_read_public(&public_alice, pem.data, pem.length), SAM_OK);
    sam_bytes_free(&pem);
    crypto = people.crypto;
}

static void tear_down(void) {
    sam_rsa_free(public_alice);
    free_people();
}

/* The bytes of a hexadecimal text; their number is returned. */
static size_t from_hex(uint8_t *out, const char *hex) {
    size_t length = 0;
    ck_assert_int_eq(OPENSSL_hexstr2buf_ex(out, 128, &length, hex, '\0'), 1);
    return length;
}

/* SHA-256 */

static const struct {
    const char *text, *digest;
} digests[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(sha_256_gives_the_known_digest_however_it_is_split) {
    const char *text = digests[_i].text;
    uint8_t expected[128], got[SAM_SHA256_SIZE];
    ck_assert_uint_eq(from_hex(expected, digests[_i].digest), sizeof got);
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        ck_status(sam_sha256(crypto, got, text, cut, text + cut, strlen(text) - cut), SAM_OK);
        ck_assert_mem_eq(got, expected, sizeof got);
    }
    ck_status(sam_sha256(crypto, got, text, strlen(text), NULL, 0), SAM_OK);
    ck_assert_mem_eq(got, expected, sizeof got);
}
END_TEST

START_TEST(random_bytes_do_not_repeat) {
    uint8_t a[33] = {0}, b[33] = {0};
    ck_status(sam_random(a, 32), SAM_OK);
    ck_status(sam_random(b, 32), SAM_OK);
    ck_assert(!sam_is_zero(a, 32) && !sam_is_zero(b, 32) && !sam_equal(a, b, 32));
    ck_assert(a[32] == 0 && b[32] == 0);
    ck_status(sam_random(a, 0), SAM_OK);
}
END_TEST

/* AES-256-GCM. The test cases 13, 14 and 16 of McGrew and Viega, which NIST took over; of a key and
 * a nonce of zeros the table has one byte. */

static const struct {
    const char *key, *nonce, *aad, *plain, *sealed, *tag;
} gcm_cases[] = {
    {"00", "00", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"00", "00", "", "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

struct gcm {
    size_t aad_length, length;
    uint8_t key[128], nonce[128], aad[128], data[128], tag[128];
};

static struct gcm gcm_case(int i, bool sealed) {
    struct gcm gcm = {0};
    from_hex(gcm.key, gcm_cases[i].key);
    from_hex(gcm.nonce, gcm_cases[i].nonce);
    gcm.aad_length = from_hex(gcm.aad, gcm_cases[i].aad);
    gcm.length = from_hex(gcm.data, sealed ? gcm_cases[i].sealed : gcm_cases[i].plain);
    from_hex(gcm.tag, gcm_cases[i].tag);
    return gcm;
}

static enum sam_status gcm_open(struct gcm *gcm) {
    return sam_gcm_decrypt(crypto, gcm->key, gcm->nonce, gcm->aad, gcm->aad_length, gcm->data,
                           gcm->length, gcm->tag);
}

START_TEST(gcm_gives_the_known_answers) {
    struct gcm plain = gcm_case(_i, false), sealed = gcm_case(_i, true), work = plain;
    memset(work.tag, 0, sizeof work.tag);
    ck_status(sam_gcm_encrypt(crypto, work.key, work.nonce, work.aad, work.aad_length, work.data,
                              work.length, work.tag),
              SAM_OK);
    ck_assert_mem_eq(&work, &sealed, sizeof work);
    ck_status(gcm_open(&work), SAM_OK);
    ck_assert_mem_eq(&work, &plain, sizeof work);
}
END_TEST

START_TEST(a_flipped_bit_of_gcm_leaves_no_plaintext) {
    const struct gcm sealed = gcm_case(2, true);
    struct gcm work;
    struct {
        uint8_t *at;
        size_t length;
    } parts[] = {{work.key, SAM_GCM_KEY_SIZE},
                 {work.nonce, SAM_GCM_NONCE_SIZE},
                 {work.aad, sealed.aad_length},
                 {work.data, sealed.length},
                 {work.tag, SAM_GCM_TAG_SIZE}};
    for (size_t bit = 0; bit < 8 * parts[_i].length; bit++) {
        work = sealed;
        parts[_i].at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_status(gcm_open(&work), SAM_DECRYPT);
        ck_assert(sam_is_zero(work.data, work.length));
    }
}
END_TEST

/* Everything cut, everything grown, the border between aad and data moved. */
START_TEST(other_lengths_of_gcm_leave_no_plaintext) {
    const struct gcm sealed = gcm_case(2, true);
    for (size_t length = 0; length < sealed.length + 8; length++) {
        struct gcm work = sealed;
        work.length = length;
        ck_status(gcm_open(&work), length == sealed.length ? SAM_OK : SAM_DECRYPT);
        ck_assert(length == sealed.length || sam_is_zero(work.data, length));
    }
    for (size_t length = 0; length < sealed.aad_length + 8; length++) {
        struct gcm work = sealed;
        work.aad_length = length;
        ck_status(gcm_open(&work), length == sealed.aad_length ? SAM_OK : SAM_DECRYPT);
        ck_assert(length == sealed.aad_length || sam_is_zero(work.data, work.length));
    }
    /* More than libcrypto counts in an int: refused before a byte of it is read. */
    struct gcm work = sealed;
    work.aad_length = (size_t)INT_MAX + 1;
    ck_status(gcm_open(&work), SAM_CRYPTO);
    ck_assert(sam_is_zero(work.data, work.length));
    work = sealed;
    ck_status(sam_gcm_encrypt(crypto, work.key, work.nonce, work.aad, (size_t)INT_MAX + 1,
                              work.data, work.length, work.tag),
              SAM_CRYPTO);
    ck_assert(sam_is_zero(work.data, work.length) && sam_is_zero(work.tag, SAM_GCM_TAG_SIZE));
}
END_TEST

/* OAEP */

static const uint8_t label[36] = "a label of thirty-six bytes, exactl";

static enum sam_status seal(const struct sam_rsa *rsa, uint8_t *out, const uint8_t *message,
                            size_t length) {
    return sam_oaep_encrypt(crypto, rsa, out, label, sizeof label, message, length);
}

/* A block that must not open, and leaves nothing. */
static void does_not_open(const struct sam_rsa *rsa, const uint8_t *a_label, size_t label_length,
                          const uint8_t *block) {
    uint8_t out[SAM_RSA_SIZE_MAX];
    size_t length = 99;
    memset(out, 0xa5, sizeof out);
    ck_status(sam_oaep_decrypt(crypto, rsa, out, &length, a_label, label_length, block),
              SAM_DECRYPT);
    ck_assert_uint_eq(length, 0);
    ck_assert(sam_is_zero(out, sizeof out));
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

static void opens_to(const struct sam_rsa *rsa, const uint8_t *block, const uint8_t *message,
                     size_t length) {
    uint8_t out[SAM_RSA_SIZE_MAX];
    size_t got = 99;
    ck_status(sam_oaep_decrypt(crypto, rsa, out, &got, label, sizeof label, block), SAM_OK);
    ck_assert_uint_eq(got, length);
    if (length > 0)
        ck_assert_mem_eq(out, message, length);
}

static const char *const names[] = {"alice", "bob", "carol"};

START_TEST(oaep_round_trips_up_to_its_limit_and_not_beyond) {
    const struct sam_rsa *rsa = person(names[_i])->rsa;
    size_t size = sam_rsa_size(rsa), max = size - SAM_OAEP_OVERHEAD;
    ck_assert_uint_eq(size, (size_t)(256 + 128 * _i));
    uint8_t message[SAM_RSA_SIZE_MAX], block[SAM_RSA_SIZE_MAX + 1], last[ALICE_SIZE] = {0};
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 5 + 1);
    for (size_t length = 0; length <= max; length += length > 3 && length < max - 3 ? 9 : 1) {
        /* Anywhere in the buffer that is written, too. */
        memset(block, 0, sizeof block);
        memcpy(block + (size - length) * (length % 3) / 2, message, length);
        ck_status(seal(rsa, block, block + (size - length) * (length % 3) / 2, length), SAM_OK);
        ck_assert_mem_ne(block, last, sizeof last);
        memcpy(last, block, sizeof last);
        opens_to(rsa, block, message, length);
        ck_assert_uint_eq(block[size], 0);
    }
    for (size_t length = max + 1; length <= size; length++) {
        memset(block, 0xa5, sizeof block);
        ck_status(seal(rsa, block, message, length), SAM_CRYPTO);
        ck_assert(sam_is_zero(block, size));
        ck_assert_uint_eq(ERR_peek_error(), 0);
    }
}
END_TEST

START_TEST(oaep_does_not_open_under_another_label_or_key) {
    uint8_t block[SAM_RSA_SIZE_MAX] = {0}, other[sizeof label + 1] = {0};
    ck_status(seal(people.alice.rsa, block, label, sizeof label), SAM_OK);
    for (size_t bit = 0; bit < 8 * sizeof label; bit += 11) {
        memcpy(other, label, sizeof label);
        other[bit / 8] ^= (uint8_t)(1 << bit % 8);
        does_not_open(people.alice.rsa, other, sizeof label, block);
    }
    memcpy(other, label, sizeof label);
    does_not_open(people.alice.rsa, other, sizeof label + 1, block);
    does_not_open(people.alice.rsa, other, sizeof label - 1, block);
    does_not_open(people.mallory.rsa, label, sizeof label, block);
    does_not_open(people.carol.rsa, label, sizeof label, block);
    does_not_open(public_alice, label, sizeof label, block);
    opens_to(people.alice.rsa, block, label, sizeof label);
}
END_TEST

START_TEST(an_altered_oaep_block_does_not_open) {
    uint8_t block[ALICE_SIZE];
    ck_status(seal(people.alice.rsa, block, label, sizeof label), SAM_OK);
    for (size_t bit = 0; bit < 8 * sizeof block; bit += 7) {
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        does_not_open(people.alice.rsa, label, sizeof label, block);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    opens_to(people.alice.rsa, block, label, sizeof label);
    /* Numbers that no encryption gives: 0, 1, and more than the modulus. */
    memset(block, 0, sizeof block);
    does_not_open(people.alice.rsa, label, sizeof label, block);
    block[ALICE_SIZE - 1] = 1;
    does_not_open(people.alice.rsa, label, sizeof label, block);
    memset(block, 0xff, sizeof block);
    does_not_open(people.alice.rsa, label, sizeof label, block);
}
END_TEST

/* PSS */

static const uint8_t text[] = "0123456789 the message that is signed";

static enum sam_status verify(const struct sam_rsa *rsa, const uint8_t *signature,
                              const uint8_t *message, size_t length, size_t cut) {
    enum sam_status status =
        sam_pss_verify(crypto, rsa, signature, message, cut, message + cut, length - cut);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return status;
}

/* What is signed is a || b: where it was cut is not part of it. */
START_TEST(a_signature_covers_both_parts_and_not_their_border) {
    uint8_t signature[SAM_RSA_SIZE_MAX];
    const struct sam_rsa *rsa = person(names[_i])->rsa;
    ck_status(sam_pss_sign(crypto, rsa, signature, text, 10, text + 10, sizeof text - 10), SAM_OK);
    for (size_t cut = 0; cut <= sizeof text; cut++)
        ck_status(verify(rsa, signature, text, sizeof text, cut), SAM_OK);
    for (size_t length = 0; length < sizeof text; length++)
        ck_status(verify(rsa, signature, text, length, length / 2), SAM_SIGNATURE);
    ck_status(sam_pss_sign(crypto, rsa, signature, NULL, 0, NULL, 0), SAM_OK);
    ck_status(sam_pss_verify(crypto, rsa, signature, NULL, 0, NULL, 0), SAM_OK);
}
END_TEST

START_TEST(an_altered_signature_or_message_does_not_verify) {
    uint8_t signature[SAM_RSA_SIZE_MAX] = {0}, message[sizeof text];
    memcpy(message, text, sizeof text);
    ck_status(sam_pss_sign(crypto, people.alice.rsa, signature, text, 4, text + 4, 30), SAM_OK);
    for (size_t bit = 0; bit < 8 * (size_t)ALICE_SIZE; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_status(verify(public_alice, signature, text, 34, 4), SAM_SIGNATURE);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < (size_t)8 * 34; bit++) {
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_status(verify(public_alice, signature, message, 34, 4), SAM_SIGNATURE);
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_status(verify(people.mallory.rsa, signature, text, 34, 4), SAM_SIGNATURE);
    ck_status(verify(people.carol.rsa, signature, text, 34, 4), SAM_SIGNATURE);
    ck_status(verify(public_alice, signature, text, 34, 4), SAM_OK);
    memset(signature, 0xff, sizeof signature); /* more than the modulus */
    ck_status(verify(public_alice, signature, text, 34, 4), SAM_SIGNATURE);
}
END_TEST

/* Handles */

enum { ROUNDS = 10 };

/* One thread of several, with a handle of its own and the keys of all: 8 operations a round, half
 * of them failures. Returns NULL when all went as it should. */
static void *work(void *argument) {
    struct sam_crypto *own = argument;
    const struct sam_rsa *rsa = people.alice.rsa;
    uint8_t block[ALICE_SIZE], out[SAM_RSA_SIZE_MAX];
    size_t length, wrong = 0;
    struct gcm gcm = {.length = 5};
    for (int i = 0; i < ROUNDS; i++) {
        wrong += sam_oaep_encrypt(own, rsa, block, label, 36, text, ALICE_MAX + 1) != SAM_CRYPTO;
        wrong += sam_oaep_encrypt(own, rsa, block, label, 36, text, 5) != SAM_OK;
        wrong += sam_oaep_decrypt(own, rsa, out, &length, label, 35, block) != SAM_DECRYPT;
        wrong += sam_oaep_decrypt(own, rsa, out, &length, label, 36, block) != SAM_OK;
        wrong += length != 5 || !sam_equal(out, text, 5);
        wrong += sam_pss_sign(own, public_alice, block, text, 5, NULL, 0) != SAM_CRYPTO;
        wrong += !sam_is_zero(block, sizeof block); /* a public key signs nothing */
        wrong += sam_pss_sign(own, rsa, block, text, 5, NULL, 0) != SAM_OK;
        wrong += sam_pss_verify(own, public_alice, block, text, 6, NULL, 0) != SAM_SIGNATURE;
        wrong += sam_pss_verify(own, public_alice, block, text, 2, text + 2, 3) != SAM_OK;
        wrong += sam_sha256(own, out, text, 5, NULL, 0) != SAM_OK;
        wrong += sam_gcm_encrypt(own, out, text, NULL, 0, gcm.data, 5, gcm.tag) != SAM_OK;
        wrong += sam_gcm_decrypt(own, out, text, NULL, 0, gcm.data, 5, gcm.tag) != SAM_OK;
    }
    return wrong == 0 ? NULL : argument;
}

START_TEST(threads_share_algorithms_and_keys_and_count_for_themselves) {
    struct sam_crypto *handles[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ck_status(sam_crypto_share(&handles[i], i == 0 ? crypto : handles[i - 1]), SAM_OK);
        ck_assert(sam_crypto_count(handles[i]).private_operations == 0);
        ck_assert(sam_crypto_count(handles[i]).public_operations == 0);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, handles[i]), 0);
    }
    ck_assert_ptr_null(work(crypto));
    for (int i = 0; i < 4; i++) {
        void *failed;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
        ck_assert(sam_crypto_count(handles[i]).private_operations == (uint64_t)4 * ROUNDS);
        ck_assert(sam_crypto_count(handles[i]).public_operations == (uint64_t)4 * ROUNDS);
        sam_crypto_free(handles[i]);
    }
    sam_crypto_free(NULL);
}
END_TEST

Suite *primitives_suite(void) {
    Suite *suite = suite_create("primitives");
    TCase *tcase = tcase_create("primitives");
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, sha_256_gives_the_known_digest_however_it_is_split, 0,
                        COUNT(digests));
    tcase_add_test(tcase, random_bytes_do_not_repeat);
    tcase_add_loop_test(tcase, gcm_gives_the_known_answers, 0, COUNT(gcm_cases));
    tcase_add_loop_test(tcase, a_flipped_bit_of_gcm_leaves_no_plaintext, 0, 5);
    tcase_add_test(tcase, other_lengths_of_gcm_leave_no_plaintext);
    tcase_add_loop_test(tcase, oaep_round_trips_up_to_its_limit_and_not_beyond, 0, COUNT(names));
    tcase_add_test(tcase, oaep_does_not_open_under_another_label_or_key);
    tcase_add_test(tcase, an_altered_oaep_block_does_not_open);
    tcase_add_loop_test(tcase, a_signature_covers_both_parts_and_not_their_border, 0, COUNT(names));
    tcase_add_test(tcase, an_altered_signature_or_message_does_not_verify);
    tcase_add_test(tcase, threads_share_algorithms_and_keys_and_count_for_themselves);
    suite_add_tcase(suite, tcase);
    return suite;
}
