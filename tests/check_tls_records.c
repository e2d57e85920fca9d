/* Records of TLS, read without a key: whatever the bytes are, what is told is harmless, short, and
 * about nothing that is not there. */
#include <stdlib.h>
#include <string.h>

#include "instruments.h"
#include "tapping.h"
#include "tls_samples.h"

enum { HEAD = 4 /* of a handshake message */ };

START_TEST(the_length_of_a_record_is_known_from_its_fifth_byte_on) {
    for (size_t i = 0; i < TLS_SAMPLES; i++)
        for (size_t length = 0; length <= tls_samples[i].length; length++) {
            uint8_t *copy = own_copy(tls_samples[i].data, length);
            ck_assert_uint_eq(sam_tap_tls_length(copy, length), length < SAM_TAP_TLS_HEADER_SIZE
                                                                    ? SAM_TAP_TLS_HEADER_SIZE
                                                                    : tls_samples[i].length);
            ck_assert(sam_tap_tls_begins(copy, length) == (length > 0));
            free(copy);
        }
}
END_TEST

static const struct {
    uint8_t header[SAM_TAP_TLS_HEADER_SIZE];
    size_t whole; /* 0: no record */
    bool begins;
} headers[] = {
    {{22, 3, 0, 0, 1}, 6, true},       {{22, 3, 4, 0x41, 0}, 16645, true},
    {{21, 3, 1, 0, 2}, 7, true},       {{20, 3, 3, 0, 1}, 6, false},
    {{23, 3, 3, 0, 9}, 14, false},     {{23, 3, 3, 0, 0}, 5, false},
    {{22, 3, 3, 0x41, 1}, 0, false},   {{23, 3, 3, 0xff, 0xff}, 0, false},
    {{22, 3, 3, 0, 0}, 0, false},      {{21, 3, 3, 0, 0}, 0, false},
    {{20, 3, 3, 0, 0}, 0, false},      {{19, 3, 3, 0, 1}, 0, false},
    {{24, 3, 3, 0, 1}, 0, false},      {{22, 2, 3, 0, 1}, 0, false},
    {{22, 3, 5, 0, 1}, 0, false},      {{'S', 'A', 'M', 'G', 1}, 0, false},
    {{0x80, 0x2e, 1, 3, 1}, 0, false}, /* SSL 2.0 */
};

START_TEST(only_a_header_of_a_record_is_one) {
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        size_t whole = sam_tap_tls_length(headers[i].header, SAM_TAP_TLS_HEADER_SIZE);
        ck_assert_msg(whole == headers[i].whole, "header %zu: %zu", i, whole);
        ck_assert_msg(sam_tap_tls_begins(headers[i].header, SAM_TAP_TLS_HEADER_SIZE) ==
                          headers[i].begins,
                      "header %zu", i);
    }
}
END_TEST

/* A hello without extensions is one; nothing else that was cut is. */
START_TEST(a_hello_that_was_cut_is_malformed) {
    for (size_t i = 0; i < TLS_SAMPLES; i++) {
        const uint8_t *body = tls_samples[i].data + SAM_TAP_TLS_HEADER_SIZE + HEAD;
        size_t whole = tls_samples[i].length - SAM_TAP_TLS_HEADER_SIZE - HEAD, fine = 0;
        struct sam_tap_tls_hello hello;
        for (size_t length = 0; length <= whole; length++) {
            uint8_t *copy = own_copy(body, length);
            memset(&hello, 0xff, sizeof hello);
            bool read = tls_samples[i].side == CLIENT
                            ? sam_tap_tls_read_client_hello(&hello, copy, length)
                            : sam_tap_tls_read_server_hello(&hello, copy, length);
            fine += read;
            ck_assert(read || (hello.version_count == 0 && hello.server_name.data == NULL));
            ck_assert(length == whole || hello.server_name.data == NULL);
            free(copy);
        }
        ck_assert_uint_eq(fine, 2);
        uint8_t *longer = malloc(whole + 1);
        ck_assert_ptr_nonnull(longer);
        memcpy(longer, body, whole);
        longer[whole] = 0;
        ck_assert(!(tls_samples[i].side == CLIENT
                        ? sam_tap_tls_read_client_hello(&hello, longer, whole + 1)
                        : sam_tap_tls_read_server_hello(&hello, longer, whole + 1)));
        free(longer);
    }
}
END_TEST

/* A ClientHello with one extension. */
static size_t make_extended(uint8_t out[TLS_HELLO_MAX], unsigned type, const char *data,
                            size_t length) {
    char block[TLS_HELLO_MAX] = {(char)(type >> 8), (char)type, (char)(length >> 8), (char)length};
    ck_assert_uint_le(length, sizeof block - 4);
    memcpy(block + 4, data, length);
    return make_tls_hello(out, block, length + 4);
}

#define DATA(type, text) type, text, sizeof(text) - 1
static const struct {
    unsigned type;
    const char *data;
    size_t length;
    bool fine;
} extensions[] = {
    {DATA(0, "\0\x04\0\0\1a"), true},
    {DATA(0, ""), false},
    {DATA(0, "\0\0"), false},
    {DATA(0, "\0\x03\0\0\0"), false},
    {DATA(0, "\0\x04\1\0\1a"), false},
    {DATA(0, "\0\x05\0\0\1a"), false},
    {DATA(0, "\0\x04\0\0\2a"), false},
    {DATA(0, "\0\x04\0\0\1ab"), false},
    {DATA(0, "\0\x05\0\0\1ab"), false},
    {DATA(0, "\0\x04\0\xff\xff"
             "a"),
     false},
    {DATA(0, "\0\x08\0\0\1a\0\0\1b"), false},
    {DATA(16, "\0\x03\2h2"), true},
    {DATA(16, "\0\0"), false},
    {DATA(16, "\0\x01\0"), false},
    {DATA(16, "\0\x03\3h2"), false},
    {DATA(16, "\0\x04\2h2"), false},
    {DATA(16, "\0\x03\2h2x"), false},
    {DATA(43, "\2\3\4"), true},
    {DATA(43, "\4\3\4\3\3"), true},
    {DATA(43, ""), false},
    {DATA(43, "\0"), false},
    {DATA(43, "\3\3\4\3"), false},
    {DATA(43, "\4\3\4"), false},
    {DATA(43, "\2\3\4\3"), false},
    {DATA(99, "anything"), true},
};

START_TEST(lengths_that_do_not_fit_are_malformed) {
    uint8_t record[TLS_HELLO_MAX];
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        struct sam_tap_tls tls = {0};
        size_t length =
            make_extended(record, extensions[i].type, extensions[i].data, extensions[i].length);
        char *text = tell_record(&tls, CLIENT, record, length, true);
        ck_assert_msg((strstr(text, "malformed") == NULL) == extensions[i].fine, "%zu: %s", i,
                      text);
        ck_assert(extensions[i].fine || tls.name_length == 0);
        free(text);
    }
    /* Each length of the hello itself: of the session, the suites, the compressions, and of all. */
    static const size_t places[] = {8, 43, 45, 48, 51, 55};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        for (int change = -1; change <= 1; change += 2) {
            struct sam_tap_tls tls = {0};
            size_t length = make_extended(record, 0, "\0\x04\0\0\1a", 6);
            record[places[i]] = (uint8_t)(record[places[i]] + change);
            char *text = tell_record(&tls, CLIENT, record, length, true);
            ck_assert_msg(strstr(text, " for ") == NULL, "%zu: %s", places[i], text);
            ck_assert_uint_eq(tls.name_length, 0);
            free(text);
            sam_tap_tls_free(&tls);
        }
}
END_TEST

static const struct {
    uint8_t session, suites, compressions;
    bool fine;
} sizes[] = {{0, 2, 1, true},  {32, 2, 1, true}, {33, 2, 1, false}, {255, 2, 1, false},
             {0, 0, 1, false}, {0, 3, 1, false}, {0, 4, 0, false},  {9, 8, 255, true}};

/* All of them fit, but not all of them may be. */
START_TEST(sizes_that_may_not_be_are_malformed) {
    enum { VERSION_AND_RANDOM = 34 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t body[1024] = {3, 3};
        struct sam_tap_tls_hello hello;
        size_t length = VERSION_AND_RANDOM;
        body[length] = sizes[i].session;
        length += 1u + sizes[i].session;
        body[length + 1] = sizes[i].suites;
        length += 2u + sizes[i].suites;
        body[length] = sizes[i].compressions;
        length += 1u + sizes[i].compressions;
        ck_assert_msg(sam_tap_tls_read_client_hello(&hello, body, length) == sizes[i].fine, "%zu",
                      i);
        ck_assert_uint_eq(hello.suite_count, sizes[i].fine ? sizes[i].suites / 2u : 0);
    }
}
END_TEST

START_TEST(an_extension_that_comes_twice_is_malformed) {
    uint8_t record[TLS_HELLO_MAX];
    char block[] = "\0\0\0\6\0\4\0\0\1a\0\0\0\6\0\4\0\0\1b";
    struct sam_tap_tls tls = {0};
    size_t length = make_tls_hello(record, block, sizeof block - 1);
    expect_told(&tls, CLIENT, record, length, true,
                "TLS handshake, 72 bytes: ClientHello, malformed\n");
    block[11] = 99;
    length = make_tls_hello(record, block, sizeof block - 1);
    expect_told(&tls, CLIENT, record, length, true, "TLS handshake, 72 bytes: ClientHello for a\n");
    ck_assert_uint_eq(tls.name_length, 1);
}
END_TEST

START_TEST(a_hostile_name_is_shown_harmless_and_short) {
    uint8_t record[TLS_HELLO_MAX];
    char data[5 + 300] = {0x01, 0x2f, 0, 0x01, 0x2c};
    struct sam_tap_tls tls = {0};
    memset(data + 5, 'w', 300);
    memcpy(data + 5, "\033[2J\n\r\0\\x\x7f\x80\xe2\x80\xae \"%n", 19);
    for (int brief = 0; brief < 2; brief++) {
        char *text =
            tell_record(&tls, CLIENT, record, make_extended(record, 0, data, sizeof data), brief);
        assert_told_harmlessly(text);
        ck_assert_ptr_nonnull(strstr(text, "\\x1b[2J\\x0a\\x0d"));
        ck_assert_ptr_nonnull(strstr(text, "..."));
        ck_assert(brief || strstr(text, "\\x5cx\\x7f") != NULL);
        free(text);
    }
    ck_assert_uint_eq(tls.name_length, SAM_TAP_TLS_NAME_MAX);
    char *text = tell_summary(&tls, 0);
    assert_told_harmlessly(text);
    free(text);
}
END_TEST

static void tell_mutated(uint8_t *bytes, size_t length) {
    struct sam_tap_tls tls = {0};
    unsigned side = any_below(2);
    for (size_t at = 0; at < length;) {
        size_t whole = sam_tap_tls_length(bytes + at, length - at);
        size_t here = whole == 0 || whole > length - at ? length - at : whole;
        char *text =
            tell_record(&tls, any_below(8) == 0 ? 1 - side : side, bytes + at, here, any_below(2));
        assert_told_harmlessly(text);
        free(text);
        ck_assert_uint_le(tls.sides[0].message.capacity, SAM_TAP_TLS_RECORD_MAX);
        ck_assert_uint_le(tls.sides[1].message.capacity, SAM_TAP_TLS_RECORD_MAX);
        at += here;
    }
    char *text = tell_summary(&tls, any_below(UINT32_MAX));
    assert_told_harmlessly(text);
    free(text);
    sam_tap_tls_free(&tls);
}

START_TEST(mutations_are_told_harmlessly) {
    enum { ROUNDS = 20000 };
    uint8_t bytes[2 * 1024];
    for (int i = 0; i < ROUNDS; i++) {
        size_t first = any_below(TLS_SAMPLES), second = any_below(TLS_SAMPLES);
        memcpy(bytes, tls_samples[first].data, tls_samples[first].length);
        memcpy(bytes + tls_samples[first].length, tls_samples[second].data,
               tls_samples[second].length);
        size_t length = tls_samples[first].length + tls_samples[second].length;
        for (uint32_t k = any_below(6); k > 0; k--)
            bytes[any_below((uint32_t)length)] = (uint8_t)any_below(256);
        if (any_below(4) == 0) /* where lengths are */
            bytes[5 + any_below(6)] ^= (uint8_t)(1u << any_below(8));
        tell_mutated(bytes, any_below(3) == 0 ? any_below((uint32_t)length) + 1 : length);
    }
}
END_TEST

TCase *tls_records_case(void) {
    TCase *records = tcase_create("tls records");
    tcase_set_timeout(records, TEST_SECONDS);
    tcase_add_test(records, the_length_of_a_record_is_known_from_its_fifth_byte_on);
    tcase_add_test(records, only_a_header_of_a_record_is_one);
    tcase_add_test(records, a_hello_that_was_cut_is_malformed);
    tcase_add_test(records, lengths_that_do_not_fit_are_malformed);
    tcase_add_test(records, sizes_that_may_not_be_are_malformed);
    tcase_add_test(records, an_extension_that_comes_twice_is_malformed);
    tcase_add_test(records, a_hostile_name_is_shown_harmless_and_short);
    tcase_add_test(records, mutations_are_told_harmlessly);
    return records;
}
