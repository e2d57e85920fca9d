/* Tests of wire: what any bytes say of themselves before they are believed, and how fields are read
 * to a person. */
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "support.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static const struct {
    uint8_t type;
    const char *name;
    size_t fixed; /* bytes */
} units[] = {
    {'G', "greeting", 64}, {'E', "envelope", 128}, {'R', "rejection", 16}, {'S', "record", 16}};

static int unit_of(unsigned type) {
    for (int i = 0; i < COUNT(units); i++)
        if (units[i].type == type)
            return i;
    return -1;
}

/* In memory of its own size, so that a sanitizer sees a read behind it. The caller frees it. */
static uint8_t *exactly(const uint8_t *bytes, size_t length) {
    uint8_t *copy = malloc(length > 0 ? length : 1);
    ck_assert_ptr_nonnull(copy);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

START_TEST(no_other_type_begins_a_unit) {
    uint8_t bytes[4] = {'S', 'A', 'M', 0};
    for (unsigned type = 0; type < 256; type++) {
        size_t count = 99;
        int unit = unit_of(type);
        bytes[3] = (uint8_t)type;
        ck_assert_uint_eq(sam_unit_type(bytes, sizeof bytes), unit < 0 ? 0 : type);
        ck_assert_str_eq(sam_unit_name((uint8_t)type), unit < 0 ? "unknown" : units[unit].name);
        const struct sam_field *fields = sam_unit_fields((uint8_t)type, &count);
        ck_assert((fields != NULL) == (unit >= 0) && (count > 0) == (unit >= 0));
    }
}
END_TEST

START_TEST(without_the_magic_and_all_of_it_nothing_begins_a_unit) {
    uint8_t bytes[128] = {'S', 'A', 'M', units[_i].type};
    for (size_t length = 0; length <= sizeof bytes; length++) {
        uint8_t *copy = exactly(bytes, length);
        ck_assert_uint_eq(sam_unit_type(copy, length), length < 4 ? 0 : units[_i].type);
        free(copy);
    }
    for (size_t bit = 0; bit < 24; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_uint_eq(sam_unit_type(bytes, sizeof bytes), 0);
        ck_assert_uint_eq(sam_unit_length(bytes, sizeof bytes), 0);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

static const uint32_t claims[] = {0,          1,          255,        256,        0x01020304,
                                  0x7fffffff, 0x80000000, 0xffffff7f, 0xffffff80, 0xffffffff};

START_TEST(a_claim_of_any_size_is_told_without_a_wrap) {
    uint8_t bytes[16] = {'S', 'A', 'M', units[_i].type, 9, 9, 9, 9, 9, 9, 9, 9};
    for (int i = 0; i < COUNT(claims); i++) {
        sam_put32(bytes + 12, claims[i]);
        ck_assert_uint_eq(sam_unit_length(bytes, sizeof bytes),
                          units[_i].fixed + (uint64_t)claims[i]);
        for (size_t length = 0; length < sizeof bytes; length++) {
            uint8_t *copy = exactly(bytes, length);
            ck_assert_uint_eq(sam_unit_length(copy, length), length < 4 ? 0 : 16);
            free(copy);
        }
    }
}
END_TEST

/* All that is shown of a field fits a line: what it means, and before that what it says. */
START_TEST(the_fields_of_every_type_cover_its_fixed_part) {
    size_t count = 0, at = 0;
    const struct sam_field *fields = sam_unit_fields(units[_i].type, &count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(fields[i].offset, at);
        ck_assert_uint_gt(fields[i].size, 0);
        ck_assert_uint_gt(strlen(fields[i].name), 0);
        ck_assert_uint_le(strlen(fields[i].name), 16);
        ck_assert_uint_gt(strlen(fields[i].meaning), 0);
        for (const char *c = fields[i].meaning; *c != '\0'; c++)
            ck_assert_msg(*c >= ' ' && *c <= '~' && *c != '"' && *c != '\\', "%s",
                          fields[i].meaning);
        at += fields[i].size;
    }
    ck_assert_uint_eq(at, units[_i].fixed);
}
END_TEST

/* docs/protocol.md, sections 1 and 9, written down by hand. */
START_TEST(a_record_has_the_fields_of_the_document) {
    static const struct {
        const char *name;
        size_t offset, size;
    } expected[] = {{"magic", 0, 3}, {"type", 3, 1},     {"version", 4, 1},  {"mode", 5, 1},
                    {"kind", 6, 1},  {"reserved", 7, 1}, {"sequence", 8, 4}, {"length", 12, 4}};
    size_t count = 0;
    const struct sam_field *fields = sam_unit_fields('S', &count);
    ck_assert_uint_eq(count, COUNT(expected));
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(fields[i].name, expected[i].name);
        ck_assert_uint_eq(fields[i].offset, expected[i].offset);
        ck_assert_uint_eq(fields[i].size, expected[i].size);
    }
}
END_TEST

static const struct {
    enum sam_reading reading;
    uint64_t value;
    unsigned size; /* bytes */
    const char *says;
} readings[] = {
    {SAM_AS_BYTES, 0x4142, 2, ""},
    {SAM_AS_NUMBER, 7, 4, ""},
    {SAM_AS_LETTERS, 0x53414d, 3, ""},
    {SAM_AS_TYPE, 'G', 1, "greeting"},
    {SAM_AS_TYPE, 'S', 1, "record"},
    {SAM_AS_TYPE, 'X', 1, "unknown"},
    {SAM_AS_TYPE, 0, 1, "unknown"},
    {SAM_AS_TYPE, 255, 1, "unknown"},
    {SAM_AS_MODE, 0, 1, "unknown"},
    {SAM_AS_MODE, 1, 1, "asymmetric_only"},
    {SAM_AS_MODE, 2, 1, "asymmetric_symmetric"},
    {SAM_AS_MODE, 3, 1, "unknown"},
    {SAM_AS_MODE, 255, 1, "unknown"},
    {SAM_AS_KIND, 0, 1, "none"},
    {SAM_AS_KIND, 1, 1, "send"},
    {SAM_AS_KIND, 7, 1, "session"},
    {SAM_AS_KIND, 8, 1, "close"},
    {SAM_AS_KIND, 9, 1, "unknown"},
    {SAM_AS_KIND, 255, 1, "unknown"},
    {SAM_AS_MODULUS, 256, 2, "RSA 2048"},
    {SAM_AS_MODULUS, 512, 2, "RSA 4096"},
    {SAM_AS_MODULUS, 0, 2, "RSA 0"},
    {SAM_AS_MODULUS, 0xffff, 2, "RSA 524280"},
    {SAM_AS_TIME, 0, 8, "1970-01-01 00:00:00.000 UTC"},
    {SAM_AS_TIME, 1, 8, "1970-01-01 00:00:00.001 UTC"},
    {SAM_AS_TIME, 951782399999, 8, "2000-02-28 23:59:59.999 UTC"},
    {SAM_AS_TIME, 951782400000, 8, "2000-02-29 00:00:00.000 UTC"},
    {SAM_AS_TIME, 1767225600000, 8, "2026-01-01 00:00:00.000 UTC"},
    {SAM_AS_TIME, 253402300799999, 8, "9999-12-31 23:59:59.999 UTC"},
    {SAM_AS_TIME, 253402300800000, 8, "after the year 9999"},
    {SAM_AS_TIME, (uint64_t)1 << 63, 8, "after the year 9999"},
    {SAM_AS_TIME, UINT64_MAX, 8, "after the year 9999"},
};

START_TEST(a_field_says_what_its_bytes_mean) {
    uint8_t bytes[8], *data = bytes + 8 - readings[_i].size;
    char says[SAM_READING_SIZE + 1];
    const struct sam_field field = {"field", 0, readings[_i].size, "", readings[_i].reading};
    sam_put64(bytes, readings[_i].value);
    uint8_t *copy = exactly(data, readings[_i].size);
    memset(says, '#', sizeof says);
    sam_field_reading(says, &field, copy);
    ck_assert_str_eq(says, readings[_i].says);
    ck_assert_int_eq(says[SAM_READING_SIZE], '#');
    free(copy);
}
END_TEST

TCase *units_case(void) {
    TCase *tcase = tcase_create("units");
    tcase_add_test(tcase, no_other_type_begins_a_unit);
    tcase_add_loop_test(tcase, without_the_magic_and_all_of_it_nothing_begins_a_unit, 0,
                        COUNT(units));
    tcase_add_loop_test(tcase, a_claim_of_any_size_is_told_without_a_wrap, 0, COUNT(units));
    tcase_add_loop_test(tcase, the_fields_of_every_type_cover_its_fixed_part, 0, COUNT(units));
    tcase_add_test(tcase, a_record_has_the_fields_of_the_document);
    tcase_add_loop_test(tcase, a_field_says_what_its_bytes_mean, 0, COUNT(readings));
    return tcase;
}
