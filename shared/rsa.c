#include "rsa.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "openssl.h"

enum {
    /* OWASP's figure for PBKDF2 with HMAC-SHA-256 (2023). */
    PBKDF2_ROUNDS = 600000,
    PBKDF2_SALT_SIZE = 16,
    /* The most that a file may ask for: some seconds. */
    PBKDF2_ROUNDS_MAX = 10 * PBKDF2_ROUNDS
};

/* Takes pkey over, or frees it. */
static enum sam_status wrap(struct sam_rsa **out, EVP_PKEY *pkey) {
    struct sam_rsa *rsa = *out = calloc(1, sizeof *rsa);
    if (rsa == NULL) {
        EVP_PKEY_free(pkey);
        return SAM_MEMORY;
    }
    rsa->pkey = pkey;
    rsa->size = (size_t)EVP_PKEY_get_size(pkey);
    return SAM_OK;
}

static bool bits_allowed(int bits) {
    return bits >= SAM_RSA_BITS_MIN && bits <= SAM_RSA_BITS_MAX && bits % 8 == 0;
}

enum sam_status sam_rsa_generate(struct sam_rsa **out, unsigned bits) {
    *out = NULL;
    if (bits > SAM_RSA_BITS_MAX || !bits_allowed((int)bits))
        return SAM_KEY_BITS;
    if (!sam_crypto_is_ready())
        return SAM_MEMORY;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    enum sam_status status = sam_crypto_reason(SAM_CRYPTO);
    return pkey == NULL ? status : wrap(out, pkey);
}

/* Whether the protocol takes this key (docs/protocol.md, section 8). */
static enum sam_status check_kind(const EVP_PKEY *pkey) {
    if (EVP_PKEY_is_a(pkey, "RSA-PSS"))
        return SAM_KEY_PSS_ONLY;
    if (!EVP_PKEY_is_a(pkey, "RSA"))
        return SAM_KEY_NOT_RSA;
    if (!bits_allowed(EVP_PKEY_get_bits(pkey)))
        return SAM_KEY_BITS;
    BIGNUM *exponent = NULL;
    bool good = DONE(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent)) &&
                BN_is_word(exponent, SAM_RSA_EXPONENT);
    BN_free(exponent);
    return good ? SAM_OK : sam_crypto_reason(SAM_KEY_EXPONENT);
}

/* Checks pkey, NULL when it could not be decoded, and takes it over or frees it. */
static enum sam_status accept_key(struct sam_rsa **out, EVP_PKEY *pkey) {
    enum sam_status status = pkey == NULL ? sam_crypto_reason(SAM_KEY_FORMAT) : check_kind(pkey);
    if (status == SAM_OK)
        return wrap(out, pkey);
    EVP_PKEY_free(pkey);
    return status;
}

/* The one PEM block of a text, decoded from base64 and no further. */
struct pem_block {
    char *name;   /* "PUBLIC KEY" */
    char *header; /* of the old encrypted formats; not used */
    unsigned char *der;
    long length;
};

static void free_pem_block(struct pem_block *block) {
    OPENSSL_free(block->name);
    OPENSSL_free(block->header);
    if (block->der != NULL)
        OPENSSL_clear_free(block->der, (size_t)block->length);
    ERR_clear_error();
}

static enum sam_status read_pem_block(struct pem_block *block, const void *pem, size_t length) {
    *block = (struct pem_block){0};
    if (length == 0)
        return SAM_KEY_EMPTY;
    if (length > INT32_MAX)
        return SAM_KEY_FORMAT;
    BIO *text = BIO_new_mem_buf(pem, (int)length);
    if (text == NULL)
        return SAM_MEMORY;
    bool read = DONE(PEM_read_bio(text, &block->name, &block->header, &block->der, &block->length));
    /* A second one would be ignored in silence: whose key did the person mean? */
    struct pem_block second = {0};
    bool alone =
        read &&
        !DONE(PEM_read_bio(text, &second.name, &second.header, &second.der, &second.length)) &&
        ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    enum sam_status status = alone ? SAM_OK : sam_crypto_reason(SAM_KEY_FORMAT);
    free_pem_block(&second);
    BIO_free(text);
    return status;
}

enum sam_status sam_rsa_read_public(struct sam_rsa **out, const void *pem, size_t length) {
    *out = NULL;
    struct pem_block block;
    enum sam_status status = read_pem_block(&block, pem, length);
    if (status != SAM_OK)
        goto cleanup;
    status = SAM_KEY_FORMAT;
    if (strstr(block.name, "PRIVATE KEY") != NULL) {
        status = SAM_KEY_PRIVATE;
    } else if (strcmp(block.name, PEM_STRING_PUBLIC) == 0) {
        const unsigned char *at = block.der;
        status = accept_key(out, d2i_PUBKEY(NULL, &at, block.length));
        if (status == SAM_OK && at != block.der + block.length) {
            sam_rsa_free(*out);
            *out = NULL;
            status = SAM_KEY_FORMAT;
        }
    }
cleanup:
    free_pem_block(&block);
    return status;
}

/* Whether the passphrase becomes a key by PBKDF2, in so few rounds that a person can wait for it:
 * the file says how many, and it may say days. */
static bool is_bounded(const X509_SIG *locked) {
    const X509_ALGOR *scheme;
    PBE2PARAM *both = NULL;
    PBKDF2PARAM *derivation = NULL;
    X509_SIG_get0(locked, &scheme, NULL);
    if (OBJ_obj2nid(scheme->algorithm) == NID_pbes2)
        both = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), scheme->parameter);
    if (both != NULL && OBJ_obj2nid(both->keyfunc->algorithm) == NID_id_pbkdf2)
        derivation =
            ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), both->keyfunc->parameter);
    int64_t rounds = 0;
    bool bounded = derivation != NULL && DONE(ASN1_INTEGER_get_int64(&rounds, derivation->iter)) &&
                   rounds >= 1 && rounds <= PBKDF2_ROUNDS_MAX;
    PBKDF2PARAM_free(derivation);
    PBE2PARAM_free(both);
    return bounded;
}

/* Decrypts a PKCS #8 EncryptedPrivateKeyInfo. *out is NULL on failure. */
static enum sam_status unlock(PKCS8_PRIV_KEY_INFO **out, const struct pem_block *block,
                              const struct sam_passphrase *passphrase) {
    *out = NULL;
    if (passphrase == NULL)
        return SAM_KEY_LOCKED;
    const unsigned char *at = block->der;
    X509_SIG *locked = d2i_X509_SIG(NULL, &at, block->length);
    if (locked == NULL)
        return sam_crypto_reason(SAM_KEY_FORMAT);
    enum sam_status status = is_bounded(locked) ? SAM_KEY_PASSPHRASE : SAM_KEY_FORMAT;
    if (status == SAM_KEY_PASSPHRASE)
        *out = PKCS8_decrypt(locked, passphrase->text, (int)passphrase->length);
    X509_SIG_free(locked);
    return *out != NULL ? SAM_OK : sam_crypto_reason(status);
}

/* The key in a PKCS #8 PrivateKeyInfo. The algorithm is looked at first: to find out by decoding
 * takes libcrypto three times as long, and with a large key of another kind hours. */
static enum sam_status accept_pair(struct sam_rsa **out, const PKCS8_PRIV_KEY_INFO *info) {
    const ASN1_OBJECT *algorithm = NULL;
    const unsigned char *key = NULL;
    int length = 0;
    if (!DONE(PKCS8_pkey_get0(&algorithm, &key, &length, NULL, info)))
        return SAM_KEY_FORMAT;
    int kind = OBJ_obj2nid(algorithm);
    if (kind == NID_rsassaPss)
        return SAM_KEY_PSS_ONLY;
    if (kind != NID_rsaEncryption)
        return SAM_KEY_NOT_RSA;
    return accept_key(out, d2i_PrivateKey(EVP_PKEY_RSA, NULL, &key, length));
}

enum sam_status sam_rsa_read_private(struct sam_rsa **out, const void *pem, size_t length,
                                     const struct sam_passphrase *passphrase) {
    *out = NULL;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    struct pem_block block;
    enum sam_status status = read_pem_block(&block, pem, length);
    if (status != SAM_OK)
        goto cleanup;
    status = SAM_KEY_FORMAT;
    if (strcmp(block.name, PEM_STRING_PKCS8) == 0) {
        status = unlock(&info, &block, passphrase);
        if (status != SAM_OK)
            goto cleanup;
    } else if (strcmp(block.name, PEM_STRING_PUBLIC) == 0) {
        status = SAM_KEY_PUBLIC;
    } else if (strcmp(block.name, PEM_STRING_PKCS8INF) == 0) {
        const unsigned char *at = block.der;
        info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, block.length);
        if (info == NULL)
            status = sam_crypto_reason(SAM_KEY_FORMAT);
    }
    if (info != NULL)
        status = accept_pair(out, info);
cleanup:
    PKCS8_PRIV_KEY_INFO_free(info);
    free_pem_block(&block);
    return status;
}

/* Appends what was written to a memory BIO, and frees it. */
static enum sam_status append_bio(struct sam_bytes *out, BIO *bio, bool written) {
    enum sam_status status = SAM_CRYPTO;
    char *data = NULL;
    long length = bio == NULL ? 0 : BIO_get_mem_data(bio, &data);
    if (written && length > 0)
        status = sam_bytes_append(out, data, (size_t)length);
    if (length > 0)
        sam_wipe(data, (size_t)length);
    BIO_free(bio);
    ERR_clear_error();
    return status;
}

enum sam_status sam_rsa_write_public(const struct sam_rsa *rsa, struct sam_bytes *out) {
    BIO *bio = BIO_new(BIO_s_mem());
    return append_bio(out, bio, bio != NULL && DONE(PEM_write_bio_PUBKEY(bio, rsa->pkey)));
}

/* Encrypts a PKCS #8 PrivateKeyInfo. NULL on failure. */
static X509_SIG *lock(PKCS8_PRIV_KEY_INFO *info, const struct sam_passphrase *passphrase) {
    unsigned char salt[PBKDF2_SALT_SIZE];
    if (sam_random(salt, sizeof salt) != SAM_OK)
        return NULL;
    X509_ALGOR *scheme = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, salt, sizeof salt,
                                           NULL, NID_hmacWithSHA256);
    if (scheme == NULL)
        return NULL;
    X509_SIG *locked = PKCS8_set0_pbe(passphrase->text, (int)passphrase->length, info, scheme);
    if (locked == NULL)
        X509_ALGOR_free(scheme);
    return locked;
}

enum sam_status sam_rsa_write_private(const struct sam_rsa *rsa,
                                      const struct sam_passphrase *passphrase,
                                      struct sam_bytes *out) {
    BIO *bio = BIO_new(BIO_s_secmem());
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(rsa->pkey);
    X509_SIG *locked = NULL;
    bool written = false;
    if (bio != NULL && info != NULL && passphrase == NULL) {
        written = DONE(PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info));
    } else if (bio != NULL && info != NULL) {
        locked = lock(info, passphrase);
        written = locked != NULL && DONE(PEM_write_bio_PKCS8(bio, locked));
    }
    X509_SIG_free(locked);
    PKCS8_PRIV_KEY_INFO_free(info);
    return append_bio(out, bio, written);
}

/* A length of DER in two bytes: every part of a key of this protocol that varies has one. */
static uint8_t *put_der(uint8_t *at, uint8_t tag, size_t length) {
    *at++ = tag;
    *at++ = 0x82;
    sam_put16(at, (uint16_t)length);
    return at + 2;
}

enum {
    ALGORITHM_SIZE = 15,
    EXPONENT_SIZE = 5,
    DER_MAX = 4 * 4 + ALGORITHM_SIZE + 2 + SAM_RSA_SIZE_MAX + EXPONENT_SIZE
};

/* A SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 8017, A.1.1), of which only the modulus is another
 * for each key. libcrypto's encoders would have to be looked up first: for a program that seals one
 * message that is a tenth of its time. Returns the length. */
static size_t encode_public(uint8_t der[DER_MAX], const BIGNUM *modulus, size_t size) {
    static const uint8_t algorithm[ALGORITHM_SIZE] = {
        0x30, 13,                                              /* SEQUENCE */
        0x06, 9,  0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, /* rsaEncryption */
        0x05, 0,                                               /* NULL */
    };
    static const uint8_t exponent[EXPONENT_SIZE] = {0x02, 3, 1, 0, 1}; /* INTEGER 65537 */
    size_t key = 4 + 1 + size + sizeof exponent, bits = 1 + 4 + key;
    uint8_t *at = put_der(der, 0x30, sizeof algorithm + 4 + bits); /* SEQUENCE */
    memcpy(at, algorithm, sizeof algorithm);
    at = put_der(at + sizeof algorithm, 0x03, bits); /* BIT STRING */
    *at++ = 0;                                       /* no bits unused */
    at = put_der(at, 0x30, key);                     /* SEQUENCE */
    at = put_der(at, 0x02, 1 + size);                /* INTEGER */
    *at++ = 0;                                       /* not a negative one */
    BN_bn2bin(modulus, at);
    memcpy(at + size, exponent, sizeof exponent);
    return (size_t)(at - der) + size + sizeof exponent;
}

enum sam_status sam_rsa_id(const struct sam_rsa *rsa, struct sam_crypto *crypto,
                           uint8_t id[SAM_KEY_ID_SIZE]) {
    uint8_t der[DER_MAX];
    BIGNUM *modulus = NULL;
    enum sam_status status = SAM_CRYPTO;
    if (DONE(EVP_PKEY_get_bn_param(rsa->pkey, OSSL_PKEY_PARAM_RSA_N, &modulus)))
        status = sam_sha256(crypto, id, der, encode_public(der, modulus, rsa->size), NULL, 0);
    else
        sam_wipe(id, SAM_KEY_ID_SIZE);
    BN_free(modulus);
    return status;
}

void sam_rsa_free(struct sam_rsa *rsa) {
    if (rsa == NULL)
        return;
    EVP_PKEY_free(rsa->pkey);
    free(rsa);
}
