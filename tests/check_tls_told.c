/* What the wiretap tells of records of TLS: everything that is in clear, and of what is encrypted
 * its size alone. */
#include <stdlib.h>
#include <string.h>

#include "instruments.h"
#include "support.h"
#include "tls_samples.h"

static const struct tls_sample *const client_13 = &tls_samples[0],
                                      *const server_13 = &tls_samples[1],
                                      *const client_12 = &tls_samples[2],
                                      *const server_12 = &tls_samples[3];

#define TELL(tls, side, brief, record, expected)                                                   \
    expect_told(tls, side, (const uint8_t *)(record), sizeof(record) - 1, brief, expected)
#define TELL_SAMPLE(tls, sample, brief, expected)                                                  \
    expect_told(tls, (sample)->side, (sample)->data, (sample)->length, brief, expected)

#define CHANGE "\x14\3\3\0\1\1"
#define ALERT "\x15\3\3\0\2"
#define DATA "\x17\3\3\0\4data"

START_TEST(hellos_are_told_as_openssl_sent_them) {
    struct sam_tap_tls tls = {0};
    TELL_SAMPLE(&tls, client_13, false,
                "TLS handshake, 261 bytes\n  ClientHello, 256 bytes\n    offers TLS 1.3\n"
                "    and 4 cipher suite(s)\n    server name (SNI): localhost\n"
                "    protocols (ALPN): h2 http/1.1\n");
    TELL_SAMPLE(&tls, server_13, false,
                "TLS handshake, 127 bytes\n  ServerHello, 122 bytes\n    chose TLS 1.3\n"
                "    and cipher suite 0x1302 TLS_AES_256_GCM_SHA384\n"
                "    what follows is encrypted, the server's certificate too\n");
    TELL_SAMPLE(&tls, server_12, false,
                "TLS handshake, 79 bytes\n  ServerHello, 74 bytes\n    chose TLS 1.2\n"
                "    and cipher suite 0xC030 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n"
                "    protocol (ALPN): h2\n");
    TELL_SAMPLE(&tls, client_12, true, "TLS handshake, 224 bytes: ClientHello for localhost\n");
    TELL_SAMPLE(&tls, server_12, true, "TLS handshake, 79 bytes: ServerHello, TLS 1.2, 0xC030\n");
    ck_assert_uint_eq(tls.version, SAM_TAP_TLS_1_2);
    ck_assert_uint_eq(tls.suite, 0xC030);
}
END_TEST

/* Each side speaks for itself alone. */
START_TEST(a_hello_of_the_wrong_side_decides_nothing) {
    struct sam_tap_tls tls = {0};
    expect_told(&tls, SERVER, client_13->data, client_13->length, true,
                "TLS handshake, 261 bytes: ClientHello for localhost\n");
    expect_told(&tls, CLIENT, server_13->data, server_13->length, true,
                "TLS handshake, 127 bytes: ServerHello, TLS 1.3, 0x1302\n");
    ck_assert(tls.version == 0 && tls.suite == 0 && tls.name_length == 0);
}
END_TEST

START_TEST(a_hello_retry_request_is_told) {
    static const uint8_t random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                       0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                       0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                       0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    struct sam_tap_tls tls = {0};
    uint8_t *record = own_copy(server_13->data, server_13->length);
    memcpy(record + 11, random, sizeof random);
    char *text = tell_record(&tls, SERVER, record, server_13->length, false);
    ck_assert_ptr_nonnull(strstr(text, "\n    a HelloRetryRequest: "));
    ck_assert_ptr_null(strstr(text, "what follows is encrypted"));
    free(text);
    free(record);
    /* The client says so of a version that encrypts later, and begins once more in clear. */
    TELL(&tls, CLIENT, true, CHANGE, "TLS change cipher spec, 6 bytes\n");
    TELL_SAMPLE(&tls, client_13, true, "TLS handshake, 261 bytes: ClientHello for localhost\n");
}
END_TEST

START_TEST(certificates_are_counted) {
    struct sam_tap_tls tls = {0};
    TELL(&tls, SERVER, false, "\x16\3\3\0\x12\x0b\0\0\x0e\0\0\x0b\0\0\3abc\0\0\2de",
         "TLS handshake, 23 bytes\n  Certificate, 18 bytes\n"
         "    in clear: 2 certificate(s), bytes: 3 2\n");
    TELL(&tls, CLIENT, true, "\x16\3\3\0\7\x0b\0\0\3\0\0\0",
         "TLS handshake, 12 bytes: Certificate\n");
    ck_assert(tls.sides[CLIENT].certified && tls.sides[CLIENT].chain.count == 0);
    static const char *const wrong[] = {"\0\0\x0c\0\0\3abc\0\0\2de",
                                        "\0\0\x0a\0\0\3abc\0\0\2de",
                                        "\0\0\x0b\0\0\4abc\0\0\2de",
                                        "\0\0\x0b\0\0\3abc\0\0\3de",
                                        "\0\0\x0b\xff\xff\xff"
                                        "abc\0\0\2de",
                                        "\0\0\x0b\0\0\x0"
                                        "8abc\0\0\2d",
                                        "\0\0\x0b\0\0\0\0\0\5abcde"};
    tls = (struct sam_tap_tls){0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t record[23] = "\x16\3\3\0\x12\x0b\0\0\x0e";
        memcpy(record + 9, wrong[i], 14);
        expect_told(&tls, SERVER, record, sizeof record, true,
                    "TLS handshake, 23 bytes: Certificate, malformed\n");
    }
    ck_assert(!tls.sides[SERVER].certified);
}
END_TEST

/* A message in records of one byte each is told with its last. */
START_TEST(a_message_in_pieces_is_told_once) {
    struct sam_tap_tls tls = {0};
    uint8_t piece[6] = {22, 3, 1, 0, 1};
    for (size_t i = 5; i < client_12->length; i++) {
        piece[5] = client_12->data[i];
        expect_told(&tls, CLIENT, piece, sizeof piece, true,
                    i + 1 < client_12->length
                        ? "TLS handshake, 6 bytes: part of a message\n"
                        : "TLS handshake, 6 bytes: ClientHello for localhost\n");
    }
    ck_assert_uint_eq(tls.sides[CLIENT].message.capacity, 0);
}
END_TEST

START_TEST(many_messages_of_one_record_are_counted) {
    enum { MESSAGES = 4096 };
    static uint8_t record[5 + 4 * MESSAGES] = {22, 3, 3, 0x40};
    struct sam_tap_tls tls = {0};
    expect_told(&tls, SERVER, record, sizeof record, true,
                "TLS handshake, 16389 bytes: HelloRequest and 4095 more\n");
    char *text = tell_record(&tls, SERVER, record, sizeof record, false);
    ck_assert_ptr_nonnull(strstr(text, "\n  HelloRequest, 4 bytes\n  and 4080 more\n"));
    free(text);
}
END_TEST

START_TEST(a_message_that_is_too_large_is_skipped) {
    enum { LARGE = 20000, PIECE = 10000 };
    static uint8_t record[5 + PIECE] = {22, 3, 3,          PIECE >> 8,  PIECE & 0xff,
                                        11, 0, LARGE >> 8, LARGE & 0xff};
    struct sam_tap_tls tls = {0};
    expect_told(&tls, SERVER, record, sizeof record, false,
                "TLS handshake, 10005 bytes\n"
                "  Certificate, 20004 bytes, too large to be looked into\n");
    expect_told(&tls, SERVER, record, sizeof record, true,
                "TLS handshake, 10005 bytes: part of a message\n");
    ck_assert_uint_eq(tls.sides[SERVER].message.capacity, 0);
    TELL(&tls, SERVER, true, "\x16\3\3\0\x08....\x0e\0\0\0",
         "TLS handshake, 13 bytes: ServerHelloDone\n");
}
END_TEST

START_TEST(what_is_encrypted_is_not_read) {
    struct sam_tap_tls tls = {0};
    TELL_SAMPLE(&tls, server_12, true, "TLS handshake, 79 bytes: ServerHello, TLS 1.2, 0xC030\n");
    TELL(&tls, SERVER, true, ALERT "\1\0", "TLS alert, 7 bytes: warning, 0 close notify\n");
    TELL(&tls, SERVER, true, "\x14\3\3\0\1\2", "TLS change cipher spec, 6 bytes, malformed\n");
    TELL(&tls, SERVER, true, ALERT "\2\x30", "TLS alert, 7 bytes: fatal, 48 unknown CA\n");
    TELL(&tls, SERVER, true, CHANGE, "TLS change cipher spec, 6 bytes\n");
    TELL(&tls, SERVER, true, ALERT "\1\0", "TLS alert, 7 bytes, encrypted\n");
    TELL_SAMPLE(&tls, server_13, true, "TLS handshake, 127 bytes, encrypted\n");
    ck_assert_uint_eq(tls.version, SAM_TAP_TLS_1_2);
    /* The other side has not changed yet. */
    TELL(&tls, CLIENT, true, ALERT "\2\xff", "TLS alert, 7 bytes: fatal, 255\n");
    TELL(&tls, CLIENT, true, "\x15\3\3\0\3\1\0\0", "TLS alert, 8 bytes, malformed\n");
    TELL(&tls, CLIENT, true, DATA, "TLS application data, 9 bytes\n");
}
END_TEST

START_TEST(what_is_cut_or_no_record_is_told_as_that) {
    struct sam_tap_tls tls = {0};
    expect_told(&tls, CLIENT, client_12->data, 100, false,
                "TLS handshake, 100 of 224 bytes: it was cut short\n");
    TELL(&tls, CLIENT, true, "\x16\3", "part of a TLS record, 2 bytes\n");
    TELL(&tls, CLIENT, true, "GET / HTTP/1.1", "no TLS record, 14 bytes\n");
    ck_assert(tls.name_length == 0 && tls.sides[CLIENT].bytes == 116);
}
END_TEST

static void expect_summary(const struct sam_tap_tls *tls, int64_t microseconds,
                           const char *expected) {
    char *text = tell_summary(tls, microseconds);
    ck_assert_str_eq(text, expected);
    free(text);
}

#define AS_EVER "  as ever      both addresses and ports, when who spoke, and how much\n"

START_TEST(the_summary_says_what_showed_and_what_did_not) {
    struct sam_tap_tls tls = {0};
    expect_summary(&tls, 999,
                   "what TLS did not hide, in 0.000 seconds\n"
                   "  agreed       nothing: no ServerHello\n"
                   "  server name  not named\n"
                   "  server cert  none was shown\n"
                   "  client sent  0 records, 0 bytes; called application data: 0\n"
                   "  server sent  0 records, 0 bytes; called application data: 0\n" AS_EVER
                   "  hidden       nothing: no encryption began\n");
    free(tell_record(&tls, CLIENT, client_13->data, client_13->length, true));
    free(tell_record(&tls, SERVER, server_13->data, server_13->length, true));
    for (size_t i = 0; i < SAM_TAP_TLS_SIZES + 1; i++)
        TELL(&tls, CLIENT, true, DATA, "TLS application data, 9 bytes\n");
    expect_summary(&tls, 61002003,
                   "what TLS did not hide, in 61.002 seconds\n"
                   "  agreed       TLS 1.3, 0x1302 TLS_AES_256_GCM_SHA384\n"
                   "  server name  localhost\n"
                   "  server cert  not seen: TLS 1.3 encrypts it\n"
                   "  client cert  not seen: TLS 1.3 encrypts it, if there is one\n"
                   "  client sent  12 records, 360 bytes; called application data: 11\n"
                   "    their sizes 9 9 9 9 9 9 9 9 9 9 ...\n"
                   "    together   99 bytes\n"
                   "  server sent  1 records, 127 bytes; called application data: 0\n" AS_EVER
                   "  hidden       what was said, and the handshake after ServerHello\n");
}
END_TEST

START_TEST(the_summary_says_where_a_stolen_key_would_open_it) {
    for (int is_static = 0; is_static < 2; is_static++) {
        struct sam_tap_tls tls = {.version = SAM_TAP_TLS_1_2, .suite = is_static ? 0x002F : 0xC02F};
        TELL(&tls, CLIENT, true, CHANGE, "TLS change cipher spec, 6 bytes\n");
        TELL(&tls, SERVER, true, "\x16\3\3\0\x0d\x0b\0\0\x09\0\0\6\0\0\3abc",
             "TLS handshake, 18 bytes: Certificate\n");
        char *text = tell_summary(&tls, 0);
        ck_assert_ptr_nonnull(
            strstr(text, "  server cert  in clear: 1 certificate(s), bytes: 3\n"));
        ck_assert_ptr_nonnull(strstr(text, "  hidden       what was said\n"));
        ck_assert((strstr(text, "the server's private key opens all of it") != NULL) == is_static);
        ck_assert_ptr_nonnull(strstr(text, is_static ? "0x002F TLS_RSA_WITH_AES_128_CBC_SHA\n"
                                                     : "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"));
        assert_told_harmlessly(text);
        free(text);
    }
}
END_TEST

TCase *tls_told_case(void) {
    TCase *told = tcase_create("tls told");
    tcase_add_test(told, hellos_are_told_as_openssl_sent_them);
    tcase_add_test(told, a_hello_of_the_wrong_side_decides_nothing);
    tcase_add_test(told, a_hello_retry_request_is_told);
    tcase_add_test(told, certificates_are_counted);
    tcase_add_test(told, a_message_in_pieces_is_told_once);
    tcase_add_test(told, many_messages_of_one_record_are_counted);
    tcase_add_test(told, a_message_that_is_too_large_is_skipped);
    tcase_add_test(told, what_is_encrypted_is_not_read);
    tcase_add_test(told, what_is_cut_or_no_record_is_told_as_that);
    tcase_add_test(told, the_summary_says_what_showed_and_what_did_not);
    tcase_add_test(told, the_summary_says_where_a_stolen_key_would_open_it);
    return told;
}
