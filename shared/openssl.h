/* Floor 1, private to it: what primitives.c and rsa.c share of libcrypto. */
#ifndef SAM_OPENSSL_H
#define SAM_OPENSSL_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "primitives.h"

/* Success is 1 and nothing else: several calls return -1 or 2 for other than success. */
#define DONE(call) ((call) == 1)

enum sam_rsa_operation {
    SAM_RSA_ENCRYPT,
    SAM_RSA_DECRYPT,
    SAM_RSA_SIGN,
    SAM_RSA_VERIFY,
    SAM_RSA_OPERATIONS
};

struct sam_crypto {
    EVP_MD *sha256;
    EVP_CIPHER *aes256gcm;
    EVP_KDF *hkdf;
    EVP_PKEY_CTX *kept[SAM_RSA_OPERATIONS]; /* of the key that each was last carried out with */
    struct sam_rsa_count count;
};

struct sam_rsa {
    EVP_PKEY *pkey;
    size_t size;
};

/* The hash of every padding, pinned by this name. */
#define SAM_HASH_NAME "SHA2-256"

/* False when libcrypto cannot be used at all: there was no memory when it was first touched. */
bool sam_crypto_is_ready(void);

/* Why libcrypto has just failed: SAM_MEMORY when its queue of errors tells of that, otherwise what
 * the caller takes it for. Empties the queue. Not for a decryption: its time depends on the cause.
 */
enum sam_status sam_crypto_reason(enum sam_status otherwise);

#endif
