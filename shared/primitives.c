#include "primitives.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "openssl.h"

/* libcrypto 3.0 crashes when it is used although it could not set itself up. */
bool sam_crypto_is_ready(void) {
    return OSSL_LIB_CTX_get0_global_default() != NULL;
}

enum sam_status sam_crypto_reason(enum sam_status otherwise) {
    enum sam_status status = otherwise;
    unsigned long error;
    while ((error = ERR_get_error()) != 0)
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
            status = SAM_MEMORY;
    return status;
}

enum sam_status sam_crypto_new(struct sam_crypto **out) {
    struct sam_crypto *crypto = *out = sam_crypto_is_ready() ? calloc(1, sizeof *crypto) : NULL;
    if (crypto == NULL)
        return SAM_MEMORY;
    /* Fetched once: an implicit fetch per operation takes a lock that threads wait for. */
    crypto->sha256 = EVP_MD_fetch(NULL, SAM_HASH_NAME, NULL);
    crypto->aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    crypto->hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    if (crypto->sha256 != NULL && crypto->aes256gcm != NULL && crypto->hkdf != NULL)
        return SAM_OK;
    sam_crypto_free(crypto);
    *out = NULL;
    return sam_crypto_reason(SAM_CRYPTO);
}

enum sam_status sam_crypto_share(struct sam_crypto **out, const struct sam_crypto *from) {
    struct sam_crypto *crypto = *out = calloc(1, sizeof *crypto);
    if (crypto == NULL)
        return SAM_MEMORY;
    if (DONE(EVP_MD_up_ref(from->sha256)))
        crypto->sha256 = from->sha256;
    if (DONE(EVP_CIPHER_up_ref(from->aes256gcm)))
        crypto->aes256gcm = from->aes256gcm;
    if (DONE(EVP_KDF_up_ref(from->hkdf)))
        crypto->hkdf = from->hkdf;
    if (crypto->sha256 != NULL && crypto->aes256gcm != NULL && crypto->hkdf != NULL)
        return SAM_OK;
    sam_crypto_free(crypto);
    *out = NULL;
    return sam_crypto_reason(SAM_CRYPTO);
}

void sam_crypto_forget(struct sam_crypto *crypto) {
    for (size_t i = 0; i < SAM_RSA_OPERATIONS; i++) {
        EVP_PKEY_CTX_free(crypto->kept[i]);
        crypto->kept[i] = NULL;
    }
}

void sam_crypto_free(struct sam_crypto *crypto) {
    if (crypto == NULL)
        return;
    EVP_MD_free(crypto->sha256);
    EVP_CIPHER_free(crypto->aes256gcm);
    EVP_KDF_free(crypto->hkdf);
    sam_crypto_forget(crypto);
    free(crypto);
}

struct sam_rsa_count sam_crypto_count(const struct sam_crypto *crypto) {
    return crypto->count;
}

enum sam_status sam_random(uint8_t *out, size_t length) {
    if (length <= INT_MAX && DONE(RAND_priv_bytes(out, (int)length)))
        return SAM_OK;
    sam_wipe(out, length);
    return SAM_CRYPTO;
}

enum sam_status sam_sha256(struct sam_crypto *crypto, uint8_t out[SAM_SHA256_SIZE], const void *a,
                           size_t a_length, const void *b, size_t b_length) {
    enum sam_status status = SAM_CRYPTO;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && DONE(EVP_DigestInit_ex2(context, crypto->sha256, NULL)) &&
        DONE(EVP_DigestUpdate(context, a, a_length)) &&
        DONE(EVP_DigestUpdate(context, b, b_length)) &&
        DONE(EVP_DigestFinal_ex(context, out, NULL)))
        status = SAM_OK;
    else
        sam_wipe(out, SAM_SHA256_SIZE);
    EVP_MD_CTX_free(context);
    return status;
}

/* OSSL_PARAM takes pointers without const, and does not write through those that set a parameter.
 */
static void *unconst(const void *constant) {
    return (void *)(uintptr_t)constant;
}

enum sam_status sam_hkdf(struct sam_crypto *crypto, uint8_t *out, size_t size,
                         const uint8_t *material, size_t material_length, const uint8_t *salt,
                         size_t salt_length, const char *info) {
    enum sam_status status = SAM_CRYPTO;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, unconst(SAM_HASH_NAME), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, unconst(material), material_length),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, unconst(salt), salt_length),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, unconst(info), strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(crypto->hkdf);
    if (context != NULL && DONE(EVP_KDF_derive(context, out, size, params)))
        status = SAM_OK;
    else
        sam_wipe(out, size);
    EVP_KDF_CTX_free(context); /* wipes what it holds of the material */
    ERR_clear_error();
    return status;
}

size_t sam_rsa_size(const struct sam_rsa *rsa) {
    return rsa->size;
}

/* OAEP's parameters but the label, all of them, in one place. */
static int pin_oaep(EVP_PKEY_CTX *context,
                    int (*start)(EVP_PKEY_CTX *context, const OSSL_PARAM params[])) {
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE,
                                         unconst(OSSL_PKEY_RSA_PAD_MODE_OAEP), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, unconst(SAM_HASH_NAME),
                                         0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, unconst(SAM_HASH_NAME),
                                         0),
        OSSL_PARAM_construct_end(),
    };
    return start(context, params);
}

/* PSS's parameters likewise. */
static int pin_pss(EVP_PKEY_CTX *context,
                   int (*start)(EVP_PKEY_CTX *context, const OSSL_PARAM params[])) {
    int salt_length = SAM_PSS_SALT_SIZE;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE,
                                         unconst(OSSL_PKEY_RSA_PAD_MODE_PSS), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, unconst(SAM_HASH_NAME), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, unconst(SAM_HASH_NAME),
                                         0),
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_length),
        OSSL_PARAM_construct_end(),
    };
    return start(context, params);
}

static int start(EVP_PKEY_CTX *context, enum sam_rsa_operation operation) {
    switch (operation) {
    case SAM_RSA_ENCRYPT:
        return pin_oaep(context, EVP_PKEY_encrypt_init_ex);
    case SAM_RSA_DECRYPT:
        return pin_oaep(context, EVP_PKEY_decrypt_init_ex);
    case SAM_RSA_SIGN:
        return pin_pss(context, EVP_PKEY_sign_init_ex);
    default:
        return pin_pss(context, EVP_PKEY_verify_init_ex);
    }
}

/* The context of an operation with a key, its parameters pinned: the one that is kept, where the
 * key is the same. It holds the key, so that no other one is found at the same address. NULL on
 * failure; the handle owns it. */
static EVP_PKEY_CTX *context_of(struct sam_crypto *crypto, enum sam_rsa_operation operation,
                                const struct sam_rsa *rsa) {
    EVP_PKEY_CTX **kept = &crypto->kept[operation];
    if (*kept != NULL && EVP_PKEY_CTX_get0_pkey(*kept) == rsa->pkey)
        return *kept;
    EVP_PKEY_CTX_free(*kept);
    *kept = EVP_PKEY_CTX_new_from_pkey(NULL, rsa->pkey, NULL);
    if (*kept != NULL && !DONE(start(*kept, operation))) {
        EVP_PKEY_CTX_free(*kept);
        *kept = NULL;
    }
    return *kept;
}

/* OAEP's label, which is another for each block. */
static bool set_label(EVP_PKEY_CTX *context, const uint8_t *label, size_t label_length) {
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, unconst(label),
                                          label_length),
        OSSL_PARAM_construct_end(),
    };
    return DONE(EVP_PKEY_CTX_set_params(context, params));
}

enum sam_status sam_oaep_encrypt(struct sam_crypto *crypto, const struct sam_rsa *recipient,
                                 uint8_t *out, const uint8_t *label, size_t label_length,
                                 const uint8_t *message, size_t length) {
    enum sam_status status = SAM_CRYPTO;
    size_t written = recipient->size;
    EVP_PKEY_CTX *context = context_of(crypto, SAM_RSA_ENCRYPT, recipient);
    crypto->count.public_operations++;
    if (context != NULL && set_label(context, label, label_length) &&
        DONE(EVP_PKEY_encrypt(context, out, &written, message, length)) &&
        written == recipient->size)
        status = SAM_OK;
    else
        sam_wipe(out, recipient->size);
    ERR_clear_error();
    return status;
}

enum sam_status sam_oaep_decrypt(struct sam_crypto *crypto, const struct sam_rsa *own,
                                 uint8_t out[SAM_RSA_SIZE_MAX], size_t *length,
                                 const uint8_t *label, size_t label_length, const uint8_t *block) {
    EVP_PKEY_CTX *context = context_of(crypto, SAM_RSA_DECRYPT, own);
    int opened = 0;
    sam_wipe(out, SAM_RSA_SIZE_MAX);
    *length = SAM_RSA_SIZE_MAX;
    crypto->count.private_operations++;
    if (context != NULL && set_label(context, label, label_length))
        opened = EVP_PKEY_decrypt(context, out, length, block, own->size);
    /* Whether a key was unwrapped is secret: no branch depends on it from here on. */
    size_t mask = -(size_t)DONE(opened);
    for (size_t i = 0; i < SAM_RSA_SIZE_MAX; i++)
        out[i] &= (uint8_t)mask;
    *length &= mask;
    ERR_clear_error();
    return (enum sam_status)(SAM_DECRYPT & ~mask); /* SAM_OK is 0 */
}

enum sam_status sam_pss_sign(struct sam_crypto *crypto, const struct sam_rsa *own,
                             uint8_t *signature, const void *a, size_t a_length, const void *b,
                             size_t b_length) {
    uint8_t hash[SAM_SHA256_SIZE];
    size_t written = own->size;
    EVP_PKEY_CTX *context = context_of(crypto, SAM_RSA_SIGN, own);
    enum sam_status status = sam_sha256(crypto, hash, a, a_length, b, b_length);
    crypto->count.private_operations++;
    if (status == SAM_OK &&
        !(context != NULL && DONE(EVP_PKEY_sign(context, signature, &written, hash, sizeof hash)) &&
          written == own->size))
        status = SAM_CRYPTO;
    if (status != SAM_OK)
        sam_wipe(signature, own->size);
    ERR_clear_error();
    return status;
}

enum sam_status sam_pss_verify(struct sam_crypto *crypto, const struct sam_rsa *sender,
                               const uint8_t *signature, const void *a, size_t a_length,
                               const void *b, size_t b_length) {
    uint8_t hash[SAM_SHA256_SIZE];
    EVP_PKEY_CTX *context = context_of(crypto, SAM_RSA_VERIFY, sender);
    enum sam_status status = sam_sha256(crypto, hash, a, a_length, b, b_length);
    crypto->count.public_operations++;
    if (context == NULL)
        status = SAM_CRYPTO;
    /* -1 is no success either. */
    if (status == SAM_OK &&
        !DONE(EVP_PKEY_verify(context, signature, sender->size, hash, sizeof hash)))
        status = SAM_SIGNATURE;
    ERR_clear_error();
    return status;
}

/* libcrypto's context under a name of our own: no OpenSSL type stands in the header. */
static EVP_CIPHER_CTX *context_in(struct sam_gcm *gcm) {
    return (EVP_CIPHER_CTX *)gcm;
}

enum sam_status sam_gcm_new(struct sam_gcm **out, struct sam_crypto *crypto,
                            const uint8_t key[SAM_GCM_KEY_SIZE], enum sam_gcm_use use) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    *out = (struct sam_gcm *)context;
    if (context != NULL &&
        DONE(EVP_CipherInit_ex2(context, crypto->aes256gcm, key, NULL, use == SAM_GCM_SEALS, NULL)))
        return SAM_OK;
    sam_gcm_free(*out);
    *out = NULL;
    return SAM_CRYPTO;
}

enum sam_status sam_gcm_seal(struct sam_gcm *gcm, const uint8_t nonce[SAM_GCM_NONCE_SIZE],
                             const uint8_t *aad, size_t aad_length, uint8_t *data, size_t length,
                             uint8_t tag[SAM_GCM_TAG_SIZE]) {
    EVP_CIPHER_CTX *context = context_in(gcm);
    int n = 0;
    if (length <= INT_MAX && aad_length <= INT_MAX &&
        DONE(EVP_EncryptInit_ex2(context, NULL, NULL, nonce, NULL)) &&
        DONE(EVP_EncryptUpdate(context, NULL, &n, aad, (int)aad_length)) &&
        DONE(EVP_EncryptUpdate(context, data, &n, data, (int)length)) &&
        DONE(EVP_EncryptFinal_ex(context, tag, &n)) &&
        DONE(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SAM_GCM_TAG_SIZE, tag)))
        return SAM_OK;
    sam_wipe(data, length);
    sam_wipe(tag, SAM_GCM_TAG_SIZE);
    return SAM_CRYPTO;
}

enum sam_status sam_gcm_open(struct sam_gcm *gcm, const uint8_t nonce[SAM_GCM_NONCE_SIZE],
                             const uint8_t *aad, size_t aad_length, uint8_t *data, size_t length,
                             const uint8_t tag[SAM_GCM_TAG_SIZE]) {
    EVP_CIPHER_CTX *context = context_in(gcm);
    enum sam_status status = SAM_CRYPTO;
    int n = 0;
    uint8_t expected[SAM_GCM_TAG_SIZE];
    memcpy(expected, tag, sizeof expected);
    if (length <= INT_MAX && aad_length <= INT_MAX &&
        DONE(EVP_DecryptInit_ex2(context, NULL, NULL, nonce, NULL)) &&
        DONE(EVP_DecryptUpdate(context, NULL, &n, aad, (int)aad_length)) &&
        DONE(EVP_DecryptUpdate(context, data, &n, data, (int)length)) &&
        DONE(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof expected, expected)))
        status = DONE(EVP_DecryptFinal_ex(context, expected, &n)) ? SAM_OK : SAM_DECRYPT;
    if (status != SAM_OK)
        sam_wipe(data, length);
    return status;
}

void sam_gcm_free(struct sam_gcm *gcm) {
    EVP_CIPHER_CTX_free(context_in(gcm)); /* wipes what it holds of the key */
}

enum sam_status sam_gcm_encrypt(struct sam_crypto *crypto, const uint8_t key[SAM_GCM_KEY_SIZE],
                                const uint8_t nonce[SAM_GCM_NONCE_SIZE], const uint8_t *aad,
                                size_t aad_length, uint8_t *data, size_t length,
                                uint8_t tag[SAM_GCM_TAG_SIZE]) {
    struct sam_gcm *gcm;
    enum sam_status status = sam_gcm_new(&gcm, crypto, key, SAM_GCM_SEALS);
    if (status == SAM_OK) {
        status = sam_gcm_seal(gcm, nonce, aad, aad_length, data, length, tag);
    } else {
        sam_wipe(data, length);
        sam_wipe(tag, SAM_GCM_TAG_SIZE);
    }
    sam_gcm_free(gcm);
    return status;
}

enum sam_status sam_gcm_decrypt(struct sam_crypto *crypto, const uint8_t key[SAM_GCM_KEY_SIZE],
                                const uint8_t nonce[SAM_GCM_NONCE_SIZE], const uint8_t *aad,
                                size_t aad_length, uint8_t *data, size_t length,
                                const uint8_t tag[SAM_GCM_TAG_SIZE]) {
    struct sam_gcm *gcm;
    enum sam_status status = sam_gcm_new(&gcm, crypto, key, SAM_GCM_OPENS);
    if (status == SAM_OK)
        status = sam_gcm_open(gcm, nonce, aad, aad_length, data, length, tag);
    else
        sam_wipe(data, length);
    sam_gcm_free(gcm);
    return status;
}
