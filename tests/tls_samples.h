/* What the tests of TLS as an eavesdropper sees it share: hellos, and what is told of a record.
 * Every failure here fails the test. */
#ifndef SAM_TESTS_TLS_SAMPLES_H
#define SAM_TESTS_TLS_SAMPLES_H

#include "tls_records.h"

enum { CLIENT, SERVER };

/* Hellos as OpenSSL 3.0 sends them, each in its record: recorded once with openssl s_client
 * -servername localhost -alpn h2,http/1.1 and openssl s_server -alpn h2; client and server with
 * -tls1_3, then both with -tls1_2. */
struct tls_sample {
    const uint8_t *data;
    size_t length;
    unsigned side;
};
enum { TLS_SAMPLES = 4 };
extern const struct tls_sample tls_samples[TLS_SAMPLES];

/* Bytes at an address of their own, so that a sanitizer sees who reads behind them. */
uint8_t *own_copy(const uint8_t *data, size_t length);

/* What is told of a record, and of a connection; the caller frees the text. */
char *tell_record(struct sam_tap_tls *tls, unsigned side, const uint8_t *record, size_t length,
                  bool brief);
char *tell_summary(const struct sam_tap_tls *tls, int64_t microseconds);

/* Asserts that exactly this is told of a record. */
void expect_told(struct sam_tap_tls *tls, unsigned side, const uint8_t *record, size_t length,
                 bool brief, const char *expected);

/* Asserts that a text is whole lines of printable ASCII in 80 columns. */
void assert_told_harmlessly(const char *text);

/* A record with a ClientHello for TLS 1.2 that offers one cipher suite; block is its extensions.
 * Returns how many bytes it has. */
enum { TLS_HELLO_MAX = 1024 };
size_t make_tls_hello(uint8_t out[TLS_HELLO_MAX], const char *block, size_t length);

#endif
