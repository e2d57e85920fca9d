/* Tests of show: what somebody else wrote cannot move a terminal, and no line is too long for it.
 */
#include "show.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "suites.h"
#include "support.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

enum { COLUMNS = 80 };

/* What was printed, caught in memory. */
static char *caught;
static size_t caught_length;
static FILE *stream;

static void start(void) {
    stream = open_memstream(&caught, &caught_length);
    ck_assert_ptr_nonnull(stream);
}

/* The caller frees the text. */
static char *finish(void) {
    ck_assert_int_eq(fclose(stream), 0);
    char *text = caught;
    caught = NULL;
    ck_assert_uint_eq(strlen(text), caught_length);
    return text;
}

static char *shown(const void *text, size_t length, size_t limit) {
    start();
    sam_show_text(stream, text, length, limit);
    return finish();
}

/* Nothing but printable ASCII and, where lines are allowed, their ends. */
static void check_harmless(const char *text, bool lines) {
    const char *at = text;
    while ((*at >= ' ' && *at <= '~') || (lines && *at == '\n'))
        at++;
    ck_assert_msg(*at == '\0', "byte %02x in %s", (unsigned)(unsigned char)*at, text);
}

static void check_columns(const char *text) {
    size_t column = 0, most = 0;
    for (const char *at = text; *at != '\0'; at++) {
        column = *at == '\n' ? 0 : column + 1;
        most = column > most ? column : most;
    }
    ck_assert_msg(most <= COLUMNS, "a line of %zu columns:\n%s", most, text);
}

/* Text. "X" is escaped whole, byte by byte, and what passes is shown as it is. */

static const struct {
    const char *text;
    size_t length;
} escaped[] = {
    {"\0", 1},
    {"\n", 1},
    {"\r", 1},
    {"\t", 1},
    {"\a", 1},
    {"\b", 1},
    {"\x1b", 1},
    {"\x7f", 1},
    /* C1 as UTF-8 and raw: CSI in one character */
    {"\xc2\x80", 2},
    {"\xc2\x9b", 2},
    {"\xc2\x9f", 2},
    {"\x9b", 1},
    /* what turns or breaks a line: ALM, LRM, RLM, LS, PS, LRE, PDF, RLO, LRI, PDI */
    {"\xd8\x9c", 2},
    {"\xe2\x80\x8e", 3},
    {"\xe2\x80\x8f", 3},
    {"\xe2\x80\xa8", 3},
    {"\xe2\x80\xa9", 3},
    {"\xe2\x80\xaa", 3},
    {"\xe2\x80\xac", 3},
    {"\xe2\x80\xae", 3},
    {"\xe2\x81\xa6", 3},
    {"\xe2\x81\xa9", 3},
    /* overlong: NUL, ESC, '/', the largest of two and of three bytes in one more */
    {"\xc0\x80", 2},
    {"\xc0\x9b", 2},
    {"\xc1\xbf", 2},
    {"\xe0\x80\x9b", 3},
    {"\xe0\x80\xaf", 3},
    {"\xe0\x9f\xbf", 3},
    {"\xf0\x80\x80\x9b", 4},
    {"\xf0\x8f\xbf\xbf", 4},
    /* surrogates, over U+10FFFF, bytes that start nothing */
    {"\xed\xa0\x80", 3},
    {"\xed\xbf\xbf", 3},
    {"\xf4\x90\x80\x80", 4},
    {"\xf7\xbf\xbf\xbf", 4},
    {"\xf8\x88\x80\x80\x80", 5},
    {"\xfc\x84\x80\x80\x80\x80", 6},
    {"\xfe", 1},
    {"\xff", 1},
    {"\x80", 1},
    {"\xbf\xbf", 2},
    /* cut off */
    {"\xc3", 1},
    {"\xe2\x82", 2},
    {"\xf0\x9f\x98", 3},
};

START_TEST(what_could_move_a_terminal_is_escaped_byte_by_byte) {
    /* Alone, between letters, and twice in a row. */
    static const char *const before[] = {"", "a", ""}, *const after[] = {"", "b", "z"};
    size_t length = escaped[_i].length;
    for (size_t i = 0; i < 3; i++) {
        uint8_t text[32];
        char expected[128];
        size_t n = 0, m = (size_t)snprintf(expected, sizeof expected, "%s", before[i]);
        for (const char *at = before[i]; *at != '\0'; at++)
            text[n++] = (uint8_t)*at;
        for (size_t k = 0; k < (i == 2 ? 2 : 1) * length; k++) {
            text[n] = (uint8_t)escaped[_i].text[k % length];
            m += (size_t)snprintf(expected + m, sizeof expected - m, "\\x%02x", text[n++]);
        }
        for (const char *at = after[i]; *at != '\0'; at++)
            text[n++] = (uint8_t)*at;
        snprintf(expected + m, sizeof expected - m, "%s", after[i]);
        char *got = shown(text, n, SIZE_MAX);
        ck_assert_str_eq(got, expected);
        free(got);
    }
}
END_TEST

static const char *const passing[] = {
    "",
    "plain text ~ with ! signs",
    "C:\\x1b\\",
    "Gr\xc3\xbc\xc3\x9f Gott \xc2\xa0",
    "\xe2\x82\xac \xe6\x97\xa5\xe6\x9c\xac",
    "\xf0\x9f\x98\x80",
    "\xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
    "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
    "\xe2\x80\xa7 \xe2\x80\xaf \xe2\x80\x90",
};

START_TEST(utf_8_passes) {
    char *got = shown(passing[_i], strlen(passing[_i]), SIZE_MAX);
    ck_assert_str_eq(got, passing[_i]);
    free(got);
}
END_TEST

START_TEST(no_pair_of_bytes_prints_a_control) {
    for (unsigned first = 0; first < 256; first++) {
        start();
        for (unsigned second = 0; second < 256; second++) {
            const uint8_t text[] = {(uint8_t)first, (uint8_t)second};
            bool character = first >= 0xc2 && first < 0xe0 && second >= 0x80 && second < 0xc0 &&
                             (first > 0xc2 || second >= 0xa0) && !(first == 0xd8 && second == 0x9c);
            if (!character) /* those that are pass, and stand in another test */
                sam_show_text(stream, text, 2, 2);
        }
        char *got = finish();
        check_harmless(got, false);
        free(got);
    }
}
END_TEST

/* Strings of JSON, and what a reader of JSON makes of them. */
static void take_string(void *context, const char *key, const char *value, size_t length) {
    char *text = context;
    (void)key;
    memcpy(text, value, length + 1);
}

START_TEST(every_text_is_a_json_string_that_means_what_is_shown) {
    static const char *const texts[] = {
        "",     "plain", "say \"hi\"", "a\\b\\", "1\n2\x1b[0m", "\xff\xc3", "gr\xc3\xbc\xc3\x9f",
        "\\x41"};
    char read[256];
    for (int i = 0; i < COUNT(texts); i++) {
        char *expected = shown(texts[i], strlen(texts[i]), SIZE_MAX);
        start();
        fputs("{\"text\": \"", stream);
        sam_show_json(stream, texts[i], strlen(texts[i]));
        fputs("\"}", stream);
        char *json = finish();
        ck_assert_msg(json_read(json, strlen(json), take_string, read), "%s", json);
        ck_assert_str_eq(read, expected);
        free(expected);
        free(json);
    }
}
END_TEST

START_TEST(a_text_over_the_limit_is_counted) {
    char *got = shown("abcdef", 6, 4);
    ck_assert_str_eq(got, "abcd... (2 more bytes)");
    free(got);
    got = shown("abcdef", 6, 6);
    ck_assert_str_eq(got, "abcdef");
    free(got);
    got = shown("abcdef", 6, 0);
    ck_assert_str_eq(got, "... (6 more bytes)");
    free(got);
    /* A character that the limit cuts is not half shown. */
    got = shown("ab\xe2\x82\xac", 5, 3);
    check_harmless(got, false);
    ck_assert_str_eq(got, "ab\\xe2... (2 more bytes)");
    free(got);
    got = shown(NULL, 0, 10);
    ck_assert_str_eq(got, "");
    free(got);
}
END_TEST

/* Hexdumps. */

static const struct {
    enum sam_unit_type type;
    size_t size;
} units[] = {
    {SAM_GREETING, SAM_GREETING_SIZE},
    {SAM_REJECTION, SAM_REJECTION_SIZE},
    {SAM_ENVELOPE, SAM_HEADER_SIZE},
};

START_TEST(a_unit_is_shown_in_80_columns_with_every_name) {
    uint8_t unit[SAM_HEADER_SIZE];
    memset(unit, 0xff, sizeof unit);
    unit[0] = 'S', unit[1] = 'A', unit[2] = 'M';
    start();
    sam_show_unit(stream, units[_i].type, unit);
    char *got = finish();
    check_columns(got);
    check_harmless(got, true);
    size_t count = 0, hex = 0;
    const struct sam_field *fields = sam_unit_fields(units[_i].type, &count);
    const char *at = got;
    for (size_t i = 0; i < count; i++) {
        at = strstr(at, fields[i].name); /* in order */
        ck_assert_ptr_nonnull(at);
    }
    for (at = got; (at = strstr(at, " ff")) != NULL; at++)
        hex++;
    ck_assert_uint_eq(hex, units[_i].size - 3);
    ck_assert_ptr_nonnull(strstr(got, " 53 41 4d"));
    free(got);
}
END_TEST

/* Sizes about the ends of lines, of numbers and of what is shown. */
static const size_t sizes[] = {0,  1,   2,   4,   5,   7,   8,    9,    15,   16,   17,
                               31, 256, 384, 511, 512, 513, 1000, 4096, 9999, 99999};

START_TEST(a_field_of_any_size_keeps_to_80_columns) {
    uint8_t *data = malloc(sizes[_i] + 1);
    ck_assert_ptr_nonnull(data);
    memset(data, 0xff, sizes[_i] + 1);
    struct sam_field field = {"sixteen bytes ok", 65536, sizes[_i], "any", SAM_AS_BYTES};
    start();
    sam_show_field(stream, &field, data);
    char *got = finish();
    check_columns(got);
    check_harmless(got, true);
    ck_assert_ptr_nonnull(strstr(got, field.name));
    ck_assert_int_eq(got[strlen(got) - 1], '\n');
    size_t hex = 0;
    for (const char *at = got; (at = strstr(at, " ff")) != NULL; at++)
        hex++;
    ck_assert_uint_le(hex, sizes[_i]);
    ck_assert_uint_ge(hex, sizes[_i] < 512 ? sizes[_i] : 512);
    if (hex < sizes[_i]) {
        char rest[64];
        snprintf(rest, sizeof rest, "%zu more bytes", sizes[_i] - hex);
        ck_assert_ptr_nonnull(strstr(got, rest));
    }
    free(got);
    free(data);
}
END_TEST

START_TEST(a_short_field_bears_its_number) {
    static const uint8_t data[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
    static const struct {
        size_t size;
        const char *number;
    } cases[] = {{1, "= 1\n"}, {2, "= 258\n"}, {4, "= 16909060\n"}, {8, "= 72623859790382856\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sam_field field = {"field", 12, cases[i].size, "any", SAM_AS_NUMBER};
        start();
        sam_show_field(stream, &field, data);
        char *got = finish();
        ck_assert_ptr_nonnull(strstr(got, cases[i].number));
        free(got);
    }
}
END_TEST

/* The trace. */

START_TEST(without_a_trace_nothing_happens) {
    sam_trace_step(NULL, "step", "with %s", "parameters");
    sam_trace_value(NULL, "value", (const uint8_t *)"x", 1);
    sam_trace_secret(NULL, "secret", 32);
}
END_TEST

START_TEST(a_trace_tells_what_and_how) {
    for (int colour = 0; colour < 2; colour++) {
        start();
        const struct sam_trace trace = {stream, colour == 1};
        sam_trace_step(&trace, "sign", "PSS with a salt of %d bytes", 32);
        sam_trace_value(&trace, "signature", (const uint8_t *)"\x1b\xff", 2);
        char *got = finish();
        ck_assert_ptr_nonnull(strstr(got, "sign"));
        ck_assert_ptr_nonnull(strstr(got, "PSS with a salt of 32 bytes\n"));
        ck_assert_ptr_nonnull(strstr(got, "signature"));
        ck_assert_ptr_nonnull(strstr(got, " 1b ff"));
        /* Colour is asked for, or absent; it ends where it began. */
        ck_assert((strchr(got, '\033') != NULL) == (colour == 1));
        if (colour == 0)
            check_harmless(got, true);
        else
            ck_assert_ptr_nonnull(strstr(got, "\033[0m\n"));
        free(got);
    }
}
END_TEST

/* The function gets no bytes at all: what it can tell is their number. */
START_TEST(of_a_secret_only_the_length_is_told) {
    static const size_t lengths[] = {0, 16, 32, 12345};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char number[32];
        snprintf(number, sizeof number, "%zu", lengths[i]);
        start();
        const struct sam_trace trace = {stream, false};
        sam_trace_secret(&trace, "salt", lengths[i]);
        char *got = finish();
        ck_assert_ptr_nonnull(strstr(got, "salt"));
        ck_assert_ptr_nonnull(strstr(got, "secret"));
        char *digits = got + strcspn(got, "0123456789");
        ck_assert_int_eq(strncmp(digits, number, strlen(number)), 0);
        digits += strlen(number);
        ck_assert_ptr_null(strpbrk(digits, "0123456789"));
        check_columns(got);
        check_harmless(got, true);
        free(got);
    }
}
END_TEST

Suite *show_suite(void) {
    Suite *suite = suite_create("show");
    TCase *tcase = tcase_create("text");
    tcase_add_loop_test(tcase, what_could_move_a_terminal_is_escaped_byte_by_byte, 0,
                        COUNT(escaped));
    tcase_add_loop_test(tcase, utf_8_passes, 0, COUNT(passing));
    tcase_add_test(tcase, no_pair_of_bytes_prints_a_control);
    tcase_add_test(tcase, every_text_is_a_json_string_that_means_what_is_shown);
    tcase_add_test(tcase, a_text_over_the_limit_is_counted);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("hexdump");
    tcase_add_loop_test(tcase, a_unit_is_shown_in_80_columns_with_every_name, 0, COUNT(units));
    tcase_add_loop_test(tcase, a_field_of_any_size_keeps_to_80_columns, 0, COUNT(sizes));
    tcase_add_test(tcase, a_short_field_bears_its_number);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("trace");
    tcase_add_test(tcase, without_a_trace_nothing_happens);
    tcase_add_test(tcase, a_trace_tells_what_and_how);
    tcase_add_test(tcase, of_a_secret_only_the_length_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}
