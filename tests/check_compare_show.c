/* How sam compare tells what it found: the table, CSV and JSON, each read back. */
#include "compare.h"

#include <stdlib.h>
#include <string.h>

#include "instruments.h"
#include "support.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { COLUMNS = 18 };
static const char *const columns[COLUMNS] = {
    "message",     "mode",         "name",        "bits",      "limit",   "over_limit",
    "header",      "rsa",          "aes",         "signature", "total",   "seal_private",
    "seal_public", "open_private", "open_public", "seal_us",   "open_us", "runs"};

/* Rows with numbers that no machine gave: sizes[i] in both modes, so many microseconds. */
static struct sam_comparison invented;
static void invent(const uint32_t *sizes, size_t count, const int64_t (*microseconds)[2]) {
    invented = (struct sam_comparison){.signature_length = 256, .block_length = 256};
    for (size_t i = 0; i < 2 * count; i++) {
        struct sam_compare_row *row = &invented.rows[invented.count++];
        *row = (struct sam_compare_row){.mode = modes[i % 2], .message = sizes[i / 2]};
        row->over_limit = row->message > row->mode->max_message;
        if (row->over_limit)
            continue;
        row->bytes = sam_compare_count(row->mode, row->message, 256, 256);
        row->seal = (struct sam_rsa_count){1, row->bytes.blocks};
        row->open = (struct sam_rsa_count){row->bytes.blocks, 1};
        row->seal_microseconds = row->open_microseconds = microseconds[i / 2][i % 2];
        row->runs = 9;
    }
}

/* What a writer writes; the caller frees it. */
static char *written(void (*write)(FILE *out, const struct sam_comparison *comparison)) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(out);
    write(out, &invented);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_uint_eq(strlen(text), length);
    return text;
}

static void write_whole(FILE *out, const struct sam_comparison *comparison) {
    sam_compare_show(out, comparison, false);
}
static void write_brief(FILE *out, const struct sam_comparison *comparison) {
    sam_compare_show(out, comparison, true);
}

static const uint32_t extreme_sizes[] = {0, 1, 16384, 16385, 16777216};
static const int64_t extreme_times[][2] = {
    {0, 0}, {INT64_MAX, INT64_MAX}, {9999999, 10000000}, {0, 99999999999}, {0, 100000000000}};

START_TEST(no_line_is_longer_than_80_columns) {
    invent(extreme_sizes, 5, extreme_times);
    char *text = written(_i == 0 ? write_whole : write_brief);
    size_t lines = 0;
    for (const char *at = text; *at != '\0'; lines++) {
        size_t length = strcspn(at, "\n");
        ck_assert_msg(length <= 80, "%zu columns: %.*s", length, (int)length, at);
        for (size_t i = 0; i < length; i++)
            ck_assert(at[i] >= ' ' && at[i] <= '~');
        ck_assert(length == 0 || at[length - 1] != ' ');
        at += length;
        ck_assert_int_eq(*at++, '\n');
    }
    ck_assert_uint_gt(lines, 10);
    ck_assert_int_eq(strstr(text, "inside the ciphertext") != NULL, _i == 0);
    free(text);
}
END_TEST

/* Every row is found again, its parts add up, and nothing over a limit has a number. */
START_TEST(the_table_says_what_the_rows_hold) {
    invent(extreme_sizes, 5, extreme_times);
    char *text = written(write_whole);
    const char *at = strstr(text, " message mode");
    ck_assert_ptr_nonnull(at);
    for (size_t i = 0; i < invented.count; i++) {
        const struct sam_compare_row *row = &invented.rows[i];
        unsigned long n[7];
        unsigned ops[4];
        at = strchr(at, '\n') + 1;
        int found = sscanf(at, "%lu %lu %lu %lu %lu %lu %lu %u+%u %u+%u", &n[0], &n[1], &n[2],
                           &n[3], &n[4], &n[5], &n[6], &ops[0], &ops[1], &ops[2], &ops[3]);
        ck_assert_int_eq(found, row->over_limit ? 2 : 11);
        ck_assert_uint_eq(n[0], row->message);
        ck_assert_uint_eq(n[1], row->mode->number);
        if (row->over_limit) {
            ck_assert_ptr_eq(strstr(at, "over its limit of 16384 bytes\n"), at + 16);
            continue;
        }
        ck_assert_uint_eq(n[2] + n[3] + n[4] + n[5], n[6]);
        ck_assert_uint_eq(n[6], row->bytes.total);
        ck_assert_uint_eq(ops[0], 1);
        ck_assert_uint_eq(ops[1], row->bytes.blocks);
        ck_assert_uint_eq(ops[2], row->bytes.blocks);
        ck_assert_uint_eq(ops[3], 1);
    }
    ck_assert_ptr_nonnull(strstr(text, " 9999999 9999999\n"));
    ck_assert_ptr_nonnull(strstr(text, "    10 s    10 s\n"));
    ck_assert_ptr_nonnull(strstr(text, " 99999 s 99999 s\n"));
    free(text);
}
END_TEST

/* By docs/protocol.md for keys of 2048 bits: a block takes 190 bytes, 16 of the first are salt. */
START_TEST(the_crossings_are_told) {
    static const uint32_t sizes[] = {10, 400, 500};
    static const int64_t times[][2] = {{1000, 1000}, {1000, 900}, {2000, 900}};
    char line[100];
    uint32_t always = 0;
    for (uint32_t n = 0; n <= 16384; n++)
        if (128 + (16 + n + 189) / 190 * 256 + 256 <= 128 + 256 + 12 + 16 + n + 256 + 16)
            always = n + 1;
    invent(sizes, 3, times);
    char *text = written(write_brief);
    ck_assert_ptr_nonnull(strstr(text, "mode 2 needs fewer at 175 bytes for the first time"));
    snprintf(line, sizeof line, " from %lu on always", (unsigned long)always);
    ck_assert_ptr_nonnull(strstr(text, line));
    ck_assert_ptr_nonnull(strstr(text, "mode 1 needs more from 175 bytes on\n"));
    ck_assert_ptr_nonnull(strstr(text, "to seal       mode 2 is quicker from 400 bytes on"));
    ck_assert_ptr_nonnull(strstr(text, "to open       mode 2 is quicker from 400 bytes on"));
    free(text);
}
END_TEST

START_TEST(without_a_size_in_both_modes_no_time_is_compared) {
    static const uint32_t sizes[] = {20000, 30000};
    static const int64_t times[][2] = {{0, 5}, {0, 5}};
    uint32_t measured = 0;
    invent(sizes, 2, times);
    ck_assert_uint_eq(sam_compare_quicker(&invented, false, &measured), SAM_COMPARE_NEVER);
    ck_assert_uint_eq(measured, SAM_COMPARE_NEVER);
    char *text = written(write_whole);
    ck_assert_ptr_null(strstr(text, "quicker"));
    ck_assert_ptr_null(strstr(text, "4294967295"));
    free(text);
}
END_TEST

/* 9500 of 10000 is not yet quicker, 9499 is. Any order; one slower size in between counts. */
static const struct {
    uint32_t sizes[4];
    int64_t times[4][2];
    uint32_t from, measured;
} races[] = {
    {{1, 2, 3, 4}, {{10000, 9499}, {10000, 9499}, {10000, 9499}, {10000, 9499}}, 1, 4},
    {{1, 2, 3, 4}, {{10000, 9500}, {10000, 9499}, {10000, 9499}, {10000, 9499}}, 2, 4},
    {{1, 2, 3, 4}, {{100, 50}, {100, 50}, {100, 100}, {100, 50}}, 4, 4},
    {{1, 2, 3, 4}, {{100, 50}, {100, 50}, {100, 50}, {100, 95}}, SAM_COMPARE_NEVER, 4},
    {{4, 3, 2, 1}, {{100, 50}, {100, 50}, {100, 99}, {100, 50}}, 3, 4},
    {{5, 5, 6, 7}, {{100, 50}, {100, 99}, {100, 50}, {100, 50}}, 6, 7},
    {{1, 16384, 16385, 99999}, {{9, 9}, {100, 50}, {0, 900}, {0, 900}}, 16384, 16384},
    {{0, 1, 2, 3}, {{0, 0}, {0, 0}, {0, 0}, {0, 0}}, SAM_COMPARE_NEVER, 3},
};

START_TEST(mode_2_is_quicker_only_where_it_stays_so) {
    uint32_t measured = 0;
    invent(races[_i].sizes, 4, races[_i].times);
    for (size_t i = 0; i < invented.count; i++)
        invented.rows[i].seal_microseconds = 7; /* only the time that is asked for counts */
    ck_assert_uint_eq(sam_compare_quicker(&invented, true, &measured), races[_i].from);
    ck_assert_uint_eq(measured, races[_i].measured);
    ck_assert_uint_eq(sam_compare_quicker(&invented, false, &measured), SAM_COMPARE_NEVER);
    ck_assert_uint_eq(measured, races[_i].measured);
}
END_TEST

/* What column c of a row must say, as a number; a name and a truth are compared by the caller. */
static uint64_t expected_number(const struct sam_compare_row *row, size_t c) {
    const uint64_t numbers[COLUMNS] = {row->message,
                                       row->mode->number,
                                       0,
                                       2048,
                                       row->mode->max_message,
                                       0,
                                       128,
                                       row->bytes.rsa,
                                       row->bytes.aes,
                                       256,
                                       row->bytes.total,
                                       1,
                                       row->bytes.blocks,
                                       row->bytes.blocks,
                                       1,
                                       (uint64_t)row->seal_microseconds,
                                       (uint64_t)row->open_microseconds,
                                       9};
    return numbers[c];
}

/* value is what stood there; nothing is what stands for what was not measured. */
static void check_value(const char *value, size_t c, const struct sam_compare_row *row,
                        const char *nothing) {
    char number[32];
    snprintf(number, sizeof number, "%llu", (unsigned long long)expected_number(row, c));
    const char *wanted = c == 2                     ? row->mode->name
                         : c == 5                   ? (row->over_limit ? "true" : "false")
                         : c > 5 && row->over_limit ? nothing
                                                    : number;
    ck_assert_msg(strcmp(value, wanted) == 0, "%s: %s, not %s", columns[c], value, wanted);
}

/* RFC 4180 without quotes: takes the text up to a comma, or up to CR LF in the last column. */
static const char *csv_field(char value[64], const char *at, bool last) {
    size_t length = strcspn(at, ",\r\n\"");
    ck_assert_uint_lt(length, 64);
    memcpy(value, at, length);
    value[length] = '\0';
    at += length;
    ck_assert_msg(strncmp(at, last ? "\r\n" : ",", last ? 2 : 1) == 0, "%s: wrong end", value);
    return at + (last ? 2 : 1);
}

START_TEST(csv_reads_back) {
    char value[64];
    invent(extreme_sizes, 5, extreme_times);
    char *text = written(sam_compare_csv);
    const char *at = text;
    for (size_t c = 0; c < COLUMNS; c++) {
        at = csv_field(value, at, c + 1 == COLUMNS);
        ck_assert_str_eq(value, columns[c]);
    }
    for (size_t i = 0; i < invented.count; i++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            at = csv_field(value, at, c + 1 == COLUMNS);
            check_value(value, c, &invented.rows[i], "");
        }
    }
    ck_assert_str_eq(at, "");
    free(text);
}
END_TEST

/* RFC 8259: takes the white space and then exactly this character. */
static const char *json_take(const char *at, char wanted) {
    at += strspn(at, " \n");
    ck_assert_msg(*at == wanted, "%c expected at %.20s", wanted, at);
    return at + 1;
}

/* A string without escapes, or a number without sign and fraction, or a literal. */
static const char *json_value(char value[64], const char *at, bool *is_string) {
    at += strspn(at, " \n");
    *is_string = *at == '"';
    at += *is_string;
    size_t length = strcspn(at, *is_string ? "\"" : ",} \n");
    ck_assert_uint_lt(length, 64);
    memcpy(value, at, length);
    value[length] = '\0';
    ck_assert_ptr_null(strpbrk(value, "\\\n"));
    bool literal =
        strcmp(value, "true") == 0 || strcmp(value, "false") == 0 || strcmp(value, "null") == 0;
    bool number =
        length > 0 && strspn(value, "0123456789") == length && (value[0] != '0' || length == 1);
    ck_assert_msg(*is_string || literal || number, "%s is no value", value);
    return *is_string ? json_take(at + length, '"') : at + length;
}

START_TEST(json_reads_back) {
    char value[64];
    bool is_string;
    invent(extreme_sizes, 5, extreme_times);
    char *text = written(sam_compare_json);
    const char *at = json_take(text, '[');
    for (size_t i = 0; i < invented.count; i++) {
        at = json_take(at, '{');
        for (size_t c = 0; c < COLUMNS; c++) {
            at = json_value(value, at, &is_string);
            ck_assert(is_string);
            ck_assert_str_eq(value, columns[c]);
            at = json_value(value, json_take(at, ':'), &is_string);
            ck_assert_int_eq(is_string, c == 2);
            check_value(value, c, &invented.rows[i], "null");
            at = json_take(at, c + 1 < COLUMNS ? ',' : '}');
        }
        at = json_take(at, i + 1 < invented.count ? ',' : ']');
    }
    ck_assert_str_eq(at, "\n");
    free(text);
}
END_TEST

TCase *compare_show_case(void) {
    TCase *tcase = tcase_create("compare_show");
    tcase_add_loop_test(tcase, no_line_is_longer_than_80_columns, 0, 2);
    tcase_add_test(tcase, the_table_says_what_the_rows_hold);
    tcase_add_test(tcase, the_crossings_are_told);
    tcase_add_test(tcase, without_a_size_in_both_modes_no_time_is_compared);
    tcase_add_loop_test(tcase, mode_2_is_quicker_only_where_it_stays_so, 0, COUNT(races));
    tcase_add_test(tcase, csv_reads_back);
    tcase_add_test(tcase, json_reads_back);
    return tcase;
}
