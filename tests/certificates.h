/* Makes certificates and lists of revoked ones, good and bad. Every failure fails the test. */
#ifndef SAM_TESTS_CERTIFICATES_H
#define SAM_TESTS_CERTIFICATES_H

#include "support.h"

struct certificate {
    const char *name;     /* of its files: NAME.pem and NAME.key */
    const char *issuer;   /* the name of the CA's files; NULL: it signs itself */
    const char *alt;      /* subject alternative names, as in openssl.cnf; NULL: none */
    const char *purpose;  /* extended key usage; NULL: it is a CA */
    const char *subject;  /* its common name; NULL: name */
    int from_day, to_day; /* from today; both 0: valid now */
    bool is_lax;          /* without the key identifiers of RFC 5280, 4.2.1.1 */
    bool is_rsa;          /* with a key of 2048 bits; otherwise one of P-256 */
};

/* Makes it, and its key in a file of mode 0600, in folder. */
void make_certificate(const char *folder, const struct certificate *certificate);

/* Makes FILE.pem: the CA's list, with one certificate revoked, or none (NULL), valid until to_day.
 */
void make_crl(const char *folder, const char *file, const char *ca, const char *revoked,
              int to_day);

/* folder/NAME.SUFFIX; the text lasts for the next 15 calls. */
const char *made_file(const char *folder, const char *name, const char *suffix);

#endif
