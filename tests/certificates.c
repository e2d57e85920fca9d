#include "certificates.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { DAY = 86400, PATHS = 16 };

const char *made_file(const char *folder, const char *name, const char *suffix) {
    static char paths[PATHS][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    snprintf(path, PATH_MAX, "%s/%s.%s", folder, name, suffix);
    return path;
}

/* What libcrypto has written to memory goes to a file. */
static void save(const char *path, mode_t permissions, BIO *pem) {
    char *data;
    long length = BIO_get_mem_data(pem, &data);
    write_file(path, permissions, data, (size_t)length);
    BIO_free(pem);
}

static X509 *load_certificate(const char *folder, const char *name) {
    BIO *file = BIO_new_file(made_file(folder, name, "pem"), "r");
    ck_assert_ptr_nonnull(file);
    X509 *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(certificate);
    BIO_free(file);
    return certificate;
}

static EVP_PKEY *load_key(const char *folder, const char *name) {
    BIO *file = BIO_new_file(made_file(folder, name, "key"), "r");
    ck_assert_ptr_nonnull(file);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(key);
    BIO_free(file);
    return key;
}

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ck_assert_msg(extension != NULL, "no extension %s", value);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void extend_all(X509 *made, X509 *issuer, const struct certificate *certificate) {
    bool is_ca = certificate->purpose == NULL;
    extend(made, issuer, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(made, issuer, NID_key_usage,
           is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature,keyEncipherment");
    if (!certificate->is_lax)
        extend(made, issuer, NID_subject_key_identifier, "hash");
    if (!certificate->is_lax)
        extend(made, issuer, NID_authority_key_identifier, "keyid");
    if (!is_ca)
        extend(made, issuer, NID_ext_key_usage, certificate->purpose);
    if (certificate->alt != NULL)
        extend(made, issuer, NID_subject_alt_name, certificate->alt);
}

void make_certificate(const char *folder, const struct certificate *certificate) {
    static long serial = 1000;
    const char *subject = certificate->subject != NULL ? certificate->subject : certificate->name;
    EVP_PKEY *key = certificate->is_rsa ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *made = X509_new();
    ck_assert(key != NULL && made != NULL);
    X509 *issuer =
        certificate->issuer != NULL ? load_certificate(folder, certificate->issuer) : made;
    EVP_PKEY *signer = certificate->issuer != NULL ? load_key(folder, certificate->issuer) : key;
    bool is_valid = certificate->from_day == 0 && certificate->to_day == 0;
    ck_assert_int_eq(X509_set_version(made, X509_VERSION_3), 1);
    ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), (is_valid ? -1 : certificate->from_day) * (long)DAY);
    X509_gmtime_adj(X509_getm_notAfter(made), (is_valid ? 1 : certificate->to_day) * (long)DAY);
    ck_assert_int_eq(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                                (const unsigned char *)subject, -1, -1, 0),
                     1);
    ck_assert_int_eq(X509_set_issuer_name(made, X509_get_subject_name(issuer)), 1);
    ck_assert_int_eq(X509_set_pubkey(made, key), 1);
    extend_all(made, issuer, certificate);
    ck_assert_int_gt(X509_sign(made, signer, EVP_sha256()), 0);
    BIO *pem = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_X509(pem, made), 1);
    save(made_file(folder, certificate->name, "pem"), 0644, pem);
    pem = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL), 1);
    save(made_file(folder, certificate->name, "key"), 0600, pem);
    if (issuer != made) {
        X509_free(issuer);
        EVP_PKEY_free(signer);
    }
    X509_free(made);
    EVP_PKEY_free(key);
}

void make_crl(const char *folder, const char *file, const char *ca, const char *revoked,
              int to_day) {
    X509 *issuer = load_certificate(folder, ca);
    EVP_PKEY *signer = load_key(folder, ca);
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *before = X509_gmtime_adj(NULL, -2L * DAY),
              *after = X509_gmtime_adj(NULL, to_day * (long)DAY);
    ck_assert_int_eq(X509_CRL_set_version(list, X509_CRL_VERSION_2), 1);
    ck_assert_int_eq(X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)), 1);
    ck_assert_int_eq(X509_CRL_set1_lastUpdate(list, before), 1);
    ck_assert_int_eq(X509_CRL_set1_nextUpdate(list, after), 1);
    if (revoked != NULL) {
        X509 *certificate = load_certificate(folder, revoked);
        X509_REVOKED *entry = X509_REVOKED_new();
        ck_assert_int_eq(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate)),
                         1);
        ck_assert_int_eq(X509_REVOKED_set_revocationDate(entry, before), 1);
        ck_assert_int_eq(X509_CRL_add0_revoked(list, entry), 1);
        X509_free(certificate);
    }
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, NULL, NULL, list, 0);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid");
    ck_assert_int_eq(X509_CRL_add_ext(list, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ck_assert_int_gt(X509_CRL_sign(list, signer, EVP_sha256()), 0);
    BIO *pem = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_X509_CRL(pem, list), 1);
    save(made_file(folder, file, "pem"), 0644, pem);
    ASN1_TIME_free(before);
    ASN1_TIME_free(after);
    X509_CRL_free(list);
    X509_free(issuer);
    EVP_PKEY_free(signer);
}
