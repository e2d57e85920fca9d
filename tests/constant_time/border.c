/* The border to libcrypto. The linker's --wrap puts each __wrap_ function here in the place of
 * libcrypto's (constant_time.mk lists them). libcrypto gets copies in which nothing is marked, and
 * what comes back is marked anew: ciphertext is public, what was decrypted, drawn, derived or
 * signed is secret, and so is the hash of a secret. Whether a tag or a signature fits is public: it
 * is the verdict. A function that is missing here shows itself: memcheck then reports libcrypto. */
#include "border.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "lend.h"
#include "primitives.h"

bool block_is_secret;
static size_t marked;

void keep_secret(void *data, size_t length) {
    marked += length;
    (void)VALGRIND_MAKE_MEM_UNDEFINED(data, length);
}

void make_public(void *data, size_t length) {
    (void)VALGRIND_MAKE_MEM_DEFINED(data, length);
}

size_t secret_bytes(void) {
    return marked;
}

bool is_secret(const void *data, size_t length) {
    unsigned char bits[1024], any = 0;
    for (size_t at = 0; at < length; at += sizeof bits) {
        size_t some = length - at < sizeof bits ? length - at : sizeof bits;
        (void)VALGRIND_GET_VBITS((const char *)data + at, bits, some);
        for (size_t i = 0; i < some; i++)
            any |= bits[i];
    }
    return any != 0;
}

struct lent lend(const void *data, size_t length) {
    struct lent lent = {.length = length, .secret = data != NULL && is_secret(data, length)};
    if (data == NULL)
        return lent;
    lent.data = OPENSSL_malloc(length + 1);
    if (lent.data == NULL)
        abort();
    memcpy(lent.data, data, length);
    make_public(lent.data, length);
    return lent;
}

void take_back(struct lent *lent) {
    OPENSSL_free(lent->data);
}

enum { PARAMS = 16 };

/* Parameters that libcrypto only reads, with all strings of bytes in them lent. */
struct lent_params {
    OSSL_PARAM params[PARAMS];
    struct lent lent[PARAMS];
    bool secret;
};

static void lend_params(struct lent_params *out, const OSSL_PARAM *params) {
    *out = (struct lent_params){0};
    for (size_t i = 0; params != NULL && params[i].key != NULL; i++) {
        if (i + 1 == PARAMS)
            abort();
        out->params[i] = params[i];
        if (params[i].data_type != OSSL_PARAM_OCTET_STRING)
            continue;
        out->lent[i] = lend(params[i].data, params[i].data_size);
        out->params[i].data = out->lent[i].data;
        out->secret |= out->lent[i].secret;
    }
}

static void take_params_back(struct lent_params *lent) {
    for (size_t i = 0; i < PARAMS; i++)
        take_back(&lent->lent[i]);
}

BORDER(int, RAND_priv_bytes, unsigned char *out, int length) {
    int done = __real_RAND_priv_bytes(out, length);
    keep_secret(out, (size_t)length);
    return done;
}

/* One hash is made at a time. */
static bool hash_is_secret;

BORDER(int, EVP_DigestInit_ex2, EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params) {
    hash_is_secret = false;
    return __real_EVP_DigestInit_ex2(context, type, params);
}

BORDER(int, EVP_DigestUpdate, EVP_MD_CTX *context, const void *data, size_t length) {
    struct lent lent = lend(data, length);
    hash_is_secret |= lent.secret;
    int done = __real_EVP_DigestUpdate(context, lent.data, length);
    take_back(&lent);
    return done;
}

BORDER(int, EVP_DigestFinal_ex, EVP_MD_CTX *context, unsigned char *out, unsigned *size) {
    int done = __real_EVP_DigestFinal_ex(context, out, size);
    if (hash_is_secret)
        keep_secret(out, SAM_SHA256_SIZE);
    return done;
}

BORDER(int, EVP_KDF_derive, EVP_KDF_CTX *context, unsigned char *key, size_t length,
       const OSSL_PARAM *params) {
    struct lent_params lent;
    lend_params(&lent, params);
    int done = __real_EVP_KDF_derive(context, key, length, lent.params);
    if (lent.secret)
        keep_secret(key, length);
    take_params_back(&lent);
    return done;
}

BORDER(int, EVP_PKEY_CTX_set_params, EVP_PKEY_CTX *context, const OSSL_PARAM *params) {
    struct lent_params lent;
    lend_params(&lent, params);
    int done = __real_EVP_PKEY_CTX_set_params(context, lent.params);
    take_params_back(&lent);
    return done;
}

BORDER(int, EVP_PKEY_encrypt, EVP_PKEY_CTX *context, unsigned char *out, size_t *size,
       const unsigned char *in, size_t length) {
    struct lent lent = lend(in, length);
    int done = __real_EVP_PKEY_encrypt(context, out, size, lent.data, length);
    take_back(&lent);
    return done;
}

BORDER(int, EVP_PKEY_decrypt, EVP_PKEY_CTX *context, unsigned char *out, size_t *size,
       const unsigned char *in, size_t length) {
    size_t room = *size;
    int done = __real_EVP_PKEY_decrypt(context, out, size, in, length);
    keep_secret(out, room);
    if (block_is_secret) {
        keep_secret(size, sizeof *size);
        keep_secret(&done, sizeof done);
    }
    return done;
}

BORDER(int, EVP_PKEY_sign, EVP_PKEY_CTX *context, unsigned char *signature, size_t *size,
       const unsigned char *hash, size_t length) {
    struct lent lent = lend(hash, length);
    int done = __real_EVP_PKEY_sign(context, signature, size, lent.data, length);
    take_back(&lent);
    keep_secret(signature, *size); /* in mode 2 it travels encrypted */
    return done;
}

BORDER(int, EVP_PKEY_verify, EVP_PKEY_CTX *context, const unsigned char *signature, size_t size,
       const unsigned char *hash, size_t length) {
    struct lent lent = lend(hash, length), sealed = lend(signature, size);
    int done = __real_EVP_PKEY_verify(context, sealed.data, size, lent.data, length);
    take_back(&sealed);
    take_back(&lent);
    return done;
}

/* AES-256-GCM, whose nonce travels in clear. */
BORDER(int, EVP_CipherInit_ex2, EVP_CIPHER_CTX *context, const EVP_CIPHER *type,
       const unsigned char *key, const unsigned char *nonce, int seals, const OSSL_PARAM *params) {
    struct lent lent = lend(key, SAM_GCM_KEY_SIZE);
    int done = __real_EVP_CipherInit_ex2(context, type, lent.data, nonce, seals, params);
    take_back(&lent);
    return done;
}

BORDER(int, EVP_EncryptInit_ex2, EVP_CIPHER_CTX *context, const EVP_CIPHER *type,
       const unsigned char *key, const unsigned char *nonce, const OSSL_PARAM *params) {
    struct lent clear = lend(nonce, SAM_GCM_NONCE_SIZE);
    int done = __real_EVP_EncryptInit_ex2(context, type, key, clear.data, params);
    take_back(&clear);
    return done;
}

BORDER(int, EVP_EncryptUpdate, EVP_CIPHER_CTX *context, unsigned char *out, int *size,
       const unsigned char *in, int length) {
    struct lent lent = lend(in, (size_t)length);
    int done = __real_EVP_EncryptUpdate(context, out, size, lent.data, length);
    take_back(&lent);
    return done;
}

BORDER(int, EVP_DecryptInit_ex2, EVP_CIPHER_CTX *context, const EVP_CIPHER *type,
       const unsigned char *key, const unsigned char *nonce, const OSSL_PARAM *params) {
    struct lent clear = lend(nonce, SAM_GCM_NONCE_SIZE);
    int done = __real_EVP_DecryptInit_ex2(context, type, key, clear.data, params);
    take_back(&clear);
    return done;
}

BORDER(int, EVP_DecryptUpdate, EVP_CIPHER_CTX *context, unsigned char *out, int *size,
       const unsigned char *in, int length) {
    struct lent lent = lend(in, (size_t)length);
    int done = __real_EVP_DecryptUpdate(context, out, size, lent.data, length);
    if (out != NULL)
        keep_secret(out, (size_t)length);
    take_back(&lent);
    return done;
}
