/* Tests of rsa: keys that others made are read or refused for the right reason, and no padding but
 * the pinned one passes. */
#include "rsa.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "suites.h"
#include "support.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static const struct sam_passphrase phrases[] = {
    {6, "sesame"}, {5, "sesam"}, {6, "Sesame"}, {6, "ses\0me"}, {0, ""}};
enum { SESAME = 0, EMPTY = 4 };

/* Alice's pair as stock libcrypto holds and writes it. */
static EVP_PKEY *alice;
static struct sam_bytes alice_private, alice_public;

/* What a pointer may hold before: a failure must leave NULL. */
static struct sam_rsa *const not_null = (struct sam_rsa *)&alice_public;

/* The text that was written to bio, which is freed. */
static struct sam_bytes take(BIO *bio, int written) {
    struct sam_bytes bytes = {0};
    char *data = NULL;
    long length = BIO_get_mem_data(bio, &data);
    ck_assert_int_eq(written, 1);
    ck_status(sam_bytes_append(&bytes, data, (size_t)length), SAM_OK);
    BIO_free(bio);
    return bytes;
}

static struct sam_bytes write_public(EVP_PKEY *pkey) {
    BIO *bio = BIO_new(BIO_s_mem());
    return take(bio, PEM_write_bio_PUBKEY(bio, pkey));
}

static struct sam_bytes write_private(EVP_PKEY *pkey, const struct sam_passphrase *passphrase) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (passphrase == NULL)
        return take(bio, PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
    return take(bio, PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_256_cbc(), passphrase->text,
                                                   (int)passphrase->length, NULL, NULL));
}

/* An RSA pair of any size at no cost: its numbers are random, and the modulus is no product of
 * primes. Reading does not test that. */
static EVP_PKEY *fake(const char *algorithm, int bits, unsigned long exponent) {
    static const char *const others[] = {
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    BIGNUM *n = BN_new(), *e = BN_new();
    BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    BN_set_word(e, exponent);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    for (int i = 0; i < COUNT(others); i++)
        OSSL_PARAM_BLD_push_BN(build, others[i], n);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_fromdata_init(context);
    ck_assert_int_eq(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return pkey;
}

static void set_up(void) {
    load_people();
    alice_private = read_vector("alice.private.pem");
    BIO *bio = BIO_new_mem_buf(alice_private.data, (int)alice_private.length);
    alice = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ck_assert_ptr_nonnull(alice);
    alice_public = write_public(alice);
}

static void tear_down(void) {
    EVP_PKEY_free(alice);
    sam_bytes_free(&alice_public);
    sam_bytes_free(&alice_private);
    free_people();
}

/* What is read is freed; a failure must leave nothing, whatever was there. */
static void reads_public(const void *pem, size_t length, enum sam_status expected) {
    struct sam_rsa *rsa = not_null;
    ck_status(sam_rsa_read_public(&rsa, pem, length), expected);
    ck_assert((rsa == NULL) == (expected != SAM_OK));
    sam_rsa_free(rsa);
}

static void reads_private(const struct sam_bytes *pem, const struct sam_passphrase *passphrase,
                          enum sam_status expected) {
    struct sam_rsa *rsa = not_null;
    ck_status(sam_rsa_read_private(&rsa, pem->data, pem->length, passphrase), expected);
    ck_assert((rsa == NULL) == (expected != SAM_OK));
    sam_rsa_free(rsa);
}

static const struct {
    const char *algorithm;
    int bits;
    unsigned long exponent;
    enum sam_status status;
} pairs[] = {
    {"RSA", 1024, 65537, SAM_KEY_BITS},
    {"RSA", 2048, 65537, SAM_OK},
    {"RSA", 2049, 65537, SAM_KEY_BITS},
    {"RSA", 2052, 65537, SAM_KEY_BITS},
    {"RSA", 2056, 65537, SAM_OK},
    {"RSA", 4096, 65537, SAM_OK},
    {"RSA", 4104, 65537, SAM_KEY_BITS},
    {"RSA", 2048, 3, SAM_KEY_EXPONENT},
    {"RSA", 2048, 0x100010001, SAM_KEY_EXPONENT},
    {"RSA-PSS", 2048, 65537, SAM_KEY_PSS_ONLY},
    {"ED25519", 0, 0, SAM_KEY_NOT_RSA},
    {"EC", 0, 0, SAM_KEY_NOT_RSA},
};

START_TEST(a_pair_is_taken_or_refused_for_its_reason) {
    const char *algorithm = pairs[_i].algorithm;
    EVP_PKEY *pkey = pairs[_i].bits > 0
                         ? fake(algorithm, pairs[_i].bits, pairs[_i].exponent)
                         : EVP_PKEY_Q_keygen(NULL, NULL, algorithm, "P-256"); /* for EC alone */
    ck_assert_ptr_nonnull(pkey);
    if (pairs[_i].status == SAM_KEY_BITS) {
        struct sam_rsa *rsa = not_null;
        ck_status(sam_rsa_generate(&rsa, (unsigned)pairs[_i].bits), SAM_KEY_BITS);
        ck_assert_ptr_null(rsa);
    }
    struct sam_bytes public = write_public(pkey), private = write_private(pkey, NULL);
    reads_public(public.data, public.length, pairs[_i].status);
    reads_private(&private, NULL, pairs[_i].status);
    reads_private(&private, &phrases[SESAME], pairs[_i].status); /* not asked for: not used */
    reads_public(private.data, private.length, SAM_KEY_PRIVATE);
    reads_private(&public, NULL, SAM_KEY_PUBLIC);
    sam_bytes_free(&private);
    private = write_private(pkey, &phrases[EMPTY]);
    reads_private(&private, &phrases[EMPTY], pairs[_i].status);
    sam_bytes_free(&private);
    sam_bytes_free(&public);
    EVP_PKEY_free(pkey);
}
END_TEST

static const struct {
    const char *text;
    size_t length;
    enum sam_status status;
} texts[] = {
    {"", 0, SAM_KEY_EMPTY},
    {"\0", 1, SAM_KEY_FORMAT},
    {"garbage", 7, SAM_KEY_FORMAT},
    {"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", 52, SAM_KEY_FORMAT},
    {"-----BEGIN PUBLIC KEY-----\n\xff\xfe!\n-----END PUBLIC KEY-----\n", 56, SAM_KEY_FORMAT},
    {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 alice@home\n", 52, SAM_KEY_FORMAT},
};

START_TEST(a_text_that_is_no_key_is_no_key) {
    struct sam_bytes pem = {0};
    ck_status(sam_bytes_append(&pem, texts[_i].text, texts[_i].length), SAM_OK);
    reads_public(pem.data, pem.length, texts[_i].status);
    reads_private(&pem, NULL, texts[_i].status);
    sam_bytes_free(&pem);
}
END_TEST

/* Alice's key under other labels that PEM knows, and two blocks, of which one would be ignored. */
static const struct {
    const char *label;
    enum sam_status status;
} labels[] = {
    {"CERTIFICATE", SAM_KEY_FORMAT},      {"TRUSTED CERTIFICATE", SAM_KEY_FORMAT},
    {"RSA PUBLIC KEY", SAM_KEY_FORMAT},   {"public key", SAM_KEY_FORMAT},
    {"RSA PRIVATE KEY", SAM_KEY_PRIVATE}, {"EC PRIVATE KEY", SAM_KEY_PRIVATE},
};

START_TEST(another_label_is_another_thing) {
    unsigned char *der = NULL;
    enum sam_status status = labels[_i].status;
    bool traditional = status == SAM_KEY_PRIVATE;
    int length = traditional ? i2d_PrivateKey(alice, &der) : i2d_PUBKEY(alice, &der);
    BIO *bio = BIO_new(BIO_s_mem());
    struct sam_bytes pem = take(bio, PEM_write_bio(bio, labels[_i].label, "", der, length) > 0);
    OPENSSL_free(der);
    reads_public(pem.data, pem.length, status);
    reads_private(&pem, NULL, SAM_KEY_FORMAT);
    ck_status(sam_bytes_append(&pem, alice_public.data, alice_public.length), SAM_OK);
    reads_public(pem.data, pem.length, SAM_KEY_FORMAT);
    pem.length = 0;
    ck_status(sam_bytes_append(&pem, "a word before\n", 14), SAM_OK);
    ck_status(sam_bytes_append(&pem, alice_public.data, alice_public.length), SAM_OK);
    reads_public(pem.data, pem.length, SAM_OK);
    sam_bytes_free(&pem);
}
END_TEST

START_TEST(a_key_cut_anywhere_is_refused) {
    struct sam_bytes cut = alice_private;
    for (size_t length = 1; length < alice_public.length - 1; length++)
        reads_public(alice_public.data, length, SAM_KEY_FORMAT);
    for (cut.length = 1; cut.length < alice_private.length - 1; cut.length += 7)
        reads_private(&cut, NULL, SAM_KEY_FORMAT);
}
END_TEST

START_TEST(a_locked_key_opens_with_its_passphrase_alone) {
    struct sam_bytes pem = write_private(alice, &phrases[_i]);
    reads_private(&pem, NULL, SAM_KEY_LOCKED);
    reads_public(pem.data, pem.length, SAM_KEY_PRIVATE);
    for (int i = 0; i < COUNT(phrases); i++)
        reads_private(&pem, &phrases[i], i == _i ? SAM_OK : SAM_KEY_PASSPHRASE);
    sam_bytes_free(&pem);
}
END_TEST

/* PBES2 of PBKDF2 with HMAC-SHA-256 and 600,000 rounds, and AES-256-CBC, as DER writes them. */
START_TEST(a_key_is_locked_as_promised) {
    static const char *const wanted[] = {"\x2a\x86\x48\x86\xf7\x0d\x02\x09", "\x02\x03\x09\x27\xc0",
                                         "\x60\x86\x48\x01\x65\x03\x04\x01\x2a"};
    int mine = _i == 0 ? SESAME : EMPTY;
    struct sam_bytes pem = {0};
    ck_status(sam_rsa_write_private(people.alice.rsa, &phrases[mine], &pem), SAM_OK);
    reads_private(&pem, NULL, SAM_KEY_LOCKED);
    reads_private(&pem, &phrases[mine], SAM_OK);
    reads_private(&pem, &phrases[mine == SESAME ? EMPTY : SESAME], SAM_KEY_PASSPHRASE);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.length);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long length = 0;
    ck_assert_int_eq(PEM_read_bio(bio, &name, &header, &der, &length), 1);
    ck_assert_str_eq(name, "ENCRYPTED PRIVATE KEY");
    for (int i = 0; i < COUNT(wanted); i++) {
        bool found = false;
        size_t size = strlen(wanted[i]);
        for (size_t at = 0; !found && at + size <= (size_t)length; at++)
            found = memcmp(der + at, wanted[i], size) == 0;
        ck_assert_msg(found, "wanted[%d] is not in the key", i);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
    sam_bytes_free(&pem);
}
END_TEST

START_TEST(what_is_written_is_what_stock_openssl_writes) {
    struct sam_bytes pem = {0};
    ck_status(sam_bytes_append(&pem, "before", 6), SAM_OK);
    ck_status(sam_rsa_write_public(people.alice.rsa, &pem), SAM_OK);
    ck_assert_uint_eq(pem.length, 6 + alice_public.length);
    ck_assert_mem_eq(pem.data + 6, alice_public.data, alice_public.length);
    pem.length = 6;
    ck_status(sam_rsa_write_private(people.alice.rsa, NULL, &pem), SAM_OK);
    ck_assert_uint_eq(pem.length, 6 + alice_private.length);
    ck_assert_mem_eq(pem.data + 6, alice_private.data, alice_private.length);
    /* A public key has no private half to write. */
    struct sam_rsa *half;
    ck_status(sam_rsa_read_public(&half, alice_public.data, alice_public.length), SAM_OK);
    pem.length = 6;
    ck_status(sam_rsa_write_private(half, NULL, &pem), SAM_CRYPTO);
    ck_assert_uint_eq(pem.length, 6);
    sam_rsa_free(half);
    sam_bytes_free(&pem);
}
END_TEST

START_TEST(a_key_id_is_that_of_the_key_and_not_of_its_file) {
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(alice, &der);
    uint8_t digest[EVP_MAX_MD_SIZE], id[SAM_KEY_ID_SIZE];
    ck_assert_int_eq(EVP_Digest(der, (size_t)length, digest, NULL, EVP_sha256(), NULL), 1);
    ck_assert_mem_eq(people.alice.id, digest, sizeof id);
    /* The same key in a file that leaves out the NULL of its AlgorithmIdentifier. */
    ck_assert_mem_eq(der + 17, "\x05\x00", 2);
    memmove(der + 17, der + 19, (size_t)length - 19);
    der[3] = (unsigned char)(der[3] - 2);
    der[5] = (unsigned char)(der[5] - 2);
    BIO *bio = BIO_new(BIO_s_mem());
    struct sam_bytes pem = take(bio, PEM_write_bio(bio, "PUBLIC KEY", "", der, length - 2) > 0);
    struct sam_rsa *rsa;
    ck_status(sam_rsa_read_public(&rsa, pem.data, pem.length), SAM_OK);
    ck_status(sam_rsa_id(rsa, people.crypto, id), SAM_OK);
    ck_assert_mem_eq(id, digest, sizeof id);
    sam_rsa_free(rsa);
    sam_bytes_free(&pem);
    OPENSSL_free(der);
}
END_TEST

/* What another program sealed or signed, through stock EVP calls and with other parameters. */

static const uint8_t label[36] = "a label of thirty-six bytes, exactl";
static const uint8_t text[] = "0123456789 the message that is signed";

static const struct parameters {
    const char *hash, *mgf1;
    int length; /* of the label, of the salt */
    enum sam_status status;
} foreign_blocks[] = {
    {"SHA256", "SHA256", 36, SAM_OK},    {"SHA256", "SHA256", 0, SAM_DECRYPT},
    {"SHA1", "SHA1", 36, SAM_DECRYPT},   {"SHA256", "SHA1", 36, SAM_DECRYPT},
    {"SHA1", "SHA256", 36, SAM_DECRYPT}, {"SHA512", "SHA512", 36, SAM_DECRYPT},
    {NULL, NULL, 0, SAM_DECRYPT}, /* PKCS #1 v1.5 */
};

START_TEST(a_block_of_other_parameters_fails) {
    uint8_t block[256];
    size_t length = sizeof block;
    int label_length = foreign_blocks[_i].length;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(alice, NULL);
    EVP_PKEY_encrypt_init(context);
    if (foreign_blocks[_i].hash != NULL) {
        const EVP_MD *hash = EVP_get_digestbyname(foreign_blocks[_i].hash);
        const EVP_MD *mgf1 = EVP_get_digestbyname(foreign_blocks[_i].mgf1);
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_oaep_md(context, hash), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf1), 1);
        void *copy = OPENSSL_memdup(label, sizeof label); /* the context takes it over */
        ck_assert_int_eq(EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, label_length), 1);
    }
    ck_assert_int_eq(EVP_PKEY_encrypt(context, block, &length, text, sizeof text), 1);
    EVP_PKEY_CTX_free(context);
    uint8_t out[SAM_RSA_SIZE_MAX];
    ck_status(
        sam_oaep_decrypt(people.crypto, people.alice.rsa, out, &length, label, sizeof label, block),
        foreign_blocks[_i].status);
    ck_assert_uint_eq(length, foreign_blocks[_i].status == SAM_OK ? sizeof text : 0);
    ck_assert(length == 0 || sam_equal(out, text, length));
}
END_TEST

static const struct parameters foreign_signatures[] = {
    {"SHA256", "SHA256", 32, SAM_OK},        {"SHA256", "SHA256", 31, SAM_SIGNATURE},
    {"SHA256", "SHA256", 33, SAM_SIGNATURE}, {"SHA256", "SHA256", 20, SAM_SIGNATURE},
    {"SHA256", "SHA256", 0, SAM_SIGNATURE},  {"SHA256", "SHA256", -3, SAM_SIGNATURE}, /* longest */
    {"SHA256", "SHA1", 32, SAM_SIGNATURE},   {"SHA1", "SHA1", 32, SAM_SIGNATURE},
    {"SHA1", "SHA256", 32, SAM_SIGNATURE},   {"SHA512", "SHA512", 32, SAM_SIGNATURE},
    {"SHA256", NULL, 0, SAM_SIGNATURE}, /* PKCS #1 v1.5 */
};

START_TEST(a_signature_of_other_parameters_fails) {
    uint8_t signature[256];
    size_t length = sizeof signature;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context; /* the digest's own */
    const EVP_MD *hash = EVP_get_digestbyname(foreign_signatures[_i].hash);
    if (EVP_DigestSignInit(digest, &context, hash, NULL, alice) != 1) {
        EVP_MD_CTX_free(digest); /* a distribution that signs with SHA-1 no more */
        ck_assert_str_eq(foreign_signatures[_i].hash, "SHA1");
        return;
    }
    if (foreign_signatures[_i].mgf1 != NULL) {
        const EVP_MD *mgf1 = EVP_get_digestbyname(foreign_signatures[_i].mgf1);
        int salt = foreign_signatures[_i].length;
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf1), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt), 1);
    }
    ck_assert_int_eq(EVP_DigestSign(digest, signature, &length, text, sizeof text), 1);
    EVP_MD_CTX_free(digest);
    ck_status(sam_pss_verify(people.crypto, people.alice.rsa, signature, text, 9, text + 9,
                             sizeof text - 9),
              foreign_signatures[_i].status);
}
END_TEST

TCase *locked_case(void); /* check_locked.c */

Suite *rsa_suite(void) {
    Suite *suite = suite_create("rsa");
    TCase *tcase = tcase_create("rsa");
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_pair_is_taken_or_refused_for_its_reason, 0, COUNT(pairs));
    tcase_add_loop_test(tcase, a_text_that_is_no_key_is_no_key, 0, COUNT(texts));
    tcase_add_loop_test(tcase, another_label_is_another_thing, 0, COUNT(labels));
    tcase_add_test(tcase, a_key_cut_anywhere_is_refused);
    tcase_add_loop_test(tcase, a_locked_key_opens_with_its_passphrase_alone, 0, EMPTY + 1);
    tcase_add_loop_test(tcase, a_key_is_locked_as_promised, 0, 2);
    tcase_add_test(tcase, what_is_written_is_what_stock_openssl_writes);
    tcase_add_test(tcase, a_key_id_is_that_of_the_key_and_not_of_its_file);
    tcase_add_loop_test(tcase, a_block_of_other_parameters_fails, 0, COUNT(foreign_blocks));
    tcase_add_loop_test(tcase, a_signature_of_other_parameters_fails, 0, COUNT(foreign_signatures));
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, locked_case());
    return suite;
}
