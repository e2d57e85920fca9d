/* Lab 07. A bank that takes orders over one connection, in four messages:
 *
 *   bank   -> client   the bank's public key, in PEM
 *   client -> bank     the client's public key, in PEM
 *   client -> bank     the order, sealed for the key that came: "PAY CAROL 0100"
 *   bank   -> client   the answer, sealed likewise: "PAID CAROL 0100 RECEIPT 31415926"
 *
 * A message travels as its length in two bytes and then its bytes. Sealed means RSAES-OAEP. */
#ifndef WHOSE_KEY_H
#define WHOSE_KEY_H

#include "keys.h"

enum {
    MESSAGE_MAX = 1024, /* bytes: a key of 4096 bits has 800 in PEM */
    TEXT_SIZE = 128,    /* of an order or an answer, with its NUL; fits any key */
    WORD_SIZE = 32,     /* of a word in it, with a NUL */
    STORE_MAX = 65536   /* bytes of a store of known peers */
};

struct message {
    size_t length;
    uint8_t data[MESSAGE_MAX];
};

/* One end of a connection, and who holds it. All is borrowed. */
struct end {
    int fd;
    struct sam_crypto *crypto;
    const struct sam_key *own; /* a pair */
};

/* One order and its answer, as somebody read them: "" as long as they have not. */
struct exchange {
    char order[TEXT_SIZE];
    char answer[TEXT_SIZE];
};

/* flawed.c: one message. Nothing is wrong with these five. They wait ten seconds and no longer; the
 * statuses are those of shared/net.h, and SAM_TOO_LONG, SAM_DECRYPT and those of a key. */
SAM_MUST_CHECK enum sam_status whose_key_write(const struct end *end, const void *data,
                                               size_t length);
SAM_MUST_CHECK enum sam_status whose_key_read(const struct end *end, struct message *out);

/* Sends end's own public key. */
SAM_MUST_CHECK enum sam_status whose_key_introduce(const struct end *end);

/* Sends a text, sealed for the public key in pem. */
SAM_MUST_CHECK enum sam_status whose_key_send(const struct end *end, const struct message *pem,
                                              const char *text);

/* Reads one and opens it with end's own key. On failure text is "". */
SAM_MUST_CHECK enum sam_status whose_key_take(const struct end *end, char text[TEXT_SIZE]);

/* flawed.c: what a client sends once it holds the bank's key, pem: messages two and three. */
SAM_MUST_CHECK enum sam_status whose_key_place(const struct end *bank, const struct message *pem,
                                               const char *order);

/* flawed.c: a client that places an order; the answer is then there for whose_key_take. */
SAM_MUST_CHECK enum sam_status whose_key_order(const struct end *bank, const char *order);

/* flawed.c: a bank that has sent its key, and carries out an order. */
SAM_MUST_CHECK enum sam_status whose_key_serve(const struct end *client, struct exchange *out);

/* student.c: Mallory stands between the two; both ends are hers, with her own pair. The bank pays
 * her what the client ordered for somebody else, the client reads that all went as ordered, with
 * the bank's own receipt. *out gets the order as the client wrote it, and the answer as the bank
 * wrote it. True when all of it went well. */
bool mitm(const struct end *client, const struct end *bank, struct exchange *out);

/* student.c: the fingerprint of a public key in PEM, in the form of ssh-keygen -l: "SHA256:" and
 * the SHA-256 of the key's SubjectPublicKeyInfo in base64, unpadded. However the PEM is laid out,
 * one key has one fingerprint. On failure (any status: it is not one public key) out is "". */
SAM_MUST_CHECK enum sam_status fingerprint(char out[SAM_FINGERPRINT_SIZE],
                                           struct sam_crypto *crypto, const struct message *pem);

enum trust {
    UNSURE, /* nothing can be said: trust nobody */
    FIRST,  /* never met before; remembered now */
    KNOWN,  /* the key of the first time */
    CHANGED /* another key than the first time */
};

/* flawed.c: reads the line of a store that text, with a NUL at its end, begins with. Returns where
 * the next one begins, or NULL: it is no name, one blank and something of a fingerprint's
 * length. Nothing is wrong with this one either. */
const char *whose_key_line(const char *text, char name[SAM_NAME_MAX + 1],
                           char print[SAM_FINGERPRINT_SIZE]);

/* student.c: trust on first use. store is a file of lines "NAME FINGERPRINT"; the last may lack its
 * newline, and a missing file is an empty one. An unknown name gets a line at the end, whole or not
 * at all. With any other verdict than FIRST the store stays as it is, byte for byte.
 *
 * UNSURE is: a store that cannot be read, or cannot be written when it must be; one over STORE_MAX;
 * one with a NUL, a line of another form, or the name that is asked for twice; a name that
 * sam_name_is_valid does not take; and a print of another length than fingerprints have. */
enum trust known_peer(const char *store, const char *name, const char *print);

/* student.c: whose_key_order, mended: asks known_peer whether this key is name's before it sends
 * anything at all. Unless that is FIRST or KNOWN, nothing leaves. UNSURE also when the key does not
 * arrive, or the order cannot be sent. */
enum trust careful_order(const struct end *bank, const char *store, const char *name,
                         const char *order);

#endif
