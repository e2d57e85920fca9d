/* Key files: PEM of public and of private keys, with a passphrase and without. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "fuzzing.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    load_people();
    return 0;
}

static void use_pair(const struct sam_rsa *rsa) {
    struct sam_bytes pem = {0};
    uint8_t signature[SAM_RSA_SIZE_MAX];
    require(sam_rsa_write_private(rsa, NULL, &pem) == SAM_OK);
    enum sam_status status = sam_pss_sign(people.crypto, rsa, signature, "a", 1, NULL, 0);
    require(status == SAM_OK || status == SAM_CRYPTO);
    sam_bytes_free(&pem);
}

/* What has been read is a key that the protocol takes, and is read again from what it writes. */
static void check_key(struct sam_rsa *rsa, bool is_pair) {
    struct sam_bytes pem = {0};
    struct sam_rsa *again = NULL;
    uint8_t id[SAM_KEY_ID_SIZE], id_again[SAM_KEY_ID_SIZE];
    size_t size = sam_rsa_size(rsa);
    require(size >= SAM_RSA_SIZE_MIN && size <= SAM_RSA_SIZE_MAX);
    require(sam_rsa_id(rsa, people.crypto, id) == SAM_OK);
    require(sam_rsa_write_public(rsa, &pem) == SAM_OK);
    require(sam_rsa_read_public(&again, pem.data, pem.length) == SAM_OK);
    require(sam_rsa_id(again, people.crypto, id_again) == SAM_OK);
    require(memcmp(id, id_again, sizeof id) == 0);
    sam_rsa_free(again);
    if (is_pair) /* its numbers need not fit each other: it may fail, not hang */
        use_pair(rsa);
    sam_bytes_free(&pem);
    sam_rsa_free(rsa);
}

/* The DER of the first block of a text; NULL when there is none. The caller frees both. */
static uint8_t *first_block(const uint8_t *data, size_t size, char **name, long *length) {
    char *header = NULL;
    unsigned char *der = NULL;
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    require(bio != NULL);
    *name = NULL;
    if (PEM_read_bio(bio, name, &header, &der, length) != 1)
        der = NULL;
    OPENSSL_free(header);
    BIO_free(bio);
    return der;
}

/* Whether every number in the scheme of an encrypted key has one byte: how many rounds it takes to
 * derive its key is the file's to say, up to some seconds. */
static bool is_quick(const uint8_t *data, size_t size) {
    char *name;
    long length = 0;
    bool quick = true;
    unsigned char *scheme = NULL, *der = first_block(data, size, &name, &length);
    const unsigned char *at = der;
    X509_SIG *locked = der == NULL ? NULL : d2i_X509_SIG(NULL, &at, length);
    const X509_ALGOR *algorithm = NULL;
    if (locked != NULL)
        X509_SIG_get0(locked, &algorithm, NULL);
    int scheme_length = algorithm == NULL ? 0 : i2d_X509_ALGOR(algorithm, &scheme);
    for (int i = 0; i + 1 < scheme_length; i++)
        quick = quick && (scheme[i] != V_ASN1_INTEGER || scheme[i + 1] <= 1);
    OPENSSL_free(scheme);
    X509_SIG_free(locked);
    OPENSSL_free(der);
    OPENSSL_free(name);
    return quick;
}

/* Changes what base64 hides: the DER in the block. */
static size_t mutate_der(uint8_t *data, size_t size, size_t max_size) {
    char *name, *pem = NULL;
    long length = 0;
    size_t written = 0;
    uint8_t larger[4096], *der = first_block(data, size, &name, &length);
    BIO *bio = BIO_new(BIO_s_mem());
    require(bio != NULL);
    if (der != NULL && (size_t)length <= sizeof larger) {
        memcpy(larger, der, (size_t)length);
        size_t mutated = LLVMFuzzerMutate(larger, (size_t)length, sizeof larger);
        PEM_write_bio(bio, name, "", larger, (long)mutated);
        long all = BIO_get_mem_data(bio, &pem);
        written = all > 0 && (size_t)all <= max_size ? (size_t)all : 0;
        memcpy(data, pem, written);
    }
    BIO_free(bio);
    OPENSSL_free(der);
    OPENSSL_free(name);
    return written;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    size_t mutated = seed % 4 != 0 ? mutate_der(data, size, max_size) : 0;
    return mutated > 0 ? mutated : LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct sam_passphrase passphrase = {.length = 5, .text = "fuzz!"};
    uint8_t *copy = own_copy(data, size);
    struct sam_rsa *rsa = NULL;
    if (sam_rsa_read_public(&rsa, copy, size) == SAM_OK)
        check_key(rsa, false);
    else
        require(rsa == NULL);
    enum sam_status unlocked = sam_rsa_read_private(&rsa, copy, size, NULL);
    require((unlocked == SAM_OK) == (rsa != NULL));
    if (unlocked == SAM_OK)
        check_key(rsa, true);
    if (unlocked == SAM_KEY_LOCKED && is_quick(copy, size)) {
        if (sam_rsa_read_private(&rsa, copy, size, &passphrase) == SAM_OK)
            check_key(rsa, true);
        else
            require(rsa == NULL);
    }
    free(copy);
    return 0;
}
