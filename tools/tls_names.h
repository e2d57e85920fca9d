/* What TLS's numbers and messages are called, and how they are shown to a person: harmless, whoever
 * chose the bytes, and in few columns. */
#ifndef SAM_TOOLS_TLS_NAMES_H
#define SAM_TOOLS_TLS_NAMES_H

#include <stdio.h>

#include "tls_hello.h"

enum { SAM_TAP_TLS_COLUMNS = 56 }; /* for foreign text in a line of its own */

/* Types of handshake messages that are read (RFC 8446, section 4; RFC 5246, section 7.4). */
enum { SAM_TAP_TLS_CLIENT_HELLO = 1, SAM_TAP_TLS_SERVER_HELLO = 2, SAM_TAP_TLS_CERTIFICATE = 11 };

/* A handshake message in clear. */
struct sam_tap_tls_message {
    unsigned type;
    size_t length; /* bytes with its header */
    bool large;    /* too large to be kept, and not read */
    bool fine;     /* it was read; of the types above only */
    struct sam_tap_tls_hello hello;
    struct sam_tap_tls_chain chain;
};

/* "TLS 1.3", or "unknown". */
const char *sam_tap_tls_version(unsigned version);

/* The name of a cipher suite that matters here, or NULL. */
const char *sam_tap_tls_suite(unsigned suite);

/* Whether the key exchange of a suite that has a name here is the server's RSA key alone: without
 * forward secrecy. */
bool sam_tap_tls_is_static(unsigned suite);

/* Writes foreign text in at most so many columns, the end as "..." when it has more. What is not
 * printable ASCII, or is a backslash, becomes \xNN. */
void sam_tap_tls_show_text(FILE *out, const uint8_t *text, size_t length, size_t columns);

/* Writes how many certificates there are, and how many bytes each of the first has. */
void sam_tap_tls_show_chain(FILE *out, const struct sam_tap_tls_chain *chain);

/* Writes the content of an alert in clear, which has two bytes (RFC 8446, section 6). */
void sam_tap_tls_show_alert(FILE *out, const uint8_t *content, size_t length);

/* Write what a message is: behind a first line in at most 40 columns, or in lines below it. */
void sam_tap_tls_show_brief(FILE *out, const struct sam_tap_tls_message *message);
void sam_tap_tls_show_message(FILE *out, const struct sam_tap_tls_message *message);

#endif
