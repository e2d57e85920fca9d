/* The messages that TLS sends in clear before it encrypts, read strictly by somebody who only
 * listens: RFC 8446 section 4.1 (TLS 1.3), RFC 5246 section 7.4 (TLS 1.2), RFC 6066 section 3 (the
 * server's name), RFC 7301 (ALPN). No key, no cryptography, no allocation, any bytes are taken. */
#ifndef SAM_TOOLS_TLS_HELLO_H
#define SAM_TOOLS_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAM_TAP_TLS_1_2 = 0x0303, SAM_TAP_TLS_1_3 = 0x0304 };

enum { SAM_TAP_TLS_VERSIONS = 6, SAM_TAP_TLS_CERTIFICATES = 4 }; /* that are kept of a list */

/* A run of bytes in the message that was read; data is NULL when there is none. */
struct sam_tap_tls_span {
    const uint8_t *data;
    size_t length;
};

struct sam_tap_tls_hello {
    uint16_t versions[SAM_TAP_TLS_VERSIONS]; /* a client's: offered; a server's: the one it chose */
    size_t version_count;                    /* how many there are, also more than are kept */
    size_t suite_count;                      /* cipher suites that a client offers */
    uint16_t suite;                          /* the one that a server chose */
    struct sam_tap_tls_span server_name;     /* SNI */
    struct sam_tap_tls_span
        protocols; /* ALPN: names, each behind its length in one byte; none empty */
    bool again;    /* a HelloRetryRequest: the client is to begin once more */
};

/* Read the body of a ClientHello or of a ServerHello. False when it is malformed: a length that
 * does not fit, a missing end, bytes behind it, or an extension that is read here and comes twice.
 * *out is then zeroed. */
bool sam_tap_tls_read_client_hello(struct sam_tap_tls_hello *out, const uint8_t *body,
                                   size_t length);
bool sam_tap_tls_read_server_hello(struct sam_tap_tls_hello *out, const uint8_t *body,
                                   size_t length);

struct sam_tap_tls_chain {
    size_t count;                           /* certificates */
    size_t sizes[SAM_TAP_TLS_CERTIFICATES]; /* bytes of the first ones */
};

/* Reads the body of a Certificate message of TLS 1.2 or before; in TLS 1.3 it is encrypted. False,
 * and *out zeroed, when it is malformed. */
bool sam_tap_tls_read_chain(struct sam_tap_tls_chain *out, const uint8_t *body, size_t length);

#endif
