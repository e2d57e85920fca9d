/* A private key under a passphrase says itself how much work the passphrase is: it may not ask for
 * hours. */
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "net.h"
#include "rsa.h"
#include "support.h"

static const struct sam_passphrase passphrase = {5, "sesam"};

/* alice's key, encrypted; rounds of PBKDF2, or with another scheme. The caller frees it. */
static X509_SIG *locked(int rounds, int scheme) {
    EVP_PKEY *pkey = NULL;
    struct sam_bytes pem = read_vector("alice.private.pem");
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.length);
    pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    uint8_t salt[16] = {1};
    X509_SIG *sig = PKCS8_encrypt(scheme, scheme == -1 ? EVP_aes_256_cbc() : NULL, passphrase.text,
                                  (int)passphrase.length, salt, sizeof salt, rounds, info);
    ck_assert_ptr_nonnull(sig);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    sam_bytes_free(&pem);
    return sig;
}

/* Reads it from PEM, with the bytes of before replaced by those of after. */
static enum sam_status read_changed(X509_SIG *sig, const char *before, const char *after) {
    unsigned char *der = NULL;
    char *text = NULL;
    struct sam_rsa *rsa;
    int length = i2d_X509_SIG(sig, &der);
    for (int at = 0; before != NULL && at + 5 <= length; at++)
        if (memcmp(der + at, before, 5) == 0)
            memcpy(der + at, after, 5);
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_gt(PEM_write_bio(bio, PEM_STRING_PKCS8, "", der, length), 0);
    long size = BIO_get_mem_data(bio, &text);
    enum sam_status status = sam_rsa_read_private(&rsa, text, (size_t)size, &passphrase);
    sam_rsa_free(rsa);
    BIO_free(bio);
    OPENSSL_free(der);
    X509_SIG_free(sig);
    return status;
}

START_TEST(a_key_that_asks_for_hours_is_refused_at_once) {
    int64_t begun = sam_now();
    ck_status(read_changed(locked(70000, -1), NULL, NULL), SAM_OK);
    /* INTEGER 70,000 becomes 6,000,001. */
    ck_status(read_changed(locked(70000, -1), "\x02\x03\x01\x11\x70", "\x02\x03\x5b\x8d\x81"),
              SAM_KEY_FORMAT);
    ck_assert_int_lt(sam_now() - begun, 5 * SAM_SECOND);
}
END_TEST

START_TEST(a_key_of_another_scheme_is_refused) {
    ck_status(read_changed(locked(2048, NID_pbe_WithSHA1And3_Key_TripleDES_CBC), NULL, NULL),
              SAM_KEY_FORMAT);
}
END_TEST

TCase *locked_case(void) {
    TCase *tcase = tcase_create("asking for work");
    tcase_add_test(tcase, a_key_that_asks_for_hours_is_refused_at_once);
    tcase_add_test(tcase, a_key_of_another_scheme_is_refused);
    return tcase;
}
