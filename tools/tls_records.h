/* TLS as it looks to somebody who has no key: its records, and what of them is in clear (RFC 8446
 * section 5, RFC 5246 section 6). Bytes in, words out: no socket, no cryptography, and any bytes
 * are taken. */
#ifndef SAM_TOOLS_TLS_RECORDS_H
#define SAM_TOOLS_TLS_RECORDS_H

#include <stdio.h>

#include "bytes.h"
#include "tls_hello.h"

enum {
    SAM_TAP_TLS_HEADER_SIZE = 5,
    SAM_TAP_TLS_RECORD_MAX = SAM_TAP_TLS_HEADER_SIZE + (1 << 14) + 256, /* RFC 8446, 5.2 */
    SAM_TAP_TLS_NAME_MAX = 255, /* bytes kept of a server's name */
    SAM_TAP_TLS_SIZES = 10      /* of so many records of application data the sizes are kept */
};

/* Whether these bytes, any number of them, can begin what a side says in TLS: the header of a
 * record with a handshake message or an alert. */
bool sam_tap_tls_begins(const uint8_t *bytes, size_t length);

/* How many bytes the record that these begin claims to have, with its header;
 * SAM_TAP_TLS_HEADER_SIZE until that is there, 0 when they begin none. */
size_t sam_tap_tls_length(const uint8_t *bytes, size_t length);

/* What is known of one direction. */
struct sam_tap_tls_side {
    uint64_t bytes, records, data_bytes, data_records;
    uint16_t sizes[SAM_TAP_TLS_SIZES]; /* of records of application data, with their header */
    bool changed;                      /* a change cipher spec has passed */
    bool certified;                    /* a Certificate message has passed in clear: chain */
    struct sam_tap_tls_chain chain;
    struct sam_bytes message; /* a handshake message of which more is to come */
    size_t skipped;           /* bytes to come of one that is too large to be kept */
};

/* What is known of one connection. Begin with {0}. Both directions write it: hold a lock. */
struct sam_tap_tls {
    struct sam_tap_tls_side sides[2]; /* 0: what the client sends, 1: the server */
    uint16_t version, suite;          /* that the server chose; 0: not yet */
    uint8_t name[SAM_TAP_TLS_NAME_MAX];
    size_t name_length; /* 0: the client named no server */
};

/* The next record of a side has come: tells of it in one line and, unless brief, of every
 * handshake message in clear in lines below it. length is that of sam_tap_tls_length, or less when
 * no more will come. Of a handshake message that is spread over records, 16 KiB are kept. No line
 * has more than 80 columns, and no byte of the record is shown as it is but printable ASCII. */
void sam_tap_tls_tell(FILE *out, struct sam_tap_tls *tls, unsigned side, const uint8_t *record,
                      size_t length, bool brief);

/* Tells in lines of at most 80 columns what the connection has shown, and what stayed hidden.
 * microseconds is how long it lasted. */
void sam_tap_tls_summary(FILE *out, const struct sam_tap_tls *tls, int64_t microseconds);

/* Frees what was kept. */
void sam_tap_tls_free(struct sam_tap_tls *tls);

#endif
