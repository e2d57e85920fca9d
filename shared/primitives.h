/* Floor 1. The four algorithms of the protocol, through libcrypto's EVP with every parameter
 * pinned.
 *
 * No OpenSSL type, integer or error passes this border: functions return a sam_status, SAM_CRYPTO
 * when libcrypto itself fails (no memory, a broken installation, a key it cannot use). */
#ifndef SAM_PRIMITIVES_H
#define SAM_PRIMITIVES_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "status.h"

/* What OpenSSL would leave open, or choose otherwise (OAEP: SHA-1; PSS: the longest salt that fits;
 * GCM: tags down to one byte). */
enum {
    SAM_SHA256_SIZE = 32,
    SAM_PSS_SALT_SIZE = 32,                      /* RFC 8017, 9.1: as long as the hash */
    SAM_OAEP_OVERHEAD = 2 * SAM_SHA256_SIZE + 2, /* RFC 8017, 7.1.1: what a block adds */
    SAM_GCM_KEY_SIZE = 32,
    SAM_GCM_NONCE_SIZE = 12,
    SAM_GCM_TAG_SIZE = 16,
    SAM_RSA_BITS_MIN = 2048,
    SAM_RSA_BITS_MAX = 4096,
    SAM_RSA_SIZE_MIN = SAM_RSA_BITS_MIN / 8,
    SAM_RSA_SIZE_MAX = SAM_RSA_BITS_MAX / 8,
    SAM_RSA_EXPONENT = 65537
};

/* One thread's way to libcrypto: its algorithms, looked up once, what RSA needs besides a key, set
 * up once for each key, and a count of its RSA operations. A handle is used by one thread at a
 * time; keys are shared by all. Of each operation it keeps the key that it was last carried out
 * with: such a key is wiped when it has been freed and the handle has been, too. */
struct sam_crypto;

/* How many RSA operations a handle has carried out, failed ones too. */
struct sam_rsa_count {
    uint64_t private_operations; /* decrypt, sign */
    uint64_t public_operations;  /* encrypt, verify */
};

/* An RSA key: a pair, or a public key alone. Never changes, so threads may share it. */
struct sam_rsa;

/* Looks up the algorithms. *out is NULL on failure (SAM_CRYPTO, SAM_MEMORY); the caller frees it.
 */
SAM_MUST_CHECK enum sam_status sam_crypto_new(struct sam_crypto **out);

/* Another handle on the algorithms of from, for another thread, its counts at zero. from may be in
 * use by its own thread meanwhile. *out is NULL on failure (SAM_MEMORY, SAM_CRYPTO); the caller
 * frees it. */
SAM_MUST_CHECK enum sam_status sam_crypto_share(struct sam_crypto **out,
                                                const struct sam_crypto *from);

/* Frees a handle; NULL is fine. */
void sam_crypto_free(struct sam_crypto *crypto);

/* Lets go of the keys that it was used with: the owner's freeing them is their end. */
void sam_crypto_forget(struct sam_crypto *crypto);

struct sam_rsa_count sam_crypto_count(const struct sam_crypto *crypto);

/* Fills out with length bytes of the system's generator, from the stream that libcrypto keeps apart
 * for secrets. On failure (SAM_CRYPTO) out is zeroed. */
SAM_MUST_CHECK enum sam_status sam_random(uint8_t *out, size_t length);

/* SHA-256 (FIPS 180-4) of a || b. b may be NULL with length 0. On failure (SAM_CRYPTO) out is
 * zeroed. */
SAM_MUST_CHECK enum sam_status sam_sha256(struct sam_crypto *crypto, uint8_t out[SAM_SHA256_SIZE],
                                          const void *a, size_t a_length, const void *b,
                                          size_t b_length);

/* HKDF with SHA-256 (RFC 5869): size bytes, at most 8160, from key material, salt and info. On
 * failure (SAM_CRYPTO) out is zeroed. */
SAM_MUST_CHECK enum sam_status sam_hkdf(struct sam_crypto *crypto, uint8_t *out, size_t size,
                                        const uint8_t *material, size_t material_length,
                                        const uint8_t *salt, size_t salt_length, const char *info);

/* The modulus of a key in bytes: the size of its blocks and signatures. */
size_t sam_rsa_size(const struct sam_rsa *rsa);

/* RSAES-OAEP (RFC 8017, 7.1.1) with SHA-256 and MGF1 with SHA-256: encrypts length bytes, at most
 * sam_rsa_size - SAM_OAEP_OVERHEAD, into out, which holds sam_rsa_size bytes and may overlap
 * message. label is not NULL. On failure (SAM_CRYPTO) out is zeroed. */
SAM_MUST_CHECK enum sam_status sam_oaep_encrypt(struct sam_crypto *crypto,
                                                const struct sam_rsa *recipient, uint8_t *out,
                                                const uint8_t *label, size_t label_length,
                                                const uint8_t *message, size_t length);

/* RSAES-OAEP (RFC 8017, 7.1.2): decrypts one block of sam_rsa_size bytes. out holds
 * SAM_RSA_SIZE_MAX bytes; *length is what of it is message. Fails with SAM_DECRYPT, whatever the
 * reason, and then out is zeroed and *length is 0. */
SAM_MUST_CHECK enum sam_status sam_oaep_decrypt(struct sam_crypto *crypto,
                                                const struct sam_rsa *own,
                                                uint8_t out[SAM_RSA_SIZE_MAX], size_t *length,
                                                const uint8_t *label, size_t label_length,
                                                const uint8_t *block);

/* RSASSA-PSS (RFC 8017, 8.1.1) with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes: signs a ||
 * b. signature holds sam_rsa_size bytes. On failure (SAM_CRYPTO) it is zeroed. */
SAM_MUST_CHECK enum sam_status sam_pss_sign(struct sam_crypto *crypto, const struct sam_rsa *own,
                                            uint8_t *signature, const void *a, size_t a_length,
                                            const void *b, size_t b_length);

/* RSASSA-PSS (RFC 8017, 8.1.2), the same parameters and no other: verifies a signature of
 * sam_rsa_size bytes over a || b. SAM_OK or SAM_SIGNATURE; SAM_CRYPTO when it could not be tried.
 */
SAM_MUST_CHECK enum sam_status sam_pss_verify(struct sam_crypto *crypto,
                                              const struct sam_rsa *sender,
                                              const uint8_t *signature, const void *a,
                                              size_t a_length, const void *b, size_t b_length);

/* AES-256-GCM (RFC 5116, 5.2) under one key, made ready once for all that is sealed under it, or
 * for all that is opened. Used by one thread at a time. */
struct sam_gcm;

enum sam_gcm_use { SAM_GCM_SEALS, SAM_GCM_OPENS };

/* Makes a key ready for one use. *out is NULL on failure (SAM_CRYPTO); the caller frees it. */
SAM_MUST_CHECK enum sam_status sam_gcm_new(struct sam_gcm **out, struct sam_crypto *crypto,
                                           const uint8_t key[SAM_GCM_KEY_SIZE],
                                           enum sam_gcm_use use);

/* Encrypts length bytes where they stand, at most 2^31 - 1, and authenticates aad with them. A key
 * takes one nonce once. On failure (SAM_CRYPTO) data and tag are zeroed. */
SAM_MUST_CHECK enum sam_status sam_gcm_seal(struct sam_gcm *gcm,
                                            const uint8_t nonce[SAM_GCM_NONCE_SIZE],
                                            const uint8_t *aad, size_t aad_length, uint8_t *data,
                                            size_t length, uint8_t tag[SAM_GCM_TAG_SIZE]);

/* Decrypts length bytes where they stand and checks the whole tag. On failure (SAM_DECRYPT:
 * something of key, nonce, aad, data or tag is not as sealed; SAM_CRYPTO) data is zeroed, so
 * nothing unverified is left. */
SAM_MUST_CHECK enum sam_status sam_gcm_open(struct sam_gcm *gcm,
                                            const uint8_t nonce[SAM_GCM_NONCE_SIZE],
                                            const uint8_t *aad, size_t aad_length, uint8_t *data,
                                            size_t length, const uint8_t tag[SAM_GCM_TAG_SIZE]);

/* Wipes the key and frees what was made of it; NULL is fine. */
void sam_gcm_free(struct sam_gcm *gcm);

/* sam_gcm_seal with a key that is used once. */
SAM_MUST_CHECK enum sam_status sam_gcm_encrypt(struct sam_crypto *crypto,
                                               const uint8_t key[SAM_GCM_KEY_SIZE],
                                               const uint8_t nonce[SAM_GCM_NONCE_SIZE],
                                               const uint8_t *aad, size_t aad_length, uint8_t *data,
                                               size_t length, uint8_t tag[SAM_GCM_TAG_SIZE]);

/* sam_gcm_open likewise. */
SAM_MUST_CHECK enum sam_status sam_gcm_decrypt(struct sam_crypto *crypto,
                                               const uint8_t key[SAM_GCM_KEY_SIZE],
                                               const uint8_t nonce[SAM_GCM_NONCE_SIZE],
                                               const uint8_t *aad, size_t aad_length, uint8_t *data,
                                               size_t length, const uint8_t tag[SAM_GCM_TAG_SIZE]);

#endif
