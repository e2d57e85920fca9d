/* Floor 1. RSA keys as objects: made, read from PEM, written to PEM, identified. */
#ifndef SAM_RSA_H
#define SAM_RSA_H

#include "primitives.h"

enum {
    SAM_RSA_BITS_DEFAULT = 3072,
    SAM_KEY_ID_SIZE = SAM_SHA256_SIZE,
    SAM_PASSPHRASE_MAX = 1023 /* bytes: libcrypto's own limit for a PEM passphrase */
};

/* A passphrase: any bytes. Whoever filled it wipes it. */
struct sam_passphrase {
    size_t length;
    char text[SAM_PASSPHRASE_MAX + 1];
};

/* Asks for a passphrase on the terminal, unseen, for a new one twice. On failure
 * (SAM_NO_PASSPHRASE: there is no terminal, or what was typed is empty, too long, or not the same
 * twice) it is wiped. A signal that ends the program does so when the terminal is as before. */
SAM_MUST_CHECK enum sam_status sam_passphrase_ask(struct sam_passphrase *out, const char *prompt,
                                                  bool twice);

/* Reads a passphrase from a file: all of it but the end of its last line. On failure
 * (SAM_FILE_READ: errno tells; SAM_PASSPHRASE: empty or too long) it is empty. */
SAM_MUST_CHECK enum sam_status sam_passphrase_read(struct sam_passphrase *out, const char *path);

/* Makes a pair of bits bits, 2048 to 4096 in steps of 8, with exponent 65537 (RFC 8017, 3). *out is
 * NULL on failure (SAM_KEY_BITS, SAM_CRYPTO, SAM_MEMORY); the caller frees it. Takes seconds. */
SAM_MUST_CHECK enum sam_status sam_rsa_generate(struct sam_rsa **out, unsigned bits);

/* Reads a public key: the one PEM block of a text, a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) with
 * algorithm rsaEncryption, of 2048 to 4096 bits in steps of 8, exponent 65537. The text is foreign:
 * any bytes. *out is NULL on failure (SAM_KEY_EMPTY, _FORMAT, _PRIVATE, _NOT_RSA, _PSS_ONLY, _BITS,
 * _EXPONENT, SAM_MEMORY); the caller frees it. */
SAM_MUST_CHECK enum sam_status sam_rsa_read_public(struct sam_rsa **out, const void *pem,
                                                   size_t length);

/* Reads a pair: the one PEM block of a text, PKCS #8 (RFC 5958), plain or encrypted, within the
 * same limits. passphrase may be NULL: an encrypted key then fails with SAM_KEY_LOCKED, and with a
 * wrong one with SAM_KEY_PASSPHRASE; one that is encrypted by anything but PBKDF2 (RFC 8018) of at
 * most 6,000,000 rounds is SAM_KEY_FORMAT; a public key is SAM_KEY_PUBLIC. The primes are not
 * tested: that costs more than a whole conversation. Other failures and *out as in
 * sam_rsa_read_public. */
SAM_MUST_CHECK enum sam_status sam_rsa_read_private(struct sam_rsa **out, const void *pem,
                                                    size_t length,
                                                    const struct sam_passphrase *passphrase);

/* Appends the public half as PEM, SubjectPublicKeyInfo. On failure (SAM_CRYPTO, SAM_MEMORY) out is
 * as before. */
SAM_MUST_CHECK enum sam_status sam_rsa_write_public(const struct sam_rsa *rsa,
                                                    struct sam_bytes *out);

/* Appends the pair as PEM, PKCS #8; with a passphrase encrypted by AES-256-CBC under a key of
 * PBKDF2 with HMAC-SHA-256 (RFC 8018), 600,000 rounds. passphrase may be NULL. On failure
 * (SAM_CRYPTO, SAM_MEMORY) out is as before. */
SAM_MUST_CHECK enum sam_status sam_rsa_write_private(const struct sam_rsa *rsa,
                                                     const struct sam_passphrase *passphrase,
                                                     struct sam_bytes *out);

/* The key id: SHA-256 of the SubjectPublicKeyInfo in DER, encoded anew. On failure (SAM_CRYPTO) id
 * is zeroed. */
SAM_MUST_CHECK enum sam_status sam_rsa_id(const struct sam_rsa *rsa, struct sam_crypto *crypto,
                                          uint8_t id[SAM_KEY_ID_SIZE]);

/* Frees a key, its private numbers wiped; NULL is fine. */
void sam_rsa_free(struct sam_rsa *rsa);

#endif
