#include "raw.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"

enum { PIECE = 32 * 1024 };

struct raw {
    EVP_PKEY_CTX *decrypt, *encrypt;
    EVP_MD *sha256;
    EVP_CIPHER *aes256gcm;
    EVP_MD_CTX *hash;
    EVP_CIPHER_CTX *cipher;
    size_t size; /* of the modulus, bytes */
    uint8_t number[SAM_RSA_SIZE_MAX], power[SAM_RSA_SIZE_MAX];
};

static EVP_PKEY *read_pair(const struct parties *parties) {
    char path[PATH_MAX + sizeof "/client.private.pem"];
    snprintf(path, sizeof path, "%s/client.private.pem", parties->folder);
    FILE *file = fopen(path, "r");
    must(file != NULL, path);
    EVP_PKEY *pair = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    must(pair != NULL, path);
    return pair;
}

struct raw *raw_new(const struct parties *parties) {
    struct raw *raw = calloc(1, sizeof *raw);
    must(raw != NULL, "memory");
    EVP_PKEY *pair = read_pair(parties);
    raw->size = (size_t)EVP_PKEY_get_size(pair);
    memset(raw->number + 1, 0xa5, raw->size - 1); /* it begins with 0: less than the modulus */
    raw->decrypt = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
    raw->encrypt = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
    EVP_PKEY_free(pair); /* the contexts hold it */
    raw->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    raw->aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    raw->hash = EVP_MD_CTX_new();
    raw->cipher = EVP_CIPHER_CTX_new();
    must(raw->decrypt != NULL && raw->encrypt != NULL && raw->sha256 != NULL &&
             raw->aes256gcm != NULL && raw->hash != NULL && raw->cipher != NULL,
         "libcrypto");
    must(EVP_PKEY_decrypt_init(raw->decrypt) == 1 && EVP_PKEY_encrypt_init(raw->encrypt) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(raw->decrypt, RSA_NO_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(raw->encrypt, RSA_NO_PADDING) == 1,
         "raw RSA");
    raw_public(raw);
    return raw;
}

void raw_free(struct raw *raw) {
    EVP_PKEY_CTX_free(raw->decrypt);
    EVP_PKEY_CTX_free(raw->encrypt);
    EVP_MD_CTX_free(raw->hash);
    EVP_CIPHER_CTX_free(raw->cipher);
    EVP_MD_free(raw->sha256);
    EVP_CIPHER_free(raw->aes256gcm);
    free(raw);
}

void raw_private(struct raw *raw) {
    uint8_t out[SAM_RSA_SIZE_MAX];
    size_t length = sizeof out;
    must(EVP_PKEY_decrypt(raw->decrypt, out, &length, raw->power, raw->size) == 1 &&
             length == raw->size && memcmp(out, raw->number, length) == 0,
         "a raw private operation");
}

void raw_public(struct raw *raw) {
    size_t length = sizeof raw->power;
    must(EVP_PKEY_encrypt(raw->encrypt, raw->power, &length, raw->number, raw->size) == 1 &&
             length == raw->size,
         "a raw public operation");
}

static void encrypt(struct raw *raw, uint8_t *data, size_t length) {
    int n;
    must(EVP_CipherUpdate(raw->cipher, data, &n, data, (int)length) == 1, "raw AES-256-GCM");
}

static void hash(struct raw *raw, const uint8_t *data, size_t length) {
    must(EVP_DigestUpdate(raw->hash, data, length) == 1, "raw SHA-256");
}

static void bytes(struct raw *raw, uint8_t *data, size_t length, bool seal) {
    static const uint8_t key[SAM_GCM_KEY_SIZE] = {1}, nonce[SAM_GCM_NONCE_SIZE] = {2};
    uint8_t tag[SAM_GCM_TAG_SIZE] = {0}, digest[SAM_SHA256_SIZE];
    must(EVP_CipherInit_ex2(raw->cipher, raw->aes256gcm, key, nonce, seal, NULL) == 1 &&
             EVP_DigestInit_ex2(raw->hash, raw->sha256, NULL) == 1,
         "raw AES-256-GCM and SHA-256");
    for (size_t at = 0; at < length; at += PIECE) {
        size_t piece = length - at < PIECE ? length - at : PIECE;
        if (seal)
            hash(raw, data + at, piece);
        encrypt(raw, data + at, piece);
        if (!seal)
            hash(raw, data + at, piece);
    }
    int n;
    must(EVP_DigestFinal_ex(raw->hash, digest, NULL) == 1, "raw SHA-256");
    /* No tag is at hand that would fit: what counts is that one is made. */
    if (seal)
        must(EVP_CipherFinal_ex(raw->cipher, tag, &n) == 1, "raw AES-256-GCM");
    else
        must(EVP_CIPHER_CTX_ctrl(raw->cipher, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 &&
                 EVP_CipherFinal_ex(raw->cipher, tag, &n) != 1,
             "raw AES-256-GCM");
}

void raw_seal_bytes(struct raw *raw, uint8_t *data, size_t length) {
    bytes(raw, data, length, true);
}

void raw_open_bytes(struct raw *raw, uint8_t *data, size_t length) {
    bytes(raw, data, length, false);
}
