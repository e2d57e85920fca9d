/* The border to libcrypto where keys are read and written: as border.c. A private key's file and
 * its passphrase are secret; what kind of file it is, how long, and whether it can be read is not.
 */
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "border.h"
#include "lend.h"

/* The text is copied, and the copy belongs to the BIO. */
BORDER(BIO *, BIO_new_mem_buf, const void *data, int length) {
    struct lent lent = lend(data, (size_t)length);
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL && BIO_write(bio, lent.data, length) != length) {
        BIO_free(bio);
        bio = NULL;
    }
    take_back(&lent);
    return bio;
}

BORDER(int, PEM_read_bio, BIO *bio, char **name, char **header, unsigned char **data,
       long *length) {
    int done = __real_PEM_read_bio(bio, name, header, data, length);
    if (done == 1)
        keep_secret(*data, (size_t)*length);
    return done;
}

/* What was written for a file, once it is looked at. */
BORDER(long, BIO_ctrl, BIO *bio, int command, long number, void *out) {
    long length = __real_BIO_ctrl(bio, command, number, out);
    if (command == BIO_CTRL_INFO && length > 0)
        keep_secret(*(char **)out, (size_t)length);
    return length;
}

/* The three that decode: *at moves on. */
#define DECODER(type, name)                                                                        \
    BORDER(type *, name, type **out, const unsigned char **at, long length) {                      \
        struct lent lent = lend(*at, (size_t)length);                                              \
        const unsigned char *start = lent.data, *end = start;                                      \
        type *decoded = __real_##name(out, &end, length);                                          \
        *at += end - start;                                                                        \
        take_back(&lent);                                                                          \
        return decoded;                                                                            \
    }

DECODER(EVP_PKEY, d2i_PUBKEY)
DECODER(X509_SIG, d2i_X509_SIG)
DECODER(PKCS8_PRIV_KEY_INFO, d2i_PKCS8_PRIV_KEY_INFO)

BORDER(PKCS8_PRIV_KEY_INFO *, PKCS8_decrypt, const X509_SIG *locked, const char *passphrase,
       int length) {
    struct lent lent = lend(passphrase, (size_t)length);
    PKCS8_PRIV_KEY_INFO *info = __real_PKCS8_decrypt(locked, lent.data, length);
    take_back(&lent);
    return info;
}

BORDER(X509_SIG *, PKCS8_set0_pbe, const char *passphrase, int length, PKCS8_PRIV_KEY_INFO *info,
       X509_ALGOR *scheme) {
    struct lent lent = lend(passphrase, (size_t)length);
    X509_SIG *locked = __real_PKCS8_set0_pbe(lent.data, length, info, scheme);
    take_back(&lent);
    return locked;
}

/* The salt of a passphrase's derivation is drawn, and then told. */
BORDER(X509_ALGOR *, PKCS5_pbe2_set_iv, const EVP_CIPHER *cipher, int rounds, unsigned char *salt,
       int length, unsigned char *iv, int prf) {
    make_public(salt, (size_t)length);
    return __real_PKCS5_pbe2_set_iv(cipher, rounds, salt, length, iv, prf);
}
