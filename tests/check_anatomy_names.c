/* Tests of the instruments' anatomy: what it says of units that are known, what its parts are
 * called, and the reader of JSON that what it prints is held against. */
#include "anatomy.h"

#include <stdlib.h>
#include <string.h>

#include "instruments.h"
#include "json.h"
#include "support.h"
#include "vector_index.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

START_TEST(what_is_no_json_is_told_from_what_is) {
    static const char *const bad[] = {
        "",     "[,{}]",  "[{},]",   "[1 2]",    "{\"a\"}",          "{\"a\":1,}",   "{a:1}",
        "[1]]", "\"\n\"", "\"\\x\"", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc0\xaf\"", "01",
        "+1",   "nul",    "\"",      "[",        "{\"a\":",          "\"\\u12\"",    "1.",
        "[1]x"};
    static const char *const good[] = {" [ ]\n", "{\"a\": {\"b\": [1, -0.5e+7, null, true]}}",
                                       "\"\\\\x0a \\\" \xc3\xbc \\u0041\"", "0"};
    for (int i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!json_read(bad[i], strlen(bad[i]), NULL, NULL), "%s", bad[i]);
    for (int i = 0; i < COUNT(good); i++)
        ck_assert_msg(json_read(good[i], strlen(good[i]), NULL, NULL), "%s", good[i]);
}
END_TEST

/* Of those that are refused at step 1: what can be seen without a key, in each mode. */
static const struct {
    const char *file;
    enum sam_status seen[2];
} outside[] = {
    {"bad_magic", {SAM_MAGIC, SAM_MAGIC}},
    {"bad_type", {SAM_KIND, SAM_KIND}}, /* a greeting, which has no kind */
    {"bad_version", {SAM_VERSION, SAM_VERSION}},
    {"bad_mode", {SAM_OK, SAM_LENGTH}}, /* mode 2 takes nearly any length */
    {"bad_mode3", {SAM_MODE, SAM_MODE}},
    {"bad_kind0", {SAM_KIND, SAM_KIND}},
    {"bad_kind8", {SAM_KIND, SAM_KIND}},
    {"bad_reserved7", {SAM_RESERVED, SAM_RESERVED}},
    {"bad_reserved20", {SAM_RESERVED, SAM_RESERVED}},
    {"bad_S_small", {SAM_KEY_LENGTHS, SAM_KEY_LENGTHS}},
    {"bad_B_large", {SAM_LENGTH, SAM_OK}},
    {"bad_L_plus1", {SAM_LENGTH, SAM_TRUNCATED}},
    {"bad_L_huge", {SAM_LENGTH, SAM_LENGTH}},
    {"bad_L_zero", {SAM_LENGTH, SAM_LENGTH}},
    {"bad_cut_header", {SAM_TRUNCATED, SAM_TRUNCATED}},
    {"bad_cut_body", {SAM_TRUNCATED, SAM_TRUNCATED}},
    {"bad_recipient", {SAM_OK, SAM_OK}},
    {"bad_sender", {SAM_OK, SAM_OK}},
    {"bad_stranger", {SAM_OK, SAM_OK}},
    {"bad_S_zero", {SAM_KEY_LENGTHS, SAM_KEY_LENGTHS}},
    {"bad_B_zero", {SAM_KEY_LENGTHS, SAM_KEY_LENGTHS}},
    {"bad_B_66", {SAM_KEY_LENGTHS, SAM_KEY_LENGTHS}},
    {"bad_letter_0", {SAM_OK, SAM_LENGTH}}, /* in mode 1 that is step 3 */
    {"bad_letter_1", {SAM_OK, SAM_LENGTH}},
    {"bad_letter_15", {SAM_OK, SAM_LENGTH}},
    {"bad_L_below", {SAM_OK, SAM_LENGTH}},
};

START_TEST(what_anyone_can_see_wrong_is_told) {
    static struct vector_index all;
    size_t told = 0, step_1 = 0;
    vector_index_load(&all);
    for (size_t i = 0; i < VECTOR_ROWS; i++) {
        const char *name = strchr(all.rows[i].file, '_') + sizeof "_mode1";
        enum sam_status expected = SAM_OK;
        step_1 += all.rows[i].step == 1;
        struct sam_anatomy anatomy;
        for (int k = 0; k < COUNT(outside) && all.rows[i].step == 1; k++) {
            bool same = strcspn(name, ".") == strlen(outside[k].file) &&
                        strncmp(name, outside[k].file, strlen(outside[k].file)) == 0;
            told += same;
            expected = same ? outside[k].seen[all.rows[i].mode - 1] : expected;
        }
        struct sam_bytes unit = read_vector(all.rows[i].file);
        sam_anatomy_start(&anatomy, unit.data, unit.length);
        sam_bytes_free(&unit);
        ck_assert_msg(anatomy.status == expected, "%s: %s, not %s", all.rows[i].file,
                      sam_status_name(anatomy.status), sam_status_name(expected));
    }
    ck_assert_uint_eq(told, step_1);
    vector_index_free(&all);
}
END_TEST

START_TEST(a_part_is_found_by_its_name_however_it_is_written) {
    static const struct {
        const char *name;
        size_t offset, size;
    } names[] = {{"magic", 0, 3},          {"KIND", 6, 1},           {"reserved", 7, 1},
                 {"body-length", 12, 4},   {"Sent_At", 24, 8},       {"sender key-id", 64, 32},
                 {"oaep_block", 128, 384}, {"OAEP BLOCK", 128, 384}, {"Signature", 512, 256}};
    static const char *const nobody[] = {"",        "sent",       "sent at ", " kind",
                                         "sentat",  "signature2", "body",     "tag",
                                         "surplus", "unknown",    "kin\xe4"};
    struct sam_anatomy anatomy;
    struct sam_field part;
    struct sam_bytes unit = read_vector("001_mode1_alice_bob_0.sam");
    sam_anatomy_start(&anatomy, unit.data, unit.length);
    for (int i = 0; i < COUNT(names); i++) {
        ck_assert_msg(sam_anatomy_find(&anatomy, names[i].name, &part), "%s", names[i].name);
        ck_assert_uint_eq(part.offset, names[i].offset);
        ck_assert_uint_eq(part.size, names[i].size);
    }
    for (int i = 0; i < COUNT(nobody); i++)
        ck_assert_msg(!sam_anatomy_find(&anatomy, nobody[i], &part), "%s", nobody[i]);
    sam_bytes_free(&unit);
}
END_TEST

/* Of a unit that is no envelope, and of bytes that are no unit. */
static const struct {
    const char *bytes;
    size_t length;
    enum sam_status seen;
    const char *summary;
} others[] = {
    {"", 0, SAM_TRUNCATED, "no unit of this protocol, 0 bytes"},
    {"S", 1, SAM_TRUNCATED, "no unit of this protocol, 1 bytes"},
    {"SAM", 3, SAM_TRUNCATED, "no unit of this protocol, 3 bytes"},
    {"sam", 3, SAM_MAGIC, "no unit of this protocol, 3 bytes"},
    {"\0", 1, SAM_MAGIC, "no unit of this protocol, 1 bytes"},
    {"SAMX\1\1", 6, SAM_TYPE, "no unit of this protocol, 6 bytes"},
    {"SAM\0\1\1", 6, SAM_TYPE, "no unit of this protocol, 6 bytes"},
    {"GET / HTTP/1.1\r\n", 16, SAM_MAGIC, "no unit of this protocol, 16 bytes"},
    {"SAMR\1\1\0\0\0\0\0\0\0\0\0\0", 16, SAM_OK, "rejection, mode 1, 16 bytes"},
    {"SAMR\1\2\0\0\0\0\0\0\0\0\0\0#", 17, SAM_LENGTH, "rejection, mode 2, 17 bytes"},
    {"SAMR\1\2\0\0\0\0\0\0\0\0\0\1#", 17, SAM_RESERVED, "rejection, mode 2, 17 bytes"},
    {"SAMG\1", 5, SAM_TRUNCATED, "greeting, 5 bytes"},
    {"SAMG\1\2\0\0\0\0\1\0\0\0\0\0" ZEROS ZEROS ZEROS, 64, SAM_CHALLENGE,
     "greeting, mode 2, 64 bytes"},
    {"SAMG\1\2\0\0\0\0\1\0\0\0\0\0#" ZEROS ZEROS ZEROS, 64, SAM_OK, "greeting, mode 2, 64 bytes"},
    {"SAMG\1\2\0\0\x40\0\0\1\0\0\0\0#" ZEROS ZEROS ZEROS, 64, SAM_LENGTH,
     "greeting, mode 2, 64 bytes"},
    {"SAMS\1\2\x8\0\0\0\0\0\0\0\0\x10" ZEROS, 32, SAM_OK, "record, mode 2, close, 32 bytes"},
    {"SAMS\1\1\x8\0\0\0\0\0\0\0\0\x10" ZEROS, 32, SAM_MODE, "record, mode 1, close, 32 bytes"},
    {"SAMS\1\2\7\0\0\0\0\0\0\0\0\x10" ZEROS, 32, SAM_KIND, "record, mode 2, session, 32 bytes"},
    {"SAMS\1\2\1\0\0\0\0\0\0\0\0\xf" ZEROS, 31, SAM_LENGTH, "record, mode 2, send, 31 bytes"},
    {"SAMS\1\2\1\1\0\0\0\0\0\0\0\x10" ZEROS, 32, SAM_RESERVED, "record, mode 2, send, 32 bytes"},
    /* section 2: first a reserved byte, then a length */
    {"SAMS\1\2\1\1\0\0\0\0\0\0\0\xf" ZEROS, 31, SAM_RESERVED, "record, mode 2, send, 31 bytes"},
    {"SAMS\1\2\1\0\0\0\0\0\x40\0\0\x11" ZEROS, 32, SAM_LENGTH, "record, mode 2, send, 32 bytes"},
    {"SAMS\1\2\1\0\0\0\0\0\x40\0\0\x10" ZEROS, 32, SAM_TRUNCATED, "record, mode 2, send, 32 bytes"},
};

START_TEST(what_is_no_envelope_is_told_in_a_line) {
    struct sam_anatomy anatomy;
    char *said = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&said, &size);
    ck_assert_ptr_nonnull(out);
    sam_anatomy_start(&anatomy, (const uint8_t *)others[_i].bytes, others[_i].length);
    ck_status(anatomy.status, others[_i].seen);
    ck_assert_ptr_null(anatomy.mode);
    sam_anatomy_summary(out, &anatomy);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_str_eq(said, others[_i].summary);
    free(said);
}
END_TEST

START_TEST(a_mode_is_named_by_its_number_or_its_name_alone) {
    static const char *const none[] = {"",
                                       "0",
                                       "3",
                                       "01",
                                       "1 ",
                                       " 1",
                                       "12",
                                       "1.",
                                       "+1",
                                       "-1",
                                       "one",
                                       "asymmetric",
                                       "asymmetric_only ",
                                       "ASYMMETRIC_ONLY"};
    for (int i = 0; i < COUNT(none); i++)
        ck_assert_msg(sam_mode_find(none[i]) == NULL, "%s", none[i]);
    ck_assert_ptr_eq(sam_mode_find("1"), &sam_mode_asymmetric_only);
    ck_assert_ptr_eq(sam_mode_find("2"), &sam_mode_asymmetric_symmetric);
    ck_assert_ptr_eq(sam_mode_find("asymmetric_only"), &sam_mode_asymmetric_only);
    ck_assert_ptr_eq(sam_mode_find("asymmetric_symmetric"), &sam_mode_asymmetric_symmetric);
}
END_TEST

/* As of a message of 16 MiB: offsets then have eight digits. Behind it come some bytes more. */
static const uint32_t behind[] = {0, 1, 8, 16, 17, 600};

START_TEST(columns_hold_far_from_the_start) {
    enum { FAR = 17 * 1024 * 1024 };
    uint8_t *bytes = calloc(1, FAR);
    struct sam_anatomy anatomy;
    char *shown = NULL;
    size_t size = 0;
    ck_assert_ptr_nonnull(bytes);
    struct sam_bytes unit = read_vector("100_mode2_alice_bob_0.sam");
    memcpy(bytes, unit.data, 128);
    sam_bytes_free(&unit);
    sam_put32(bytes + 12, FAR - 128 - behind[_i]);
    sam_anatomy_start(&anatomy, bytes, FAR);
    FILE *out = open_memstream(&shown, &size);
    sam_anatomy_show(out, &anatomy, SIZE_MAX);
    ck_assert_int_eq(fclose(out), 0);
    for (const char *line = shown; *line != '\0'; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "more than 80 columns: %.81s", line);
    free(shown);
    free(bytes);
}
END_TEST

TCase *anatomy_names_case(void) {
    TCase *tcase = tcase_create("anatomy names");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_is_no_json_is_told_from_what_is);
    tcase_add_test(tcase, what_anyone_can_see_wrong_is_told);
    tcase_add_test(tcase, a_part_is_found_by_its_name_however_it_is_written);
    tcase_add_loop_test(tcase, what_is_no_envelope_is_told_in_a_line, 0, COUNT(others));
    tcase_add_loop_test(tcase, columns_hold_far_from_the_start, 0, COUNT(behind));
    tcase_add_test(tcase, a_mode_is_named_by_its_number_or_its_name_alone);
    return tcase;
}
